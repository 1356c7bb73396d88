"""`make release` builds the same files twice, and refuses what should not be released. Nothing is published."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.aliases import Json

ROOT = Path(__file__).parents[2]
VERSION = "9.8.7"


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{role}_{key}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    command = ["git", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **identity}, capture_output=True, text=True, check=True
    ).stdout


def release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / ".ci/release.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of this tree in a repository of their own, all committed."""
    folder = tmp_path / "clone"
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Add everything")
    return folder


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_release_has_all_its_files_with_their_checksums(clone: Path) -> None:
    assert release(clone, VERSION).returncode == 0
    git(clone, "commit", "--quiet", "--all", "--message", f"Release {VERSION}")
    result = release(clone)
    assert (result.returncode, result.stderr) == (0, "")
    folder = clone / "dist" / VERSION
    wheel, sbom = f"fallline-{VERSION}-py3-none-any.whl", f"fallline-{VERSION}.cdx.json"
    notes, archive = f"fallline-{VERSION}.md", f"fallline-{VERSION}.tar.gz"
    sums = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert sums.keys() == {wheel, sbom, notes, archive}
    assert (folder / "SHA256SUMS").read_text() == "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    assert (folder / notes).read_text().startswith("### ")
    with zipfile.ZipFile(folder / wheel) as files:
        assert f"fallline-{VERSION}.dist-info/METADATA" in files.namelist()
    check_sbom(json.loads((folder / sbom).read_text()))


def check_sbom(bom: Json) -> None:
    assert (bom["bomFormat"], bom["metadata"]["component"]["version"]) == ("CycloneDX", VERSION)
    parts = {part["name"]: part for part in bom["components"]}
    assert {"numpy", "fastapi", "numba", "plotly"} <= parts.keys()
    assert "plotly.js" in parts
    assert parts.keys().isdisjoint({"pytest", "esbuild"})
    lock = (ROOT / "requirements/run.txt").read_text()
    for part in parts.values():
        assert part["hashes"]
    assert f"numpy=={parts['numpy']['version']} " in lock
    assert parts["numpy"]["purl"] == f"pkg:pypi/numpy@{parts['numpy']['version']}"


def test_a_tree_with_changes_is_refused(clone: Path) -> None:
    (clone / "README.md").write_text("changed")
    result = release(clone)
    assert result.returncode == 1
    assert "not committed" in result.stderr
    assert "README.md" in result.stderr


def test_a_version_without_a_dated_section_is_refused(clone: Path) -> None:
    changelog = clone / "CHANGELOG.md"
    for old, new, words in (
        ("", "## [5.0.0] - Unreleased\n\n- A line.\n\n", "is not dated"),
        ("Unreleased", "2026-01-02", "the changelog's newest section 5.0.0"),
    ):
        text = changelog.read_text()
        start = text.index("## [")
        changelog.write_text(text.replace(old, new, 1) if old else text[:start] + new + text[start:])
        git(clone, "commit", "--quiet", "--all", "--message", "Change the changelog")
        result = release(clone)
        assert result.returncode == 1
        assert words in result.stderr


def test_a_version_that_is_none_is_refused(clone: Path) -> None:
    result = release(clone, "next")
    assert (result.returncode, git(clone, "status", "--porcelain")) == (1, "")
    assert "next is no version" in result.stderr
