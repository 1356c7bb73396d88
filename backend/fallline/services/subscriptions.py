"""Watchers of experiments: they join and leave.

A watcher joins without a gap between the state and the events that follow. It pulls frames from the step that it lacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from fallline.execution.interface import Executor
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from fallline.services.experiment_loader import ExperimentLoader
from fallline.services.registry import Registry
from fallline.vocabulary.journal import Json


class _Joining:
    """Watchers of one experiment who join together, as a class does that opens one page: one read serves them all."""

    def __init__(self) -> None:
        self.watchers: list[Outbox] = []
        self.has_begun = False


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
        self._joining: dict[str, tuple[_Joining, asyncio.Task[Json]]] = {}

    async def watch(self, id: str, watcher: Outbox) -> Json:
        """Subscribe: return the state, which all events after it follow."""
        together, joined = self._joining.get(id, (None, None))
        if together is None or joined is None or together.has_begun:
            together = _Joining()
            joined = asyncio.ensure_future(self._join(id, together))
            self._joining[id] = together, joined
        together.watchers.append(watcher)
        try:
            return await asyncio.shield(joined)
        except asyncio.CancelledError:  # the reader hung up while joining
            if not together.has_begun:
                together.watchers.remove(watcher)
            self.unwatch(id, watcher)
            raise

    async def _join(self, id: str, together: _Joining) -> Json:
        try:
            live = await self._loader.open(id)
            live.joining += 1
            live.watched_at = self._clock()
            try:
                state, _ = await self._executor.ask(
                    id,
                    lambda one, _: (one.state(), one.series),
                    then=lambda result: self._start(id, together, result[1]),
                )
            finally:
                live.joining -= 1
            return state
        finally:
            together.has_begun = True
            if self._joining.get(id, (None, None))[0] is together:
                del self._joining[id]

    def _start(self, id: str, together: _Joining, series: tuple[str, ...]) -> None:
        """Subscribe those who wait: later ones read again."""
        together.has_begun = True
        for watcher in together.watchers:
            number = self._subscribers.number()
            self._subscribers.join(number, watcher, series, partial(self._executor.pull, id, number))

    def unwatch(self, id: str, watcher: Outbox) -> None:
        """Unsubscribe."""
        number = self._subscribers.leave(id, watcher)
        if number is not None:
            self._executor.pull(id, number, None)
        entry = self._registry.entries.get(id)
        if entry is not None:
            self._registry.touch(entry)
