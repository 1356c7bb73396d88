"""Bytes on the disk: how much all experiments and uploads may take, and how much of it a share.

Nobody's work is deleted for somebody else, so a share may hold as much as it leaves free. The last part of the disk
belongs to shares that hold less. Clients make keys, so a key alone gives no share. Data that an owner with a line
has created counts to the owner for good; all else counts to the address that created it. Owns these sums.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from fallline.services.registry import Entry, Owners, Registry
from fallline.services.store_thread import StoreThread
from fallline.services.uploads import Uploads
from fallline.vocabulary.errors import StorageFull

SMALLEST_PART = 1 / 32
"""Part of all bytes that every share may hold while there are any."""

KEPT_PART = 1 / 16
"""Part of all bytes that only shares within theirs may use."""

PART_OF_FREE = 1 / 2
"""Part of the free disk that the store may use without a setting: backups and others need the rest."""

COUNT_SECONDS = 1.0
"""How long the sums by share are used."""

RETRY_SECONDS = 60.0


class Room:
    """Checks what may be stored. `most` is the limit in bytes; None takes it from the free disk at the start."""

    def __init__(
        self,
        registry: Registry,
        owners: Owners,
        uploads: Uploads,
        store: StoreThread,
        clock: Callable[[], float],
        most: float | None,
    ) -> None:
        self._registry = registry
        self._owners = owners
        self._uploads = uploads
        self._store = store
        self._clock = clock
        self._setting = most
        self._most = math.inf
        self.plenty = math.inf
        """Stored bytes up to which nothing needs to be checked: no share holds more than it leaves."""
        self._sums = Counter[str]()
        self._counted_at = -math.inf

    async def begin(self) -> None:
        """Count the stored data, and set the limit."""
        if self._store.is_durable:
            await self._store.sizes()
            free = self._store.disk_use()[1] or math.inf  # unknown
            self.limit(self.used + PART_OF_FREE * free if self._setting is None else self._setting)

    def limit(self, most: float) -> None:
        """Set the limit in bytes."""
        self._most, self.plenty = most, most / 2

    @property
    def used(self) -> int:
        """The stored bytes of all experiments and uploads."""
        return self._store.stored_bytes + self._uploads.bytes

    def check_new(self, owner: bytes | None, address: str | None, need: int = 0) -> None:
        """Raise StorageFull unless a caller may store something new of so many bytes."""
        share = self._owners.share_for(owner, address, self._clock())
        self._check(lambda: share, need, is_new=True)

    def check_more(self, entry: Entry) -> None:
        """Raise StorageFull unless an experiment may grow."""
        self._check(lambda: self._share_of(entry, self._clock()), 0, is_new=False)

    def _check(self, share: Callable[[], str], need: int, *, is_new: bool) -> None:
        used = self.used + need
        if used <= self.plenty:
            return
        most = self._most
        free = most - used
        if free <= 0:
            raise StorageFull("all experiments and uploads", used, most, RETRY_SECONDS, is_whole=True)
        own, part = self._sum_of(share()) + need, max(free, SMALLEST_PART * most)
        if own > part and (is_new or free < KEPT_PART * most):
            raise StorageFull("your experiments", own, part, RETRY_SECONDS)

    def _sum_of(self, share: str) -> int:
        now = self._clock()
        if now - self._counted_at >= COUNT_SECONDS:
            self._sums.clear()
            for id, entry in self._registry.entries.items():
                self._sums[self._share_of(entry, now)] += self._store.size_of(id)
            self._counted_at = now
        return self._sums[share]

    def _share_of(self, entry: Entry, now: float) -> str:
        had_line = entry.address is None or entry.acknowledged > -math.inf
        if entry.owner is not None and had_line:
            return f"owner:{entry.owner.hex()}"
        return self._owners.share_of(entry, now)
