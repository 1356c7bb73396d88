"""Uploads of users, tables and parameters: stored as they came, cached as they were parsed.

Owns the limits, and which uploads are deleted for new ones (never one that an experiment uses). Owns how the ids of
an experiment's uploads share one column of the store.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from fallline.engine.data.datasets.own import CSV
from fallline.engine.data.saved_parameters import MAGIC, SavedParameters, read_parameters
from fallline.engine.data.tabular.table import Table, read_table
from fallline.execution.interface import Executor
from fallline.services.command_runner import SharedTask
from fallline.services.fair_slots import (
    QUANTUM,
    RETRY_SECONDS,
    FairSlots,
    SlotsBesideTraining,
    WaitingRequests,
)
from fallline.services.store_thread import StoreThread
from fallline.vocabulary.errors import Damaged, NotFound, Unavailable, invalid
from fallline.vocabulary.journal import TableInfo
from fallline.vocabulary.recipe import Recipe

Upload = Table | SavedParameters
"""A table from a CSV, or parameters from an .npz."""

U = TypeVar("U", bound=Upload)

MOST_TABLES = 500
MOST_BYTES = 64 * 1024 * 1024
"""Limit on all uploads together, in bytes. The largest takes about 1.4 MB."""

MOST_STORED = 10_000
MOST_STORED_BYTES = 1 << 30

PARSED_AT_ONCE = 2
"""Files parsed at the same time, one for each share. Each takes some 30 MB and a quarter of a second of one core."""

RECEIVED_AT_ONCE = 64
"""Bodies of uploads received at the same time. Each has up to 1 MiB."""

WAIT_SECONDS = 20.0
"""How long an upload waits until its body is received."""

BATCH = 10
"""Uploads deleted at once, so that nobody waits long for the store."""


def new_id() -> str:
    """Return an id, which gives the right to read: 128 random bits."""
    return secrets.token_urlsafe(16)


def choose_evictions(
    sizes: Mapping[str, int], size: int, used: Collection[str], most: int, most_bytes: int
) -> list[str]:
    """Choose uploads to evict, the least recently used first. Raises Unavailable."""
    chosen, count, total = [], len(sizes), sum(sizes.values())
    for id, each in sizes.items():
        if count < most and total + size <= most_bytes:
            break
        if id not in used:
            chosen.append(id)
            count, total = count - 1, total - each
    if count >= most or total + size > most_bytes:
        raise Unavailable("this server's storage for uploads is full: retry later", retry_after=60)
    return chosen


class UploadCache:
    """Uploads by id, the most recently used last."""

    def __init__(self, most: int = MOST_TABLES, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._uploads: OrderedDict[str, Upload] = OrderedDict()

    def add(self, id: str, upload: Upload, used: Collection[str]) -> None:
        """Add an upload; `used` ones stay. Raises Unavailable, and evicts nothing."""
        sizes = {each: other.size for each, other in self._uploads.items()}
        for evicted in choose_evictions(sizes, upload.size, used, self._most, self._most_bytes):
            del self._uploads[evicted]
        self._uploads[id] = upload

    def find(self, id: str) -> Upload | None:
        """Return the upload and record its use; None if it is not here."""
        if id in self._uploads:
            self._uploads.move_to_end(id)
        return self._uploads.get(id)

    def drop(self, id: str) -> None:
        self._uploads.pop(id, None)


class Arrivals:
    """Places for the bodies of uploads. A share has at most half of the places that the others leave, or one."""

    def __init__(self) -> None:
        self._slots = FairSlots(RECEIVED_AT_ONCE)
        self._waiting = WaitingRequests("uploads")

    @asynccontextmanager
    async def one(self, share: str) -> AsyncIterator[None]:
        """Hold a place during the block. Raises TooManyRequests and Unavailable."""
        with self._waiting.one(share):
            full = Unavailable("too many uploads arrive: retry later", RETRY_SECONDS)
            await self._slots.acquire_within(WAIT_SECONDS, share, full)
        try:
            yield
        finally:
            self._slots.release(share, QUANTUM)  # every upload counts alike: a slow network is no cost


class _Parse:
    """Parses one stored upload, once for all shares that need it at the same time. Each asks in its own turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parsed: Upload | None = None

    def __call__(self, read: Callable[[bytes], Upload], body: bytes) -> Upload:
        with self._lock:
            if self._parsed is None:
                self._parsed = read(body)
            return self._parsed


class Uploads:
    """Uploads by id.

    An id cannot be guessed and gives the right to read. Without a data folder, only the cache.
    """

    def __init__(self, store: StoreThread, executor: Executor) -> None:
        self._store = store
        self._cache = UploadCache()
        self._stored: dict[str, TableInfo] = {}
        self.bytes = 0
        """The bytes of all stored uploads, as they were sent."""
        self._parsing = SlotsBesideTraining(executor, PARSED_AT_ONCE)
        self._waiting = WaitingRequests("tables and parameters")
        self._parses: WeakValueDictionary[str, _Parse] = WeakValueDictionary()
        self._loading: dict[tuple[str, str], SharedTask[Upload]] = {}
        """Stored uploads that are being read and parsed, by id and share."""
        self.unused: dict[str, str] = {}
        """The shares that sent uploads which no experiment uses yet, by the uploads' ids."""

    async def load_index(self) -> None:
        if self._store.is_durable:
            stored = await self._store.tables()
            self._stored = {each.id: each for each in sorted(stored, key=lambda each: each.since.seen)}
            self.bytes = sum(each.size for each in self._stored.values())

    async def add(
        self, share: str, read: Callable[[bytes], U], body: bytes, used: Collection[str]
    ) -> tuple[str, U]:
        """Parse and store a file of a share; return its new id and the upload.

        `used` are the ids of uploads that must stay. Raises what `read` raises, ReadOnly, TooManyRequests, and
        Unavailable if the storage is full.
        """
        with self._waiting.one(share):
            upload, id = await self._parsing.run(share, partial(read, body)), new_id()
        if not self._store.is_durable:
            self._cache.add(id, upload, used)
            return id, upload
        sizes = {each.id: each.size for each in self._stored.values()}
        await self._delete(choose_evictions(sizes, len(body), used, MOST_STORED, MOST_STORED_BYTES))
        self._stored[id] = TableInfo(id, len(body), self._store.age.moment())
        self.bytes += len(body)
        try:
            await self._store.add_table(id, body)
        except BaseException:
            self._remove(id)
            raise
        self._cache.add(id, upload, ())
        return id, upload

    def note_unused(self, id: str, share: str) -> None:
        """Record which share sent a new upload, up to a limit."""
        self.unused[id] = share
        if len(self.unused) > MOST_STORED:
            del self.unused[next(iter(self.unused))]

    async def table(self, id: str, share: str) -> Table:
        """Return the table with this id, for a share that pays for parsing. Raises NotFound and TooManyRequests."""
        upload = await self._find(id, share)
        if not isinstance(upload, Table):
            raise NotFound("no table has this id: it belongs to parameters")
        return upload

    async def parameters(self, id: str, share: str) -> SavedParameters:
        """Return the parameters with this id, as `table` does."""
        upload = await self._find(id, share)
        if not isinstance(upload, SavedParameters):
            raise NotFound("no parameters have this id: it belongs to a table")
        return upload

    async def _find(self, id: str, share: str) -> Upload:
        if (cached := self._cache.find(id)) is not None:
            return cached
        if id not in self._stored:
            raise NotFound("no upload has this id: it may have been deleted for newer ones or at a restart")
        self._stored[id] = self._stored.pop(id)  # the most recently used one comes last
        with self._waiting.one(share):
            return await self._shared_load(id, share).wait()

    def _shared_load(self, id: str, share: str) -> SharedTask[Upload]:
        """Return the task that reads and parses a stored upload for all requests of a share."""
        key = id, share
        if key in self._loading:
            return self._loading[key]

        def done(result: asyncio.Future[Upload]) -> None:
            del self._loading[key]
            _ = result.cancelled() or result.exception()  # retrieved, as there may be no caller any more

        task = self._loading[key] = SharedTask(self._load(id, share))
        task.result.add_done_callback(done)
        return task

    async def _load(self, id: str, share: str) -> Upload:
        parse = self._parses.setdefault(id, _Parse())
        body = await self._store.table(id)
        # No CSV begins with the magic bytes of an archive.
        read: Callable[[bytes], Upload] = read_parameters if body.startswith(MAGIC) else read_table
        upload = await self._parsing.run(share, partial(parse, read, body))
        if id in self._stored:  # else deleted meanwhile
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
                self._remove(id)
                self._cache.drop(id)
                self.unused.pop(id, None)

    def _remove(self, id: str) -> None:
        if (info := self._stored.pop(id, None)) is not None:
            self.bytes -= info.size


@dataclass(frozen=True, slots=True)
class ExperimentUploads:
    """The parsed uploads of one experiment; None for one that it does not use."""

    table: Table | None
    start: SavedParameters | None


def upload_ids(recipe: Recipe) -> str | None:
    """Return the ids as they are stored: "table parameters"."""
    table, start = _table_of(recipe), recipe.network.start
    return f"{table or ''} {start}" if start else table


def split_ids(stored: str | None) -> tuple[str, str]:
    """Return the stored ids of table and parameters, each empty if there is none."""
    table, _, start = (stored or "").partition(" ")
    return table, start


async def load_uploads(recipe: Recipe, uploads: Uploads, share: str) -> ExperimentUploads:
    """Return the uploads that a share's recipe names. Raises InvalidRequest for an unknown id, and TooManyRequests."""
    table_id, start_id = _table_of(recipe), recipe.network.start
    try:
        table = None if table_id is None else await uploads.table(table_id, share)
    except NotFound as error:
        raise invalid("/data/dataset", f"must be the id of a stored table: {error.detail}") from None
    try:
        start = None if start_id is None else await uploads.parameters(start_id, share)
    except NotFound as error:
        raise invalid("/network/start", f"must be the id of stored parameters: {error.detail}") from None
    return ExperimentUploads(table, start)


async def load_stored_uploads(stored: str | None, uploads: Uploads, share: str) -> ExperimentUploads:
    """Return the uploads of a share's stored experiment. Raises Damaged without them, and TooManyRequests."""
    table_id, start_id = split_ids(stored)
    try:
        return ExperimentUploads(
            await uploads.table(table_id, share) if table_id else None,
            await uploads.parameters(start_id, share) if start_id else None,
        )
    except NotFound:
        raise Damaged("the table or the parameters of this experiment cannot be read") from None


def _table_of(recipe: Recipe) -> str | None:
    return recipe.data.dataset if recipe.data.name == CSV else None
