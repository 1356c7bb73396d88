"""Room on the disk that is held back, so that a full disk still lets people delete.

It is a file without content. Must not know who deletes, or how.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAME = "fallline.reserve"

ROOM_BYTES, ROOM_SHARE = 4 << 20, 1 / 8
"""Room for what is written next, and of a small disk the share that it takes at most."""

TIMES = 2
"""The reserve is so many times the room: for the log of a deletion, and for what the log before it adds to the file."""


def room_on(folder: Path) -> int:
    """Bytes that have to be free on this folder's disk before it is written to again."""
    return int(min(ROOM_BYTES, ROOM_SHARE * shutil.disk_usage(folder).total))


class Reserve:
    """The file that holds room in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def fill(self) -> bool:
        """Hold the room. Returns whether it is held."""
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
        """Give the room to whoever writes next. Returns whether there was any."""
        try:
            held = self.path.stat().st_size
            os.truncate(self.path, 0)
        except OSError:
            return False
        return held > 0


def _allocate(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.pwrite(file, b"\xff" * size, 0)
