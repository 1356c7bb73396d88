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
        self._joining: dict[str, tuple[list[Outbox], asyncio.Task[Json]]] = {}
        """By experiment: those who join together, as a class does that opens one page, and the read for them."""

    async def watch(self, id: str, watcher: Outbox) -> Json:
        """Subscribe: return the state, which all events after it follow."""
        if id not in self._joining:
            watchers = list[Outbox]()
            self._joining[id] = watchers, asyncio.ensure_future(self._join(id, watchers))
        together, joined = self._joining[id]
        together.append(watcher)
        try:
            return await asyncio.shield(joined)
        except asyncio.CancelledError:  # the reader hung up while joining
            together.remove(watcher)
            self.unwatch(id, watcher)
            raise

    async def _join(self, id: str, together: list[Outbox]) -> Json:
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
            self._close(id, together)

    def _close(self, id: str, together: list[Outbox]) -> None:
        """Let those who come later read again."""
        if id in self._joining and self._joining[id][0] is together:
            del self._joining[id]

    def _start(self, id: str, together: list[Outbox], series: tuple[str, ...]) -> None:
        """Subscribe those who wait."""
        self._close(id, together)
        for watcher in together:
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
