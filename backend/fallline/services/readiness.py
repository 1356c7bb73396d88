"""The readiness check, which names the part that does not answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from fallline.execution.interface import Executor
from fallline.services.meters import Histogram
from fallline.services.store_thread import StoreThread
from fallline.vocabulary.errors import ReadOnly, Unavailable

ANSWER_SECONDS = 1.0
"""Limit on the answers of the worker and the store, and on a delay of the event loop, in seconds."""

PULSE_SECONDS = 0.1

REMEMBERED_SECONDS = 5.0
"""How long the event loop counts as slow after a delay."""


class Pulse:
    """Recent delays of the event loop. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._late: deque[tuple[float, float]] = deque()
        self.delays = Histogram()

    async def beat_for_ever(self) -> None:
        """Measure the delay again and again."""
        while True:
            start = self._clock()
            await asyncio.sleep(PULSE_SECONDS)
            self.record(self._clock(), self._clock() - start - PULSE_SECONDS)

    def record(self, now: float, late: float) -> None:
        self._late.append((now, max(late, 0.0)))
        self.delays.observe(max(late, 0.0))
        while self._late[0][0] < now - REMEMBERED_SECONDS:
            self._late.popleft()

    @property
    def worst(self) -> float:
        """The longest recent delay in seconds."""
        return max((late for _, late in self._late), default=0.0)


class Readiness:
    """Checks every part that a request needs."""

    def __init__(
        self,
        executor: Executor,
        store: StoreThread,
        clock: Callable[[], float],
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._executor = executor
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self.pulse = Pulse(clock)

    async def check(self) -> dict[str, Any]:
        """Return the seconds of each part. Raises ReadOnly, or Unavailable with its name."""
        if self._store.is_read_only:
            raise ReadOnly
        if self.pulse.worst > self._seconds:
            raise _silent(f"the event loop was blocked for {self.pulse.worst:.1f} s", self._seconds)
        return {
            "worker_seconds": await self._timed("the training worker", self._executor.answers()),
            "store_seconds": await self._timed("the store", self._store.answers()),
            "loop_seconds": self.pulse.worst,
        }

    async def _timed(self, part: str, answer: Awaitable[None]) -> float:
        start = self._clock()
        try:
            async with asyncio.timeout(self._seconds):
                await answer
        except TimeoutError:
            raise _silent(f"{part} has not answered for {self._seconds:g} s", self._seconds) from None
        return self._clock() - start


def _silent(problem: str, seconds: float) -> Unavailable:
    return Unavailable(f"{problem}; the limit is {seconds:g} s", retry_after=2)
