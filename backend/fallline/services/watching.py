"""Who watches which experiment: joins without a gap between the state and what follows it, and leaves.

Owns which opening of an experiment counts a watcher. Must not know tokens, sockets, or what a watcher does with what it
is offered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from fallline.execution.interface import Executor
from fallline.runs.experiment import Experiment
from fallline.runs.telling import Pieces
from fallline.services.audience import Audience, Watcher
from fallline.services.openings import Openings
from fallline.services.register import Opening, Register
from fallline.vocabulary.errors import NotFound, Unavailable
from fallline.vocabulary.journal import Json

MOST_PAST_BYTES = 64 * 1024 * 1024
"""What all watchers together may hold of pasts that they have not had yet, about."""

PARTS = 8
"""One watcher's past may have this part of what is free."""

LEAST_PAST_BYTES = 64 * 1024
"""The past of a watcher may have so much in any case."""


class Watching:
    """The watchers of open experiments, each in its seat."""

    def __init__(
        self,
        register: Register,
        openings: Openings,
        executor: Executor,
        audience: Audience,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._register = register
        self._openings = openings
        self._executor = executor
        self._audience = audience
        self._seats: dict[Watcher, Opening] = {}
        self._promised = 0
        """Bytes of pasts that are being read."""

    async def watch(self, id: str, watcher: Watcher, since: dict[str, dict[str, int]], buckets: int) -> Json:
        """Join the audience: the state now, the first pieces offered to `watcher`, and nothing lost in between."""
        opening = await self._openings.opened(id)
        room = self._past_room(watcher)
        watcher.question = (buckets, frozenset((run, *at.items()) for run, at in since.items()))
        fellow = self._audience.fellow(id, watcher.question)
        if fellow is not None:
            watcher.share(fellow)

        def look(experiment: Experiment, now: float) -> tuple[dict[str, Any], Pieces]:
            return experiment.state(), experiment.join(since, buckets if fellow is None else 0, now, room)

        def join(found: tuple[dict[str, Any], Pieces]) -> None:
            if fellow is None:
                for run, (header, piece) in found[1].items():
                    watcher.offer(run, header, piece)
            self._audience.join(id, watcher)
            self._seats[watcher] = opening

        self._promised += room
        opening.joining += 1
        opening.watched_at = self._clock()
        joining = asyncio.ensure_future(self._executor.ask(id, look, then=join, reads=True))
        try:
            state, _ = await asyncio.shield(joining)
        except asyncio.CancelledError:
            # The reader hung up while joining: let it join, then leave, so that the count of watchers stays true.
            await asyncio.wait([joining])
            await self.unwatch(id, watcher)
            raise
        except BaseException:
            self._audience.leave(id, watcher)
            raise
        finally:
            self._promised -= room
            opening.joining -= 1
        return state

    def _past_room(self, watcher: Watcher) -> int:
        """Bytes that the past of one more watcher may have: where others hold much, it comes in wider buckets."""
        free = MOST_PAST_BYTES - self._audience.past_bytes - self._promised
        return max(min(watcher.past_room, free // PARTS), LEAST_PAST_BYTES)

    async def unwatch(self, id: str, watcher: Watcher) -> None:
        """Leave the audience."""
        self._audience.leave(id, watcher)
        seat = self._seats.pop(watcher, None)
        entry = self._register.entries.get(id)
        if entry is None:
            return
        self._register.touch(entry)
        if (
            seat is not None and entry.opening is seat
        ):  # else it was closed meanwhile, and knows nobody any more
            with contextlib.suppress(NotFound, Unavailable):  # deleted meanwhile, or stopping
                await self._executor.ask(id, lambda experiment, _: experiment.leave())
