"""The tables that people have sent: stored as they came, and those used lately ready in memory.

Owns how much is kept, and which one goes to make room: those that experiments were made of stay. Must not know how a
table is read from a CSV, or who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from fallline.engine.tabular import Table, read_table
from fallline.services.capabilities import new_id
from fallline.services.keeping import Keeper
from fallline.services.tables import Tables, leaving
from fallline.storage.interface import KnownTable
from fallline.vocabulary.errors import NotFound

MOST_STORED = 10_000
MOST_STORED_BYTES = 1 << 30

READ_AT_ONCE = 2
"""Tables read at the same time: each takes some 30 MB and a quarter of a second of one core."""

BATCH = 10


class Library:
    """Tables by an unguessable id, which is the right to read one. Where nothing is stored for good, memory is all."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._ready = Tables()
        self._stored: dict[str, KnownTable] = {}
        self._reading = asyncio.Semaphore(READ_AT_ONCE)

    async def take_in(self) -> None:
        """Learn which tables are stored."""
        if self._keeper.is_durable:
            found = await self._keeper.tables()
            self._stored = {each.id: each for each in sorted(found, key=lambda each: each.since)}

    async def add(self, body: bytes, used: Collection[str]) -> tuple[str, Table]:
        """A new table of a CSV, stored when this returns, and its id. `used` are the ids of those that must stay.

        Raises UnusableTable or TooExpensive for what is no table, ReadOnly, and Unavailable where there is no room.
        """
        table, id = await self._read(body), new_id()
        if not self._keeper.is_durable:
            self._ready.keep(id, table, used)
            return id, table
        sizes = {each.id: each.size for each in self._stored.values()}
        await self._forget(leaving(sizes, len(body), used, MOST_STORED, MOST_STORED_BYTES))
        self._stored[id] = KnownTable(id, len(body), self._keeper.today())
        try:
            await self._keeper.keep_table(id, body)
        except BaseException:
            self._stored.pop(id, None)
            raise
        self._ready.keep(id, table, ())
        return id, table

    async def read(self, id: str) -> Table:
        """The table of that id. Raises NotFound."""
        if (table := self._ready.find(id)) is not None:
            return table
        if id not in self._stored:
            raise NotFound("no table of that id: it may have made room for others, or the server restarted")
        self._stored[id] = self._stored.pop(id)  # the one used last stands last
        table = await self._read(await self._keeper.table(id))
        self._ready.keep(id, table, ())
        return table

    async def delete_unused(self, used: Collection[str], before: float) -> None:
        """Delete what came before that time (seconds since 1970) and that no experiment is made of."""
        old = [id for id, each in self._stored.items() if each.since < before and id not in used]
        for start in range(0, len(old), BATCH):
            await self._forget(old[start : start + BATCH])

    async def _forget(self, ids: list[str]) -> None:
        if ids:
            await self._keeper.forget_tables(ids)
            for id in ids:
                self._stored.pop(id, None)
                self._ready.drop(id)

    async def _read(self, body: bytes) -> Table:
        async with self._reading:
            return await asyncio.to_thread(read_table, body)
