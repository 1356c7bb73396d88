"""`pip install .` gives the command and the page."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import fallline

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the wheel holds: name -> text (empty for what is not text)."""
    (path,) = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode(errors="ignore") for name in archive.namelist()}


def test_the_wheel_carries_the_whole_page(wheel: dict[str, str]) -> None:
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / "frontend").rglob("*") if path.is_file()}
    assert "frontend/index.html" in page
    assert {f"fallline/{name}" for name in page} <= wheel.keys()


def test_the_wheel_carries_every_module_and_data_file(wheel: dict[str, str]) -> None:
    package = {
        path.relative_to(ROOT / "backend").as_posix()
        for path in (ROOT / "backend/fallline").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package <= wheel.keys()


def test_the_wheel_gives_the_command_and_nothing_beside_the_package(wheel: dict[str, str]) -> None:
    about = f"fallline-{fallline.__version__}.dist-info"
    assert {name.split("/")[0] for name in wheel} == {"fallline", about}
    assert "fallline = fallline.cli:main" in wheel[f"{about}/entry_points.txt"]
    assert "License-Expression: MIT" in wheel[f"{about}/METADATA"]
