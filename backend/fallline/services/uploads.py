"""Uploads of users: tables and parameters.

The files are stored as they came, the parsed ones are cached.

Owns the limits, and which uploads are deleted for new ones: never one that an experiment uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from fallline.engine.data.saved_parameters import MAGIC, SavedParameters, read_parameters
from fallline.engine.data.tabular import Table, read_new_table, read_table
from fallline.services.store_thread import StoreThread
from fallline.services.tokens import new_id
from fallline.services.upload_cache import Upload, UploadCache, choose_evictions
from fallline.storage.interface import TableInfo
from fallline.vocabulary.errors import NotFound

MOST_STORED = 10_000
MOST_STORED_BYTES = 1 << 30

PARSED_AT_ONCE = 2
"""Files parsed at the same time. Each takes some 30 MB and a quarter of a second of one core."""

BATCH = 10
"""Uploads deleted at once, so that nobody waits long for the store."""


class Uploads:
    """Uploads by id.

    An id cannot be guessed and gives the right to read. Without a data folder, only the cache.
    """

    def __init__(self, store: StoreThread) -> None:
        self._store = store
        self._cache = UploadCache()
        self._stored: dict[str, TableInfo] = {}
        self._parsing = asyncio.Semaphore(PARSED_AT_ONCE)

    async def load_index(self) -> None:
        """Read which uploads are stored."""
        if self._store.is_durable:
            stored = await self._store.tables()
            self._stored = {each.id: each for each in sorted(stored, key=lambda each: each.since.seen)}

    async def add_table(self, body: bytes, used: Collection[str]) -> tuple[str, Table]:
        """Parse and store a CSV; return its new id and the table.

        `used` are the ids of uploads that must stay.

        Raises UnusableTable or TooExpensive for an invalid file, ReadOnly, and Unavailable if the storage is full.
        """
        table, id = await self._parse_table(body, read_new_table), new_id()
        await self._add(id, body, table, used)
        return id, table

    async def add_parameters(self, body: bytes, used: Collection[str]) -> tuple[str, SavedParameters]:
        """Parse and store an .npz, as `add_table` does a CSV.

        Raises UnusableParameters for an invalid file.
        """
        parameters, id = await self._parse_parameters(body), new_id()
        await self._add(id, body, parameters, used)
        return id, parameters

    async def _add(self, id: str, body: bytes, upload: Upload, used: Collection[str]) -> None:
        if not self._store.is_durable:
            self._cache.add(id, upload, used)
            return
        sizes = {each.id: each.size for each in self._stored.values()}
        await self._delete(choose_evictions(sizes, len(body), used, MOST_STORED, MOST_STORED_BYTES))
        self._stored[id] = TableInfo(id, len(body), self._store.age.moment())
        try:
            await self._store.add_table(id, body)
        except BaseException:
            self._stored.pop(id, None)
            raise
        self._cache.add(id, upload, ())

    async def table(self, id: str) -> Table:
        """Return the table with this id. Raises NotFound."""
        upload = await self._find(id)
        if not isinstance(upload, Table):
            raise NotFound("no table has this id: it belongs to parameters")
        return upload

    async def parameters(self, id: str) -> SavedParameters:
        """Return the parameters with this id. Raises NotFound."""
        upload = await self._find(id)
        if not isinstance(upload, SavedParameters):
            raise NotFound("no parameters have this id: it belongs to a table")
        return upload

    async def _find(self, id: str) -> Upload:
        if (cached := self._cache.find(id)) is not None:
            return cached
        if id not in self._stored:
            raise NotFound("no upload has this id: it may have been deleted for newer ones or at a restart")
        self._stored[id] = self._stored.pop(id)  # the most recently used one comes last
        body = await self._store.table(id)
        # No CSV begins with the magic bytes of an archive.
        upload = await (self._parse_parameters(body) if body.startswith(MAGIC) else self._parse_table(body))
        self._cache.add(id, upload, ())
        return upload

    async def delete_unused(self, used: Collection[str], before: float) -> None:
        """Delete uploads from before this time on the age clock that no experiment uses."""
        old = [id for id, each in self._stored.items() if each.since.seen < before and id not in used]
        for start in range(0, len(old), BATCH):
            await self._delete(old[start : start + BATCH])

    async def _delete(self, ids: list[str]) -> None:
        if ids:
            await self._store.delete_tables(ids)
            for id in ids:
                self._stored.pop(id, None)
                self._cache.drop(id)

    async def _parse_parameters(self, body: bytes) -> SavedParameters:
        async with self._parsing:
            return await asyncio.to_thread(read_parameters, body)

    async def _parse_table(self, body: bytes, parse: Callable[[bytes], Table] = read_table) -> Table:
        async with self._parsing:
            return await asyncio.to_thread(parse, body)
