"""Compiled code is found where it lies, brought where it can be used, and never taken for that of other sources."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fallline.execution import code_cache
from fallline.execution.code_cache import DONE, cache_directory, complete, fingerprint


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own."""
    kitchen = tmp_path / "installed" / "engine" / "kernels"
    kitchen.mkdir(parents=True)
    (kitchen / "compiled.py").write_text("one")
    (kitchen.parent / "activations.py").write_text("relu")
    monkeypatch.setattr(code_cache, "KITCHEN", kitchen)
    monkeypatch.setattr(code_cache, "BESIDE", kitchen / "__pycache__")
    return kitchen


def read_only(*places: Path) -> pytest.MonkeyPatch:
    """As if nobody could write there, which is no matter of modes where tests run as root."""
    patch, can_write = pytest.MonkeyPatch(), code_cache._can_write

    def may(directory: Path) -> bool:
        return not any(directory.is_relative_to(place) for place in places) and can_write(directory)

    patch.setattr(code_cache, "_can_write", may)
    return patch


def compiled_into(directory: Path | None) -> Path:
    """What a compiler leaves: code in folders below, and the word that it is all."""
    assert directory is not None
    code = directory / "kernels_4711" / "code.nbc"
    code.parent.mkdir()
    code.write_bytes(b"machine code")
    complete(directory)
    return code


def test_the_cache_lies_where_the_environment_says_else_where_one_may_write(
    sources: Path, tmp_path: Path
) -> None:
    named = cache_directory({"NUMBA_CACHE_DIR": str(tmp_path / "named")})
    assert named is not None
    assert named.parent == tmp_path / "named"
    beside = cache_directory({})
    assert beside is not None
    assert beside.parent == sources / "__pycache__"
    patch = read_only(sources)
    own, house = (
        cache_directory({"XDG_CACHE_HOME": str(tmp_path / "own")}),
        cache_directory({"HOME": str(tmp_path)}),
    )
    nowhere = cache_directory({})
    patch.undo()
    assert own is not None
    assert house is not None
    assert (own.parent, house.parent) == (tmp_path / "own" / "fallline", tmp_path / ".cache" / "fallline")
    assert nowhere is None


def test_a_process_that_another_started_shares_its_cache(sources: Path, tmp_path: Path) -> None:
    first = cache_directory({"NUMBA_CACHE_DIR": str(tmp_path)})
    assert cache_directory({"NUMBA_CACHE_DIR": str(first)}) == first
    (sources / "compiled.py").write_text("two")
    second = cache_directory({"NUMBA_CACHE_DIR": str(first)})
    assert second is not None
    assert second != first
    assert second.parent == tmp_path


def test_what_can_only_be_read_is_copied_to_where_one_may_write(sources: Path, tmp_path: Path) -> None:
    """An image's code on a read-only disk, or code that another user has compiled."""
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


def test_a_copy_that_fails_is_no_cache(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: str, target: str) -> None:
        raise OSError(28, "no space left on device")

    compiled_into(cache_directory({}))
    monkeypatch.setattr(shutil, "copyfile", full)
    assert cache_directory({"NUMBA_CACHE_DIR": str(tmp_path / "tmpfs")}) is None


def test_the_cache_is_another_one_when_sources_or_processor_change(sources: Path) -> None:
    before = fingerprint({})
    assert fingerprint({}) == before
    assert fingerprint({"NUMBA_CPU_NAME": "x86-64-v3"}) != before
    (sources.parent / "activations.py").write_text("softplus")
    assert fingerprint({}) != before


def test_the_cache_is_the_same_one_when_sources_were_only_copied(sources: Path) -> None:
    """Layers of an image and wheels do not keep the fraction of a second in which a file was written."""
    before = fingerprint({})
    os.utime(sources / "compiled.py", (1e9, 1e9))
    assert fingerprint({}) == before


def test_caches_of_older_sources_go(sources: Path) -> None:
    made = []
    for number in range(7):
        (sources / "compiled.py").write_text(str(number))
        directory = cache_directory({})
        assert directory is not None
        compiled_into(directory)
        os.utime(directory / DONE, (1e9 + number, 1e9 + number))
        made.append(directory)
    assert [directory.exists() for directory in made] == [False, False, True, True, True, True, True]


def test_a_directory_that_cannot_be_made_is_none_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not code_cache._can_write(tmp_path / "file" / "below")
