"""A server whose disk is full for as long as a file is there.

python full_disk.py THE_FILE serve ...
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fallline import cli
from fallline.storage.interface import Record, StoreUnwritable
from fallline.storage.sqlite import SqliteStore

FULL = Path(sys.argv[1])
WRITE, TRY = SqliteStore.write, SqliteStore.try_writing


def check() -> None:
    if FULL.exists():
        raise StoreUnwritable("the disk is full")


def write(self: SqliteStore, records: Sequence[Record]) -> None:
    check()
    WRITE(self, records)


def try_writing(self: SqliteStore) -> None:
    check()
    TRY(self)


if __name__ == "__main__":
    SqliteStore.write, SqliteStore.try_writing = write, try_writing  # type: ignore[method-assign]
    sys.exit(cli.main(sys.argv[2:]))
