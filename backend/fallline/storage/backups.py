"""Backups of the store's file: how one is written, named and kept.

A backup is one file without a log, readable by its owner only. It appears under its name when it is complete.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from fallline.storage.disk import room_on
from fallline.storage.interface import CopyFailed

SUFFIX = ".sqlite3"

STAGED = "fallline.sqlite3"
"""Name of an unfinished copy in a folder of its own. The store opens it there for a check."""

CHUNK_PAGES = 64
"""Pages copied at once: the server stores nothing during them."""

SYNC_CHUNKS = 8
"""Chunks between two syncs. One sync at the end would hold up the commits of a running server."""

AHEAD_SECONDS = 3600.0
"""A backup whose name is further ahead of the present has its time from a wrong clock."""

_STEADY: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Clock that a sleep of the machine does not stop: without it, waking would look like a jump. None on Windows."""

_log = logging.getLogger(__name__)


def copy_pages(source: sqlite3.Connection, target: Path, between: Callable[[], None]) -> None:
    """Copy a database to a new private file. Raises CopyFailed.

    `between` is called between two chunks. SQLite adds what it writes through the `source` to the copy.
    """
    pages, page = (
        int(source.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size")
    )
    try:
        _check_room(target.parent, pages * page)
        file = new_file(target)
    except OSError as error:
        raise CopyFailed(f"{target.parent} is not writable: {error.strerror}") from error
    chunks = 0

    def progress(_status: int, _remaining: int, _total: int) -> None:
        nonlocal chunks
        chunks += 1
        if chunks % SYNC_CHUNKS == 0:
            os.fsync(file)
        between()

    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            for setting in ("journal_mode = OFF", "synchronous = OFF"):  # an unfinished copy is deleted
                copy.execute(f"PRAGMA {setting}")
            source.backup(copy, pages=CHUNK_PAGES, progress=progress)
        _close_session(target)
        os.fsync(file)
    except (sqlite3.Error, OSError) as error:
        raise CopyFailed(f"the copy in {target.parent} failed: {error}") from error
    finally:
        os.close(file)


def _close_session(file: Path) -> None:
    """Make the copy a file without a log, that no server has open."""
    with closing(sqlite3.connect(file, isolation_level=None)) as copy:
        copy.execute("PRAGMA locking_mode = EXCLUSIVE")  # needs no shared memory
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("SELECT 1 FROM sqlite_schema WHERE name = 'session'").fetchone():
            copy.execute("UPDATE session SET is_open = 0")


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free - room_on(folder)
    if free < size:
        raise CopyFailed(f"the disk of {folder} has no room for {size >> 20} MB more")


@contextmanager
def staging(folder: Path, purpose: str = "copy") -> Iterator[Path]:
    """Yield the path of a new file in a private folder inside this one, deleted at the end. Raises CopyFailed.

    Only the user of the store may have the purpose "copy".
    """
    private = _private(folder, purpose)
    try:
        shutil.rmtree(private, ignore_errors=True)  # of a process that was killed
        private.mkdir(mode=0o700)
    except OSError as error:
        raise CopyFailed(f"{folder} is not writable: {error.strerror}") from error
    try:
        yield private / STAGED
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _private(folder: Path, purpose: str) -> Path:
    return folder / f".fallline-{purpose}.partial"


def remove_unfinished(folder: Path) -> None:
    """Delete the copy that a killed server was making. Only the user of the store may."""
    shutil.rmtree(_private(folder, "copy"), ignore_errors=True)


def publish(staged: Path, target: Path) -> None:
    """Move a complete file to a name that is free. Raises CopyFailed."""
    try:
        if target.exists():
            raise CopyFailed(f"{target} exists: choose another name, or a folder")
        try:
            staged.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _move_across_disks(staged, target)
        sync_folder(target.parent)
    except OSError as error:
        raise CopyFailed(f"{target} is not writable: {error.strerror}") from error


def _move_across_disks(staged: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        with staged.open("rb") as source, os.fdopen(new_file(partial), "r+b") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
            source.seek(0)
            copy.seek(0)
            if file_digest(source, "sha256").digest() != file_digest(copy, "sha256").digest():
                raise CopyFailed(f"{target.parent} returns other bytes than were written")
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def new_file(path: Path) -> int:
    """Create a file that only its owner can read; return its descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)


def sync_folder(folder: Path) -> None:
    """Make renamed files of a folder survive a power cut."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def time_name(seconds: float) -> str:
    """Return a time since 1970 as a part of a file name."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def steady_seconds() -> float:
    """Return the seconds of a clock that nobody can set, with sleep where the system counts it."""
    return time.monotonic() if _STEADY is None else time.clock_gettime(_STEADY)


class _Backup(NamedTuple):
    """A backup's name. Backups sort in the order in which they were made."""

    number: int
    """1 without one in the name. It grows where the time does not."""
    time: str
    path: Path


class BackupFolder:
    """A folder of backups with times in their names. The newest `most` of each kind stay.

    The newest are the backups made last, no matter what the machine's clock showed. Backups with times in the
    future are counted apart. They and the others do not displace each other. The seconds since 1970 come from
    `today`, the seconds of a clock that nobody can set from `clock`.
    """

    def __init__(
        self,
        path: Path,
        most: int,
        today: Callable[[], float] = time.time,
        clock: Callable[[], float] = steady_seconds,
    ) -> None:
        self.path = path
        self._most = most
        self._today = today
        self._clock = clock
        self._started = today() - clock()

    def elsewhere(self, path: Path) -> BackupFolder:
        """Return another folder with the same limit. It knows how far the machine's clock has jumped."""
        other = BackupFolder(path, self._most, self._today, self._clock)
        other._started = self._started
        return other

    def add(self, staged: Path, kind: str = "", *, prunes: bool = True) -> Path:
        """Move a complete backup here, and delete the oldest of its kind. Raises CopyFailed."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CopyFailed(f"{self.path} is not writable: {error.strerror}") from error
        publish(staged, target := self._free_name(kind))
        present = self._present()
        backups = self._backups(kind)
        ahead = [each for each in backups if each.time > present]
        if ahead:
            _log.warning(
                "backups in %s with times in the future, or after a jump of this machine's clock: %d, up to %s. "
                "They and the other backups do not displace each other",
                self.path,
                len(ahead),
                max(each.time for each in ahead),
            )
        others = [each for each in backups if each.time <= present]
        for _, _, path in (*ahead[: -self._most], *others[: -self._most]) if prunes else ():
            if path != target:
                with contextlib.suppress(OSError):
                    path.unlink()
        return target

    def _present(self) -> str:
        """Return the latest time that a right clock can have given to a backup.

        After a jump either side may be right. The earlier one separates the backups from before and after it.
        """
        return time_name(min(self._today(), self._started + self._clock()) + AHEAD_SECONDS)

    def _free_name(self, kind: str) -> Path:
        now, number = time_name(self._today()), 1
        if backups := self._backups(kind):
            number, latest, _ = backups[-1]
            number += now <= latest
        while (
            path := self.path / f"fallline-{kind}{now}{f'-{number}' if number > 1 else ''}{SUFFIX}"
        ).exists():
            number += 1
        return path

    def backups(self, kind: str = "") -> list[Path]:
        """Return the backups of this kind in the order in which they were made."""
        return [path for _, _, path in self._backups(kind)]

    def _backups(self, kind: str) -> list[_Backup]:
        name = re.compile(rf"fallline-{kind}(\d{{8}}T\d{{6}}Z)(?:-(\d+))?{re.escape(SUFFIX)}")
        try:
            matches = [(match, path) for path in self.path.iterdir() if (match := name.fullmatch(path.name))]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(_Backup(int(match[2] or 1), match[1], path) for match, path in matches)

    def seconds_since_last(self) -> float | None:
        """Return how far the nearest backup is from now on the machine's clock, which may jump; None without one.

        A backup that is dated after one made later is left out: its time is from a wrong clock.
        """
        now, later, nearest = self._today(), math.inf, None
        for path in reversed(self.backups()):
            if (at := path.stat().st_mtime) <= later:
                later = at
                nearest = abs(now - at) if nearest is None else min(nearest, abs(now - at))
        return nearest
