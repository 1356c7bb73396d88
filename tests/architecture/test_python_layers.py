"""The layers in pyproject.toml (`make layers`) catch planted imports."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import importlinter.cli, sys; sys.path.insert(0, 'backend'); importlinter.cli.lint_imports_command()"
    )
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "backend", tmp_path / "backend", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("vocabulary/errors.py", "import fallline.engine", "Imports point down"),
        ("vocabulary/errors.py", "import time", "The core does no I/O and reads no clock"),
        ("engine/training.py", "import plotly", "FastAPI lives in web, Plotly in figures"),
    ],
)
def test_an_import_that_points_up_or_out_is_noticed(
    copy: Path, module: str, planted: str, contract: str
) -> None:
    with (copy / "backend/fallline" / module).open("a") as source:
        source.write(f"\n{planted}\n")
    answer = lint(copy)
    assert answer.returncode == 1
    assert f"{contract} BROKEN" in answer.stdout


def test_a_new_package_must_be_given_a_layer(copy: Path) -> None:
    (copy / "backend/fallline/leftovers.py").write_text("")
    answer = lint(copy)
    assert answer.returncode != 0
    assert "leftovers" in answer.stdout


def test_every_layer_in_the_contract_exists() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name.strip("() ") for layer in layers for name in layer.split("|")}
    package = ROOT / "backend/fallline"
    existing = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert named == existing - {"__init__"}
