"""The sweep over what nobody uses: what plays unwatched is paused, and what is unused for long is deleted.

Owns when, and that use which was only looking is stored. Must not know how an experiment is opened or closed, or who
used it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from fallline.services.audience import Audience
from fallline.services.keeping import Keeper
from fallline.services.library import Library
from fallline.services.openings import Openings
from fallline.services.owners import Owners
from fallline.services.register import Register
from fallline.storage.interface import MARKED_SECONDS
from fallline.vocabulary.errors import Unavailable

SWEEP_SECONDS = 5.0

NOTED_SECONDS = MARKED_SECONDS
"""That an experiment is looked at, and not only changed, is stored this often."""

BATCH = 10
"""So many experiments are deleted at once, so that nobody waits long for the store."""


class Idling:
    """Pauses what was unused for `idle_seconds`, and deletes after `keep_seconds`. `clock` gives seconds."""

    def __init__(
        self,
        register: Register,
        openings: Openings,
        audience: Audience,
        keeper: Keeper,
        library: Library,
        owners: Owners,
        clock: Callable[[], float],
        *,
        idle_seconds: float,
        keep_seconds: float,
    ) -> None:
        self._register = register
        self._openings = openings
        self._audience = audience
        self._keeper = keeper
        self._library = library
        self._owners = owners
        self._clock = clock
        self.idle_seconds = idle_seconds
        self.keep_seconds = keep_seconds
        self._marked = clock()

    @property
    def sweep_seconds(self) -> float:
        """How often to look."""
        return min(SWEEP_SECONDS, max(self.idle_seconds / 4, 0.05))

    async def sweep(self) -> None:
        """Look at all experiments once."""
        self._owners.look_again()
        await self.pause_idle()
        with contextlib.suppress(Unavailable):  # read-only: later
            await self.delete_unused()
            await self._note_use()
            await self._mark()

    async def pause_idle(self) -> None:
        """Pause what nobody has watched or asked about for the idle time."""
        now = self._clock()
        for id, entry in list(self._register.entries.items()):
            if self._audience.watchers(id):
                self._register.touch(entry)
            elif not entry.swept and now - entry.seen >= self.idle_seconds:
                entry.swept = True
                if entry.opening is None:
                    entry.was_left = True
                elif entry.opening.done.done():
                    await self._openings.pause(id)

    async def delete_unused(self) -> None:
        """Delete what nobody has used for so long that it is not kept any more, a few at a time."""
        entries = self._register.entries
        limit = self._keeper.time.now() - self.keep_seconds
        unused = [id for id, entry in entries.items() if entry.used < limit]
        for start in range(0, len(unused), BATCH):
            # Meanwhile somebody may have used one of them again, or deleted it.
            batch = [id for id in unused[start : start + BATCH] if id in entries and entries[id].used < limit]
            await self._keeper.forget(batch)
            for id in batch:
                self._openings.forget(id)
        await self._library.delete_unused(self._register.materials_in_use, limit)

    async def _note_use(self) -> None:
        """Store when experiments were used last, where that is not stored with what was done to them."""
        entries = self._register.entries
        late = {id: entry.used for id, entry in entries.items() if entry.used - entry.noted >= NOTED_SECONDS}
        if late:
            await self._keeper.touch(late)
            for id, used in late.items():
                if (entry := entries.get(id)) is not None:
                    entry.noted = used

    async def _mark(self) -> None:
        """Store how much time has been seen, so that a crash loses little of it."""
        self._keeper.time.check_clock()
        if self._clock() - self._marked >= MARKED_SECONDS:
            await self._keeper.mark()
            self._marked = self._clock()
