"""The tables and parameters that people have sent: stored as they came, and those used lately ready in memory.

Owns how much is kept, and which one goes to make room: those that experiments were made of stay. Must not know how a
file is read, or who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from fallline.engine.saved_parameters import MAGIC, SavedParameters, read_parameters
from fallline.engine.tabular import Table, read_new_table, read_table
from fallline.services.capabilities import new_id
from fallline.services.keeping import Keeper
from fallline.services.tables import Sent, Tables, leaving
from fallline.storage.interface import TableInfo
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
        self._stored: dict[str, TableInfo] = {}
        self._reading = asyncio.Semaphore(READ_AT_ONCE)

    async def take_in(self) -> None:
        """Learn which tables are stored."""
        if self._keeper.is_durable:
            found = await self._keeper.tables()
            self._stored = {each.id: each for each in sorted(found, key=lambda each: each.since.seen)}

    async def add(self, body: bytes, used: Collection[str]) -> tuple[str, Table]:
        """A new table of a CSV, stored when this returns, and its id. `used` are the ids of those that must stay.

        Raises UnusableTable or TooExpensive for what is no table, ReadOnly, and Unavailable where there is no room.
        """
        table, id = await self._read(body, read_new_table), new_id()
        await self._keep(id, body, table, used)
        return id, table

    async def add_parameters(self, body: bytes, used: Collection[str]) -> tuple[str, SavedParameters]:
        """New parameters of an .npz, as `add` does with a table. Raises UnusableParameters for what is none."""
        parameters, id = await self._read_parameters(body), new_id()
        await self._keep(id, body, parameters, used)
        return id, parameters

    async def _keep(self, id: str, body: bytes, sent: Sent, used: Collection[str]) -> None:
        if not self._keeper.is_durable:
            self._ready.keep(id, sent, used)
            return
        sizes = {each.id: each.size for each in self._stored.values()}
        await self._forget(leaving(sizes, len(body), used, MOST_STORED, MOST_STORED_BYTES))
        self._stored[id] = TableInfo(id, len(body), self._keeper.time.moment())
        try:
            await self._keeper.keep_table(id, body)
        except BaseException:
            self._stored.pop(id, None)
            raise
        self._ready.keep(id, sent, ())

    async def read(self, id: str) -> Table:
        """The table of that id. Raises NotFound."""
        found = await self._found(id)
        if not isinstance(found, Table):
            raise NotFound("no table of that id: it names parameters")
        return found

    async def parameters(self, id: str) -> SavedParameters:
        """The parameters of that id. Raises NotFound."""
        found = await self._found(id)
        if not isinstance(found, SavedParameters):
            raise NotFound("no parameters of that id: it names a table")
        return found

    async def _found(self, id: str) -> Sent:
        if (sent := self._ready.find(id)) is not None:
            return sent
        if id not in self._stored:
            raise NotFound("nothing of that id: it may have made room for others, or the server restarted")
        self._stored[id] = self._stored.pop(id)  # the one used last stands last
        body = await self._keeper.table(id)
        # No text that could be a table begins as an archive does.
        sent = await (self._read_parameters(body) if body.startswith(MAGIC) else self._read(body))
        self._ready.keep(id, sent, ())
        return sent

    async def delete_unused(self, used: Collection[str], before: float) -> None:
        """Delete what came when less than `before` seconds had been seen, and that no experiment is made of."""
        old = [id for id, each in self._stored.items() if each.since.seen < before and id not in used]
        for start in range(0, len(old), BATCH):
            await self._forget(old[start : start + BATCH])

    async def _forget(self, ids: list[str]) -> None:
        if ids:
            await self._keeper.forget_tables(ids)
            for id in ids:
                self._stored.pop(id, None)
                self._ready.drop(id)

    async def _read_parameters(self, body: bytes) -> SavedParameters:
        async with self._reading:
            return await asyncio.to_thread(read_parameters, body)

    async def _read(self, body: bytes, read: Callable[[bytes], Table] = read_table) -> Table:
        async with self._reading:
            return await asyncio.to_thread(read, body)
