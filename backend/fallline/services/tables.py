"""What people sent, in memory, bounded in number and bytes: what nobody has used for longest makes room for new things.

Must not know how a file is read, where else it may be kept, or who asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping

from fallline.engine.saved_parameters import SavedParameters
from fallline.engine.tabular import Table
from fallline.vocabulary.errors import Unavailable

Sent = Table | SavedParameters
"""A table of a CSV, or parameters of an .npz."""

MOST_TABLES = 500
MOST_BYTES = 64 * 1024 * 1024
"""Of all tables together; the largest takes about 1.4 MB."""


def leaving(
    sizes: Mapping[str, int], size: int, used: Collection[str], most: int, most_bytes: int
) -> list[str]:
    """Which of the tables, the one used least recently first, make room for another of this size; `used` ones stay.

    Raises Unavailable where those that stay leave no room.
    """
    going, left, total = [], len(sizes), sum(sizes.values())
    for id, each in sizes.items():
        if left < most and total + size <= most_bytes:
            break
        if id not in used:
            going.append(id)
            left, total = left - 1, total - each
    if left >= most or total + size > most_bytes:
        raise Unavailable("all the room that this server has for tables is in use", retry_after=60)
    return going


class Tables:
    """Tables by id, the one that was asked for last at the end."""

    def __init__(self, most: int = MOST_TABLES, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._tables: OrderedDict[str, Sent] = OrderedDict()

    def keep(self, id: str, table: Sent, used: Collection[str]) -> None:
        """Keep a table. `used` are the ids of those that must stay.

        Raises Unavailable, and lets none go, where those leave no room.
        """
        sizes = {each: held.size for each, held in self._tables.items()}
        for going in leaving(sizes, table.size, used, self._most, self._most_bytes):
            del self._tables[going]
        self._tables[id] = table

    def find(self, id: str) -> Sent | None:
        """The table of that id, which counts as used now; None where it is not here."""
        if id in self._tables:
            self._tables.move_to_end(id)
        return self._tables.get(id)

    def drop(self, id: str) -> None:
        """Let a table go."""
        self._tables.pop(id, None)
