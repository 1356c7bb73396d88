"""The server of the chaos test on a slow disk, or a mutant to catch.

python server.py MUTANT serve --port 0 ...
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fallline import cli
from fallline.execution.in_process import Delivery, DeliveryQueue
from fallline.services.command_runner import Disconnected, KeyedCommands, SharedTask
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary.journal import Json, Receipt, Record
from support.planting import replace

COMMIT_SECONDS = 0.03
"""Shortest duration of a commit, so that kills interrupt many of them."""


def slow_disk() -> None:
    write = SqliteStore.write

    def slowly(self: SqliteStore, records: Sequence[Record]) -> None:
        time.sleep(COMMIT_SECONDS)
        write(self, records)

    replace(SqliteStore, write=slowly)


def hasty() -> None:
    """Acknowledge before the commit."""
    add = DeliveryQueue.add

    def at_once(self: DeliveryQueue, deliveries: list[Delivery], ticket: object | None = None) -> None:
        add(self, deliveries)

    replace(DeliveryQueue, add=at_once)


def forgetful() -> None:
    """Run repeated commands again."""

    async def once(
        self: KeyedCommands,
        key: str,
        content: object,
        do: Callable[[Receipt | None], SharedTask[Json]],
        disconnected: Disconnected | None = None,
    ) -> Json:
        return await do(None).wait(disconnected)

    replace(KeyedCommands, once=once)


MUTANTS: Mapping[str, Callable[[], None]] = {"none": lambda: None, "hasty": hasty, "forgetful": forgetful}

if __name__ == "__main__":
    slow_disk()
    MUTANTS[sys.argv[1]]()
    sys.exit(cli.main(sys.argv[2:]))
