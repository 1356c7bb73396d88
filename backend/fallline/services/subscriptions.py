"""Watchers of experiments: they join and leave.

A watcher joins without a gap between the state and the frames that follow. Owns which live experiment counts a watcher.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeAlias

from fallline.execution.interface import Executor
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from fallline.runs.publishing import Pieces
from fallline.services.background import Background
from fallline.services.experiment_loader import ExperimentLoader
from fallline.services.registry import LiveExperiment, Registry
from fallline.vocabulary.errors import FalllineError, NotFound, Unavailable
from fallline.vocabulary.journal import Json

MOST_PAST_BYTES = 64 * 1024 * 1024
"""Limit on the histories that all watchers together have not received yet, about."""

PARTS = 8
"""The history for one watcher may use this part of the free bytes."""

LEAST_PAST_BYTES = 64 * 1024
"""The history for one watcher may always use this much."""


Question: TypeAlias = tuple[str, object]
"""An experiment, and the part of its history that a watcher needs."""


class _Group:
    """Watchers who join together."""

    joined: asyncio.Task[Json]

    def __init__(self) -> None:
        self.watchers: list[Outbox] = []


class Subscriptions:
    """The watchers of live experiments."""

    def __init__(
        self,
        registry: Registry,
        loader: ExperimentLoader,
        executor: Executor,
        subscribers: Hub,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._registry = registry
        self._loader = loader
        self._executor = executor
        self._subscribers = subscribers
        subscribers.limit_rate = self._limit_rate
        self._background = Background()
        self._watched: dict[Outbox, LiveExperiment] = {}
        self._reserved = 0
        """Bytes of histories that are being read."""
        self._groups: dict[Question, _Group] = {}
        """Watchers who will join next."""
        self._joining: dict[Question, asyncio.Task[Json]] = {}
        """Groups that are joining now."""

    async def watch(self, id: str, watcher: Outbox, since: dict[str, dict[str, int]], buckets: int) -> Json:
        """Subscribe: return the state, and give the first buckets to `watcher`.

        Nothing is lost in between. Watchers with the same question join together, as a class does that opens one page:
        one read of the experiment serves them all.
        """
        watcher.history_key = (buckets, frozenset((run, *at.items()) for run, at in since.items()))
        question = (id, watcher.history_key)
        group = self._groups.get(question)
        if group is None:
            group = self._groups[question] = _Group()
            group.joined = asyncio.ensure_future(self._join_together(question, group, since, buckets))
        group.watchers.append(watcher)
        try:
            return await asyncio.shield(group.joined)
        except asyncio.CancelledError:
            # The reader hung up while joining: let it join, then leave, so that the count of watchers stays true.
            await asyncio.wait([group.joined])
            await self.unwatch(id, watcher)
            raise

    async def _join_together(
        self, question: Question, group: _Group, since: dict[str, dict[str, int]], buckets: int
    ) -> Json:
        while question in self._joining:
            await asyncio.wait([self._joining[question]])
        del self._groups[question]  # later watchers form the next group
        self._joining[question] = group.joined
        try:
            return await self._join(question, group.watchers, since, buckets)
        finally:
            del self._joining[question]

    async def _join(
        self, question: Question, watchers: list[Outbox], since: dict[str, dict[str, int]], buckets: int
    ) -> Json:
        id, _ = question
        live = await self._loader.open(id)
        room = min(map(self._past_limit, watchers))

        async def read(past: int, rates: list[float]) -> Json:
            state, _ = await self._executor.ask(
                id,
                lambda one, now: (one.state(), one.join(since, past, now, room, rates=rates)),
                then=lambda result: self._start(question, live, watchers, result[1] if past else None),
                reads=True,
            )
            return state

        self._reserved += room
        live.joining += 1
        live.watched_at = self._clock()
        try:
            shares = self._subscribers.peer(*question) is not None
            state = await read(0 if shares else buckets, [watcher.fps for watcher in watchers])
            if watchers[0] not in self._watched:  # counted, but not started
                if self._registry.find(id).live is not live:
                    raise Unavailable("the experiment has just been closed: watch it again", retry_after=1)
                state = await read(buckets, [])
        except BaseException:
            for watcher in watchers:
                self._subscribers.leave(id, watcher)
            raise
        finally:
            self._reserved -= room
            live.joining -= 1
        return state

    def _start(
        self, question: Question, live: LiveExperiment, watchers: list[Outbox], past: Pieces | None
    ) -> None:
        """Give the watchers their history, or a peer's if `past` is None, and subscribe them.

        Do nothing if there is no such peer: since the read began, it may have received its history, or left.
        """
        peer = self._subscribers.peer(*question) if past is None else None
        if past is None and peer is None:
            return
        for watcher in watchers:
            if peer is not None:
                watcher.share(peer)
            else:
                for run, (header, piece) in (past or {}).items():
                    watcher.add_history(run, header, piece)
            self._subscribers.join(question[0], watcher)
            peer = peer or self._subscribers.peer(*question)
            self._watched[watcher] = live

    def _limit_rate(self, id: str, rate: float) -> None:
        """Limit the publications of an experiment some of whose watchers are stuck, or end the limit."""
        self._background.begin(self._tell_rate(id, rate))

    async def _tell_rate(self, id: str, rate: float) -> None:
        with contextlib.suppress(FalllineError):  # closed, deleted, failed or stopping: nobody waits for it
            await self._executor.ask(id, lambda experiment, _: experiment.limit_rate(rate))

    def _past_limit(self, watcher: Outbox) -> int:
        """Return the most bytes of history for one more watcher."""
        free = MOST_PAST_BYTES - self._subscribers.past_bytes - self._reserved
        return max(min(watcher.past_limit, free // PARTS), LEAST_PAST_BYTES)

    async def unwatch(self, id: str, watcher: Outbox) -> None:
        """Unsubscribe."""
        self._subscribers.leave(id, watcher)
        live = self._watched.pop(watcher, None)
        entry = self._registry.entries.get(id)
        if entry is None:
            return
        self._registry.touch(entry)
        if live is not None and entry.live is live:  # else it was closed, and counts no watcher any more
            with contextlib.suppress(NotFound, Unavailable):  # deleted or stopping
                await self._executor.ask(id, lambda experiment, _: experiment.leave(watcher.fps))
