"""The readiness check: it asks the worker, the store and the event loop, and names the one that does not answer.

Must not know HTTP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from fallline.execution.interface import Executor
from fallline.services.keeping import Keeper
from fallline.vocabulary.errors import ReadOnly, Unavailable

ANSWER_SECONDS = 1.0
"""How long the worker and the store may take to answer, and how long the loop may be held up."""

PULSE_SECONDS = 0.1

REMEMBERED_SECONDS = 5.0
"""For how long a loop that was held up counts as slow."""


class Pulse:
    """How late the event loop was of late. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._late: deque[tuple[float, float]] = deque()

    async def beat_for_ever(self) -> None:
        """Note again and again how late this comes."""
        while True:
            began = self._clock()
            await asyncio.sleep(PULSE_SECONDS)
            self.note(self._clock(), self._clock() - began - PULSE_SECONDS)

    def note(self, now: float, late: float) -> None:
        """The loop came so many seconds late."""
        self._late.append((now, max(late, 0.0)))
        while self._late[0][0] < now - REMEMBERED_SECONDS:
            self._late.popleft()

    @property
    def worst(self) -> float:
        """The longest delay of the last seconds."""
        return max((late for _, late in self._late), default=0.0)


class Readiness:
    """Asks all that a request needs."""

    def __init__(
        self,
        executor: Executor,
        keeper: Keeper,
        clock: Callable[[], float],
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._executor = executor
        self._keeper = keeper
        self._clock = clock
        self._seconds = seconds
        self.pulse = Pulse(clock)

    async def check(self) -> dict[str, Any]:
        """The seconds that each took. Raises ReadOnly, or Unavailable with what does not answer."""
        if self._keeper.is_read_only:
            raise ReadOnly
        if self.pulse.worst > self._seconds:
            raise _silent(f"the event loop was held up for {self.pulse.worst:.1f} s", self._seconds)
        return {
            "worker_seconds": await self._timed("the worker that trains", self._executor.answers()),
            "store_seconds": await self._timed("the store", self._keeper.answers()),
            "loop_seconds": self.pulse.worst,
        }

    async def _timed(self, who: str, answer: Awaitable[None]) -> float:
        began = self._clock()
        try:
            async with asyncio.timeout(self._seconds):
                await answer
        except TimeoutError:
            raise _silent(f"{who} has not answered for {self._seconds:g} s", self._seconds) from None
        return self._clock() - began


def _silent(what: str, seconds: float) -> Unavailable:
    return Unavailable(f"{what}; ready means that everything answers within {seconds:g} s", retry_after=2)
