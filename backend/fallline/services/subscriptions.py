"""Watchers of experiments: they join and leave.

A watcher joins without a gap between the state and the frames that follow. Owns which live experiment counts a watcher.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

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


Answer = TypeVar("Answer")


class _Group(Generic[Answer]):
    """Watchers whom one call serves."""

    served: asyncio.Task[Answer]

    def __init__(self) -> None:
        self.watchers: list[Outbox] = []


class _Gathering(Generic[Answer]):
    """Gathers watchers who want the same while the call before is under way: one call serves them all."""

    def __init__(self) -> None:
        self._next: dict[Hashable, _Group[Answer]] = {}
        self._now: dict[Hashable, asyncio.Task[Answer]] = {}

    def add(
        self, what: Hashable, watcher: Outbox, call: Callable[[list[Outbox]], Awaitable[Answer]]
    ) -> asyncio.Task[Answer]:
        """Let the next `call` of those who want `what` serve this watcher too."""
        group = self._next.get(what)
        if group is None:
            group = self._next[what] = _Group()
            group.served = asyncio.ensure_future(self._serve(what, group, call))
        group.watchers.append(watcher)
        return group.served

    async def _serve(
        self, what: Hashable, group: _Group[Answer], call: Callable[[list[Outbox]], Awaitable[Answer]]
    ) -> Answer:
        while what in self._now:
            await asyncio.wait([self._now[what]])
        del self._next[what]  # later watchers form the next group
        self._now[what] = group.served
        try:
            return await call(group.watchers)
        finally:
            del self._now[what]


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
        self._joining = _Gathering[Json]()
        """By question."""
        self._leaving = _Gathering[None]()
        """By live experiment."""

    async def watch(self, id: str, watcher: Outbox, since: dict[str, dict[str, int]], buckets: int) -> Json:
        """Subscribe: return the state, and give the first buckets to `watcher`.

        Nothing is lost in between. Watchers with the same question join together, as a class does that opens one page:
        one read of the experiment serves them all.
        """
        watcher.history_key = (buckets, frozenset((run, *at.items()) for run, at in since.items()))
        question = (id, watcher.history_key)
        joined = self._joining.add(
            question, watcher, lambda watchers: self._join(question, watchers, since, buckets)
        )
        try:
            return await asyncio.shield(joined)
        except asyncio.CancelledError:
            # The reader hung up while joining: let it join, then leave, so that the count of watchers stays true.
            await asyncio.wait([joined])
            await self.unwatch(id, watcher)
            raise

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
        """Unsubscribe. Watchers who are cut at once leave together."""
        self._subscribers.leave(id, watcher)
        live = self._watched.pop(watcher, None)
        entry = self._registry.entries.get(id)
        if entry is None:
            return
        self._registry.touch(entry)
        if live is not None:
            await asyncio.shield(
                self._leaving.add(live, watcher, lambda watchers: self._leave(id, live, watchers))
            )

    async def _leave(self, id: str, live: LiveExperiment, watchers: list[Outbox]) -> None:
        entry = self._registry.entries.get(id)
        if entry is None or entry.live is not live:  # it was closed, and counts no watcher any more
            return
        rates = [watcher.fps for watcher in watchers]
        with contextlib.suppress(NotFound, Unavailable):  # deleted or stopping
            await self._executor.ask(id, lambda experiment, _: experiment.leave(rates))
