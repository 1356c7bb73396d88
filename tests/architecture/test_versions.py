"""The version is in one place, and the locks follow from the dependencies."""

import ast
import json
import re
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import fallline

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(name: str) -> dict[str, Version]:
    pins = re.findall(
        r"^([\w.-]+)==([^ ;\\]+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE
    )
    return {canonicalize_name(package): Version(version) for package, version in pins}


def npm_locked(folder: str) -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / folder / "package-lock.json").read_text())[
        "packages"
    ]
    return packages


def test_the_changelog_begins_with_the_packages_version() -> None:
    versions = re.findall(r"^## \[([^\]]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0][0] == fallline.__version__
    assert PYPROJECT["project"]["dynamic"] == ["version"]


def test_the_locks_contain_the_packages_dependencies() -> None:
    groups = PYPROJECT["dependency-groups"]
    expected = {
        "run": [
            *PYPROJECT["project"]["dependencies"],
            *PYPROJECT["project"]["optional-dependencies"]["fast"],
        ],
        "build": groups["build"],
        "docs": groups["docs"],
        "test": [*PYPROJECT["project"]["dependencies"], *(x for x in groups["test"] if isinstance(x, str))],
    }
    for name, requirements in expected.items():
        pins = locked(name)
        for requirement in map(Requirement, requirements):
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier, f"{name}: make lock"


def test_contributing_says_what_each_lock_is_for() -> None:
    (said,) = re.findall(
        r"^Dependencies have .*?\n\n", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL
    )
    locks = {path.name for path in (ROOT / "requirements").glob("*.txt")}
    assert set(re.findall(r"`(\w+\.txt)`", said)) == locks


def test_every_import_is_a_declared_dependency() -> None:
    project = PYPROJECT["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    locked = {Requirement(line).name.replace("-", "_") for line in lines} | {"llvmlite"}  # a part of Numba
    for path in (ROOT / "backend").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"fallline"}
            assert foreign <= locked, f"{path.relative_to(ROOT)}: {foreign - locked}"


def test_runtime_and_test_locks_have_the_same_versions() -> None:
    tested = locked("test")
    for name in ("run", "build", "docs"):
        assert locked(name).items() <= tested.items()


def test_every_locked_package_carries_hashes_and_no_address() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text()
        assert "://" not in text
        assert not re.search(r"^--", text, re.MULTILINE)
        entries = re.split(r"\n(?=\S)", text)
        assert all("--hash=sha256:" in entry for entry in entries if re.match(r"[\w.-]+==", entry))
    for folder in ("frontend", "tests/frontend"):
        packages = npm_locked(folder)
        assert len(packages) > 2
        assert not any("resolved" in package for package in packages.values())
        assert all("integrity" in package for place, package in packages.items() if place)


def test_the_page_draws_with_the_plotly_of_the_python_package() -> None:
    header = resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")[:200]
    built = npm_locked("frontend")["node_modules/plotly.js"]["version"]
    assert f"plotly.js v{built}\n" in header, "frontend/package.json: make lock"
