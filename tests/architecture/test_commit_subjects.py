"""Continuous integration checks the subjects of new commits, and notices each kind of fault."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT / ".ci/check_subjects.py"
(SINCE,) = re.findall(r'^SINCE = "(.+)"$', CHECK.read_text(), re.MULTILINE)
TOO_LONG = "Add " + "a" * 69


def check(folder: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECK), *map(str, files)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def commit(folder: Path, message: str, date: str) -> None:
    identity = {f"GIT_{role}_{key}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", "commit", "--quiet", "--allow-empty", "--message", message],
        cwd=folder,
        env={**os.environ, **identity, "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": date},
        check=True,
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", "is empty"),
        (TOO_LONG, "has 73 characters"),
        ("Add a rule.", "full stop"),
        ("Add a rule\nand its test", "second line"),
    ],
)
def test_a_faulty_subject_is_refused_in_words(message: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "message"
    file.write_text(message)
    result = check(tmp_path, file)
    assert result.returncode == 1
    assert words in result.stderr


@pytest.mark.parametrize("message", [TOO_LONG[:-1], "Add a rule\n\nIt says why.", "Grüße\n# a comment"])
def test_a_good_subject_passes(message: str, tmp_path: Path) -> None:
    file = tmp_path / "message"
    file.write_text(message)
    assert check(tmp_path, file).returncode == 0


def test_only_commits_since_the_rule_began_are_checked(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    commit(tmp_path, f"{TOO_LONG} before the rule", "2026-01-01T00:00:00Z")
    commit(tmp_path, "Add a rule", SINCE)
    assert check(tmp_path).returncode == 0
    commit(tmp_path, TOO_LONG, "2027-01-01T00:00:00Z")
    result = check(tmp_path)
    assert result.returncode == 1
    assert result.stderr.count(TOO_LONG) == 1
