"""A server whose backups come to no end, or a mutant to catch.

python backup_server.py MUTANT serve --port 0 ...
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fallline import cli
from fallline.storage import backups
from fallline.storage.sqlite import SqliteStore
from support.planting import replace
from support.stored import sum_again

CHUNK_SECONDS = 0.02


def endless() -> None:
    """Copy a page and never come to an end, so that a kill comes in the middle."""
    copy = SqliteStore.copy_to

    def endlessly(self: SqliteStore, target: Path, between: Callable[[], None]) -> None:
        def wait() -> None:
            while True:
                time.sleep(CHUNK_SECONDS)
                between()

        copy(self, target, wait)

    replace(backups, CHUNK_PAGES=1)
    replace(SqliteStore, copy_to=endlessly)


def without_log() -> None:
    """Copy the file beside its log, as a file manager does."""

    def copy_file(self: SqliteStore, target: Path, between: Callable[[], None]) -> None:
        shutil.copyfile(self.path, target)
        backups._close_session(target)

    replace(SqliteStore, copy_to=copy_file)


def short() -> None:
    """Leave out the last facts of each experiment, with right checksums."""
    copy = SqliteStore.copy_to

    def copy_less(self: SqliteStore, target: Path, between: Callable[[], None]) -> None:
        copy(self, target, between)
        with closing(sqlite3.connect(target)) as connection, connection:
            connection.execute("UPDATE experiment SET facts = 2")
            connection.execute(
                "DELETE FROM entry WHERE number >= (SELECT facts FROM experiment WHERE id = entry.experiment)"
            )
        sum_again(target.parent)

    replace(SqliteStore, copy_to=copy_less)


MUTANTS: Mapping[str, Callable[[], None]] = {
    "none": lambda: None,
    "endless": endless,
    "without_log": without_log,
    "short": short,
}

if __name__ == "__main__":
    MUTANTS[sys.argv[1]]()
    sys.exit(cli.main(sys.argv[2:]))
