"""A server whose disk is full for as long as a file is there: the kernel then refuses to make any file longer.

python full_disk.py THE_FILE serve ...

What SQLite meets is a write that fails, as on a disk without room, and needs no disk of its own and no right of root's.
`make fulldisk` has a real one.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from fallline import cli
from fallline.storage.interface import Record
from fallline.storage.sqlite import SqliteStore

FULL = Path(sys.argv[1])
WRITE, TRY, DELETE = SqliteStore.write, SqliteStore.try_writing, SqliteStore.delete
SOME = 4096
"""Bytes that may still be written at the beginning of a file: less than a page of SQLite's log and what leads it."""

MOST = resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def squeeze() -> None:
    """Python has the signal ignored that would end the process, so that the write fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (SOME if FULL.exists() else MOST, MOST))


def write(self: SqliteStore, records: Sequence[Record]) -> None:
    squeeze()
    WRITE(self, records)


def try_writing(self: SqliteStore) -> None:
    squeeze()
    TRY(self)


def delete(self: SqliteStore, ids: Sequence[str]) -> None:
    squeeze()
    DELETE(self, ids)


if __name__ == "__main__":
    squeeze()
    SqliteStore.write, SqliteStore.try_writing = write, try_writing  # type: ignore[method-assign]
    SqliteStore.delete = delete  # type: ignore[method-assign]
    sys.exit(cli.main(sys.argv[2:]))
