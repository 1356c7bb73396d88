"""The reserve file holds disk space that a deletion on a full disk can use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from fallline.storage import disk
from fallline.storage.disk import NAME, ROOM_BYTES, TIMES, Reserve, room_on


def full(*_: object) -> None:
    raise OSError("no space left on device")


def disk_of(total: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(total=total))


def test_a_small_disk_keeps_an_eighth_free_and_a_large_one_no_more_than_4_mib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_of(8000, monkeypatch)
    assert room_on(tmp_path) == 1000
    disk_of(1 << 40, monkeypatch)
    assert room_on(tmp_path) == ROOM_BYTES


def test_the_reserve_takes_real_blocks_of_the_disk_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_of(1 << 20, monkeypatch)
    assert Reserve(tmp_path).fill()
    file = (tmp_path / NAME).stat()
    assert file.st_size == TIMES << 17
    assert file.st_blocks * 512 >= file.st_size
    assert file.st_mode & 0o777 == 0o600


def test_without_a_call_that_allocates_the_reserve_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_of(1 << 20, monkeypatch)
    monkeypatch.delattr(os, "posix_fallocate")
    assert Reserve(tmp_path).fill()
    file = (tmp_path / NAME).stat()
    assert file.st_blocks * 512 >= file.st_size == TIMES << 17


def test_a_full_reserve_is_left_alone_and_one_of_another_size_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allocated: list[int] = []
    monkeypatch.setattr(disk, "_allocate", lambda file, size: allocated.append(size))
    disk_of(8 * 4096, monkeypatch)
    (tmp_path / NAME).write_bytes(b"x" * TIMES * 4096)
    assert Reserve(tmp_path).fill()
    assert allocated == []
    disk_of(8 * 8192, monkeypatch)
    assert Reserve(tmp_path).fill()
    assert allocated == [TIMES * 8192]


def test_a_reserve_that_does_not_fit_leaves_no_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_of(8 * 4096, monkeypatch)
    (tmp_path / NAME).write_bytes(b"x")
    monkeypatch.setattr(disk, "_allocate", full)
    assert not Reserve(tmp_path).fill()
    assert (tmp_path / NAME).stat().st_size == 0


def test_a_reserve_can_be_released_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_of(8 * 4096, monkeypatch)
    one = Reserve(tmp_path)
    assert not one.release()
    assert one.fill()
    assert one.release()
    assert (tmp_path / NAME).stat().st_size == 0
    assert not one.release()
    assert one.fill()
    assert one.release()


def test_a_folder_that_is_not_there_has_no_reserve(tmp_path: Path) -> None:
    assert not Reserve(tmp_path / "gone").fill()
    assert not Reserve(tmp_path / "gone").release()
