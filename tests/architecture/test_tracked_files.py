"""Tracked files contain no local path, no package index and no build output."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Joined from pieces, so that this file does not match.
PLACES = re.compile(
    "|".join(["/" + "work/", "/" + "root/", "/" + r"home/\w", "/" + "Users/", "/" + "opt/wheels"])
)
INDEXES = re.compile(r"files\.python" + r"hosted|pypi\." + r"org|registry\." + r"npmjs|proxy\." + r"golang")
BUILT = re.compile(r"(^|/)(__pycache__|node_modules|dist|\.venv)(/|$)|\.(pyc|whl)$")
NOT_TEXT = {".png", ".webp", ".woff2", ".npz", ".ico", ".sqlite3"}


def names() -> list[str]:
    # Also new files, so that a fault shows before the commit.
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return list(filter(None, output.split("\0")))


def tracked() -> list[Path]:
    return [path for name in names() if (path := ROOT / name).is_file()]


def faults(text: str) -> list[str]:
    return PLACES.findall(text) + INDEXES.findall(text)


def test_no_file_contains_a_local_path_or_a_package_index() -> None:
    files = [path for path in tracked() if path.suffix not in NOT_TEXT]
    assert len(files) > 100
    assert {str(path.relative_to(ROOT)): lines for path in files if (lines := faults(path.read_text()))} == {}


def test_a_planted_local_path_and_index_are_noticed() -> None:
    assert faults("see /" + "home/someone/fallline") == ["/" + "home/s"]
    assert faults("from https://pypi." + "org/simple") == ["pypi." + "org"]
    assert faults("WORKDIR /tmp and /opt/fallline") == []


def test_no_build_output_is_committed() -> None:
    assert list(filter(BUILT.search, names())) == []


def test_a_link_to_an_environment_would_be_noticed() -> None:
    """Checking out such a link deletes the directory it replaces, because git ignores that directory."""
    assert all(map(BUILT.search, [".venv", "tests/frontend/node_modules", ".venv/bin/python"]))
    assert not BUILT.search("docs/distances.md")
