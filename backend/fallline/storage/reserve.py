"""A file that reserves disk space for deletions on a full disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAME = "fallline.reserve"

ROOM_BYTES, ROOM_SHARE = 4 << 20, 1 / 8
"""Bytes for the next write, and their largest share of a small disk."""

TIMES = 2
"""Size of the reserve in rooms: one for the log of a deletion, one for the log before it."""


def room_on(folder: Path) -> int:
    """Return the bytes that must be free on this folder's disk before the next write."""
    return int(min(ROOM_BYTES, ROOM_SHARE * shutil.disk_usage(folder).total))


class Reserve:
    """The reserve file of a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def fill(self) -> bool:
        """Allocate the reserve. Return whether that succeeded."""
        try:
            room = TIMES * room_on(self.path.parent)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        try:
            if os.fstat(file).st_size != room:
                os.ftruncate(file, 0)
                _allocate(file, room)
            return True
        except OSError:
            os.ftruncate(file, 0)
            return False
        finally:
            os.close(file)

    def release(self) -> bool:
        """Free the reserve. Return whether there was any."""
        try:
            size = self.path.stat().st_size
            os.truncate(self.path, 0)
        except OSError:
            return False
        return size > 0


def _allocate(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.pwrite(file, b"\xff" * size, 0)
