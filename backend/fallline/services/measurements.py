"""Costly measurements, taken one at a time beside the training.

Each reports its cost and when the next one may be taken. Owns the budget that all callers share.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fallline.services.fair_slots import FairSlots
from fallline.vocabulary.journal import Json

SHARE = 0.02
"""Part of the time that measurements may take while an experiment plays. Under 5 % together with the Doctor."""

REQUEST_SECONDS = 0.002
"""Cost of a request beside its measurement, about (measured: 1.1 ms of a processor, with the encoding)."""

MOST_DEBT = 0.25
"""Limit on the debt in seconds that others leave to a caller: frequent callers delay nobody for long."""

MEASURED_AT_ONCE = 1
"""Measurements taken at the same time: training keeps the other cores."""

Clock = Callable[[], float]


class Budget:
    """The debt of measurements to training, in seconds, which time pays back."""

    def __init__(self) -> None:
        self._debt = 0.0
        self._at = 0.0

    def spend(self, seconds: float, now: float) -> float:
        """Add a cost; return the seconds until the whole debt is paid back."""
        debt = max(self._debt - SHARE * (now - self._at), 0.0)
        self._debt, self._at = min(debt, MOST_DEBT) + seconds, now
        return self._debt / SHARE


class Measurements:
    """Takes measurements in a thread.

    `clock` gives seconds, `own` the processor seconds of the calling thread.
    """

    def __init__(self, clock: Clock = time.perf_counter, own: Clock = time.thread_time) -> None:
        self._clock, self._own = clock, own
        self._slots = FairSlots(MEASURED_AT_ONCE)
        self._budget = Budget()

    async def take(
        self, measure: Callable[[], Json], *, charged: bool, before: float = 0.0, share: str = ""
    ) -> Json:
        """Return the result of `measure`, with `cost_seconds` and `again_seconds`.

        `charged` says whether it delayed training, so that it counts to the budget. `before` is what its preparation
        cost the training, in seconds. If several callers wait, their shares take turns.
        """
        result, cost, duration = await self._slots.run(share, lambda: self._timed(measure))
        spent = before + max(cost, duration) + REQUEST_SECONDS
        again = self._budget.spend(spent, self._clock()) if charged else spent / SHARE
        return {**result, "cost_seconds": before + cost, "again_seconds": again}

    def add_encoding(self, seconds: float) -> None:
        """Count the time to encode an answer, for which the next one waits."""
        self._budget.spend(seconds, self._clock())

    def _timed(self, measure: Callable[[], Json]) -> tuple[Json, float, float]:
        """Return the result, this thread's processor seconds and the elapsed seconds.

        Processor time leaves out training that runs meanwhile. Elapsed time counts too: on a busy machine a thread may
        wait while it holds Python's lock, and training waits with it.
        """
        start, own = self._clock(), self._own()
        result = measure()
        return result, self._own() - own, self._clock() - start
