"""Comments and docstrings refer to files and functions that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BACKEND, FRONTEND = ROOT / "backend/fallline", ROOT / "frontend"

NAMES_A_FILE = re.compile(r"[\w-]+(?:/[\w-]+)*\.(?:py|ts|css|md)\b")
NAMES_A_PART = re.compile(r"`((?:\w+\.)+)(\w+)`")
EXPORTED = {"script.py", "gd-script.py"}
"""Files that the server makes."""


def tracked() -> list[str]:
    answer = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return answer.stdout.split()


def missing_files(comment: str, files: list[str]) -> list[str]:
    named = set(NAMES_A_FILE.findall(comment)) - EXPORTED
    return sorted(name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in files))


def modules() -> dict[str, list[Path]]:
    """The files of each module and package of the backend, by its last name."""
    found: dict[str, list[Path]] = {}
    for path in BACKEND.rglob("*.py"):
        name = path.parent.name if path.stem == "__init__" else path.stem
        found.setdefault(name, []).extend(path.parent.rglob("*.py") if path.stem == "__init__" else [path])
    return found


def missing_parts(text: str, files: dict[str, list[Path]]) -> list[str]:
    """Return names such as `network.backward` of a module that neither defines nor contains them."""
    missing = []
    for owner, part in NAMES_A_PART.findall(text):
        paths = files.get(owner.rstrip(".").rpartition(".")[2], [])
        defined = re.compile(rf"\b(?:def|class|import|as) {part}\b|^{part}\b.* =|^    {part}:", re.MULTILINE)
        exists = any(part in path.with_suffix("").parts or defined.search(path.read_text()) for path in paths)
        if paths and not exists and part not in {"py", "html"}:
            missing.append(owner + part)
    return missing


def test_comments_of_the_page_name_files_that_exist() -> None:
    files = tracked()
    sources = [ROOT / path for path in files if path.startswith("frontend/") and path.endswith(".ts")]
    comments = {path: re.findall(r"/\*\*.*?\*/|//.*", path.read_text(), re.DOTALL) for path in sources}
    missing = {path.name: missing_files(" ".join(each), files) for path, each in comments.items()}
    assert {name: each for name, each in missing.items() if each} == {}


def test_docstrings_name_parts_that_exist() -> None:
    files = modules()
    missing = {path.name: missing_parts(path.read_text(), files) for path in BACKEND.rglob("*.py")}
    assert {name: each for name, each in missing.items() if each} == {}


@pytest.mark.parametrize("planted", ["as figures/gone.py does", "see core/gone.ts"])
def test_a_missing_file_is_noticed(planted: str) -> None:
    assert missing_files(planted, tracked()) == [planted.split()[1]]


@pytest.mark.parametrize("planted", ["network.gone", "inspection.gone", "engine.network.gone"])
def test_a_missing_part_is_noticed(planted: str) -> None:
    assert missing_parts(f"as `{planted}` and `network.forward` do", modules()) == [planted]
