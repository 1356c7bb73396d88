"""The tables that people have sent: kept in memory by an unguessable id, bounded in number and bytes.

The one that nobody has used for longest makes room for a new one; those that experiments were made of stay. Must not
know how a table is read from a CSV, or who asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

from fallline.engine.tabular import Table
from fallline.services.capabilities import new_id
from fallline.vocabulary.errors import NotFound, Unavailable

MOST_TABLES = 500
MOST_BYTES = 64 * 1024 * 1024
"""Of all tables together; the largest takes about 1.4 MB."""


class Tables:
    """Tables by id, the one that was asked for last at the end."""

    def __init__(self, most: int = MOST_TABLES, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._tables: OrderedDict[str, Table] = OrderedDict()

    def keep(self, table: Table, used: Collection[str]) -> str:
        """Keep a table; its id, which is the right to read it. `used` are the ids of those that must stay.

        Raises Unavailable, and lets none go, where those leave no room.
        """
        going, left, size = [], len(self._tables), sum(each.size for each in self._tables.values())
        for id, each in self._tables.items():
            if left < self._most and size + table.size <= self._most_bytes:
                break
            if id not in used:
                going.append(id)
                left, size = left - 1, size - each.size
        if left >= self._most or size + table.size > self._most_bytes:
            raise Unavailable("all the room that this server has for tables is in use", retry_after=60)
        for id in going:
            del self._tables[id]
        id = new_id()
        self._tables[id] = table
        return id

    def read(self, id: str) -> Table:
        """The table of that id, which counts as used now. Raises NotFound."""
        if id not in self._tables:
            raise NotFound("no table of that id: it may have made room for others, or the server restarted")
        self._tables.move_to_end(id)
        return self._tables[id]
