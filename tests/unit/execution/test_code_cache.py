"""The cache of compiled code: its directory, copies, and changed sources."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fallline.execution import compiling
from fallline.execution.compiling import DONE, cache_directory, complete, fingerprint


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate installation."""
    kernels = tmp_path / "installed" / "engine" / "kernels"
    kernels.mkdir(parents=True)
    (kernels / "compiled.py").write_text("one")
    (kernels.parent / "activations.py").write_text("relu")
    monkeypatch.setattr(compiling, "SOURCES", kernels)
    monkeypatch.setattr(compiling, "BESIDE_SOURCES", kernels / "__pycache__")
    return kernels


def read_only(*places: Path) -> pytest.MonkeyPatch:
    """Simulate read-only directories: file modes do not stop root."""
    patch, can_write = pytest.MonkeyPatch(), compiling._can_write

    def may(directory: Path) -> bool:
        return not any(directory.is_relative_to(place) for place in places) and can_write(directory)

    patch.setattr(compiling, "_can_write", may)
    return patch


def compiled_into(directory: Path | None) -> Path:
    """Write code as a compiler does, and mark the cache as complete."""
    assert directory is not None
    code = directory / "kernels_4711" / "code.nbc"
    code.parent.mkdir()
    code.write_bytes(b"machine code")
    complete(directory)
    return code


def test_the_cache_is_where_the_environment_says_else_in_a_writable_directory(
    sources: Path, tmp_path: Path
) -> None:
    named = cache_directory({"NUMBA_CACHE_DIR": str(tmp_path / "named")})
    assert named is not None
    assert named.parent == tmp_path / "named"
    beside = cache_directory({})
    assert beside is not None
    assert beside.parent == sources / "__pycache__"
    patch = read_only(sources)
    own, home = (
        cache_directory({"XDG_CACHE_HOME": str(tmp_path / "own")}),
        cache_directory({"HOME": str(tmp_path)}),
    )
    nowhere = cache_directory({})
    patch.undo()
    assert own is not None
    assert home is not None
    assert (own.parent, home.parent) == (tmp_path / "own" / "fallline", tmp_path / ".cache" / "fallline")
    assert nowhere is None


def test_a_child_process_shares_the_cache(sources: Path, tmp_path: Path) -> None:
    first = cache_directory({"NUMBA_CACHE_DIR": str(tmp_path)})
    assert cache_directory({"NUMBA_CACHE_DIR": str(first)}) == first
    (sources / "compiled.py").write_text("two")
    second = cache_directory({"NUMBA_CACHE_DIR": str(first)})
    assert second is not None
    assert second != first
    assert second.parent == tmp_path


def test_a_read_only_cache_is_copied_to_a_writable_directory(sources: Path, tmp_path: Path) -> None:
    """Such as the code of an image, or of another user."""
    code = compiled_into(cache_directory({}))
    patch = read_only(sources)
    image = cache_directory({"NUMBA_CACHE_DIR": str(tmp_path / "tmpfs")})
    user = cache_directory({"HOME": str(tmp_path / "home")})
    patch.undo()
    for directory in (image, user):
        assert directory is not None
        assert (directory / DONE).exists()
        assert (directory / code.parent.name / code.name).read_bytes() == b"machine code"
        assert [path.name for path in (directory / code.parent.name).iterdir()] == [code.name]


def test_there_is_no_cache_if_the_copy_fails(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: str, target: str) -> None:
        raise OSError(28, "no space left on device")

    compiled_into(cache_directory({}))
    monkeypatch.setattr(shutil, "copyfile", full)
    assert cache_directory({"NUMBA_CACHE_DIR": str(tmp_path / "tmpfs")}) is None


def test_new_sources_or_another_processor_need_a_new_cache(sources: Path) -> None:
    before = fingerprint({})
    assert fingerprint({}) == before
    assert fingerprint({"NUMBA_CPU_NAME": "x86-64-v3"}) != before
    (sources.parent / "activations.py").write_text("softplus")
    assert fingerprint({}) != before


def test_copied_sources_use_the_same_cache(sources: Path) -> None:
    """Image layers and wheels truncate the times of files."""
    before = fingerprint({})
    os.utime(sources / "compiled.py", (1e9, 1e9))
    assert fingerprint({}) == before


def test_caches_of_old_sources_are_deleted(sources: Path) -> None:
    directories = []
    for number in range(compiling.MOST_OTHERS + 3):
        (sources / "compiled.py").write_text(str(number))
        directory = cache_directory({})
        assert directory is not None
        compiled_into(directory)
        os.utime(directory / DONE, (1e9 + number, 1e9 + number))
        directories.append(directory)
    assert [directory.exists() for directory in directories] == [False, False] + [True] * (
        compiling.MOST_OTHERS + 1
    )


def test_a_directory_that_cannot_be_created_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not compiling._can_write(tmp_path / "file" / "below")
