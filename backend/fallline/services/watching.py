"""Who watches which experiment: joins without a gap between the state and what follows it, and leaves.

Owns which opening of an experiment counts a watcher. Must not know tokens, sockets, or what a watcher does with what it
is offered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

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


Asked: TypeAlias = tuple[str, object]
"""An experiment, and which past of it."""


class _Party:
    """Watchers who join together."""

    joined: asyncio.Task[Json]

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []


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
        self._parties: dict[Asked, _Party] = {}
        """Those who are still to be joined, by what they asked for."""
        self._joining: dict[Asked, asyncio.Task[Json]] = {}
        """Those who are being joined."""

    async def watch(self, id: str, watcher: Watcher, since: dict[str, dict[str, int]], buckets: int) -> Json:
        """Join the audience: the state now, the first pieces offered to `watcher`, and nothing lost in between.

        Those who ask for the same meanwhile, as a class does that opens one page, join together: one look at the
        experiment answers them all.
        """
        watcher.history_key = (buckets, frozenset((run, *at.items()) for run, at in since.items()))
        asked = (id, watcher.history_key)
        party = self._parties.get(asked)
        if party is None:
            party = self._parties[asked] = _Party()
            party.joined = asyncio.ensure_future(self._join_together(asked, party, since, buckets))
        party.watchers.append(watcher)
        try:
            return await asyncio.shield(party.joined)
        except asyncio.CancelledError:
            # The reader hung up while joining: let it join, then leave, so that the count of watchers stays true.
            await asyncio.wait([party.joined])
            await self.unwatch(id, watcher)
            raise

    async def _join_together(
        self, asked: Asked, party: _Party, since: dict[str, dict[str, int]], buckets: int
    ) -> Json:
        while asked in self._joining:
            await asyncio.wait([self._joining[asked]])
        del self._parties[asked]  # who comes from now on is of the next party
        self._joining[asked] = party.joined
        try:
            return await self._join(asked, party.watchers, since, buckets)
        finally:
            del self._joining[asked]

    async def _join(
        self, asked: Asked, watchers: list[Watcher], since: dict[str, dict[str, int]], buckets: int
    ) -> Json:
        id, _ = asked
        opening = await self._openings.opened(id)
        room = min(map(self._past_limit, watchers))
        peer = self._audience.peer(*asked)

        def look(experiment: Experiment, now: float) -> tuple[dict[str, Any], Pieces]:
            past = buckets if peer is None else 0
            return experiment.state(), experiment.join(since, past, now, room, watchers=len(watchers))

        def join(found: tuple[dict[str, Any], Pieces]) -> None:
            with_past = peer
            for watcher in watchers:
                if with_past is not None:
                    watcher.share(with_past)
                else:
                    for run, (header, piece) in found[1].items():
                        watcher.add_history(run, header, piece)
                self._audience.join(id, watcher)
                with_past = with_past or self._audience.peer(*asked)
                self._seats[watcher] = opening

        self._promised += room
        opening.joining += 1
        opening.watched_at = self._clock()
        try:
            state, _ = await self._executor.ask(id, look, then=join, reads=True)
        except BaseException:
            for watcher in watchers:
                self._audience.leave(id, watcher)
            raise
        finally:
            self._promised -= room
            opening.joining -= 1
        return state

    def _past_limit(self, watcher: Watcher) -> int:
        """Bytes that the past of one more watcher may have: where others hold much, it comes in wider buckets."""
        free = MOST_PAST_BYTES - self._audience.past_bytes - self._promised
        return max(min(watcher.past_limit, free // PARTS), LEAST_PAST_BYTES)

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
