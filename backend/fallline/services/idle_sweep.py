"""The idle sweep: it pauses unwatched experiments and deletes unused ones.

Owns the schedule, and stores the time of use where only reading happened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from fallline.realtime.hub import Hub
from fallline.services.deletions import Deletions
from fallline.services.experiment_loader import ExperimentLoader
from fallline.services.registry import Owners, Registry
from fallline.services.store_thread import StoreThread
from fallline.services.uploads import Uploads
from fallline.storage.interface import MARKED_SECONDS
from fallline.vocabulary.errors import Unavailable

SWEEP_SECONDS = 5.0

STORED_USE_SECONDS = MARKED_SECONDS
"""How often the use of an experiment that is only read is stored."""

BATCH = 10
"""Experiments deleted at once, so that nobody waits long for the store."""


class IdleSweep:
    """Pauses experiments after `idle_seconds` and deletes them after `keep_seconds`."""

    def __init__(
        self,
        registry: Registry,
        loader: ExperimentLoader,
        deletions: Deletions,
        subscribers: Hub,
        store: StoreThread,
        uploads: Uploads,
        owners: Owners,
        clock: Callable[[], float],
        *,
        idle_seconds: float,
        keep_seconds: float,
    ) -> None:
        self._registry = registry
        self._loader = loader
        self._deletions = deletions
        self._subscribers = subscribers
        self._store = store
        self._uploads = uploads
        self._owners = owners
        self._clock = clock
        self.idle_seconds = idle_seconds
        self.keep_seconds = keep_seconds
        self._marked = clock()

    @property
    def sweep_seconds(self) -> float:
        """Seconds between two sweeps."""
        return min(SWEEP_SECONDS, max(self.idle_seconds / 4, 0.05))

    async def sweep(self) -> None:
        """Check all experiments once."""
        self._owners.update_shares()
        await self.pause_idle()
        with contextlib.suppress(Unavailable):  # read-only: the next sweep tries again
            await self._deletions.delete_expired()
            await self.delete_unused()
            await self._store_use()
            await self._mark()

    async def pause_idle(self) -> None:
        """Pause experiments without watchers that were not used within the idle time."""
        now = self._clock()
        for id, entry in list(self._registry.entries.items()):
            if self._subscribers.watchers(id):
                self._registry.touch(entry)
            elif not entry.swept and now - entry.last_use >= self.idle_seconds:
                entry.swept = True
                if entry.live is None:
                    entry.opens_paused = True
                elif entry.live.ready.done():
                    await self._loader.pause(id)

    async def delete_unused(self) -> None:
        """Delete experiments and uploads unused for `keep_seconds`, in batches."""
        entries = self._registry.entries
        limit = self._store.age.now() - self.keep_seconds
        unused = [id for id, entry in entries.items() if entry.used < limit]
        for start in range(0, len(unused), BATCH):
            # Others may have been used or deleted while the last batch was deleted.
            batch = [id for id in unused[start : start + BATCH] if id in entries and entries[id].used < limit]
            await self._store.delete(batch)
            for id in batch:
                self._loader.forget(id)
        await self._uploads.delete_unused(self._registry.upload_ids_in_use, limit)

    async def _store_use(self) -> None:
        """Store the last use of experiments where no stored change implies it."""
        entries = self._registry.entries
        unstored = {
            id: entry.used
            for id, entry in entries.items()
            if entry.used - entry.stored_use >= STORED_USE_SECONDS
        }
        if unstored:
            await self._store.touch(unstored)
            for id, used in unstored.items():
                if (entry := entries.get(id)) is not None:
                    entry.stored_use = used

    async def _mark(self) -> None:
        """Store the age clock, so that a crash loses little of it."""
        self._store.age.check_clock()
        if self._clock() - self._marked >= MARKED_SECONDS:
            await self._store.mark()
            self._marked = self._clock()
