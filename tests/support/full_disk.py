"""A server whose disk is full while a certain file exists.

python full_disk.py THE_FILE serve ...

SQLite's writes fail as on a full disk, without a separate disk and without root. `make fulldisk` uses a real disk.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from fallline import cli
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary.journal import Record

FULL = Path(sys.argv[1])
WRITE, TRY, DELETE = SqliteStore.write, SqliteStore.try_writing, SqliteStore.delete
SOME = 4096
"""Largest file size in bytes while full: less than the header and one page of SQLite's log."""

MOST = resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def squeeze() -> None:
    """Set the limit of file sizes. Python ignores the signal, so the write fails."""
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
