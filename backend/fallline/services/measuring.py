"""Costly measurements, one at a time and beside the training, with what each cost and how soon it may be taken again.

Owns the budget, which all who ask share. Must not know HTTP, or what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fallline.services.fair_slots import FairSlots

SHARE = 0.02
"""Of the time, what measurements may take while an experiment plays, also where training stands still meanwhile: under
5 % together with what the Doctor takes.
"""

ASKING_SECONDS = 0.002
"""What a question takes beside what is measured of it, about (seen: 1.1 ms of a processor, its answer written down)."""

MOST_OWED = 0.25
"""Seconds that others took for which somebody waits, at most: who asks without a pause holds up nobody for long."""

MEASURED_AT_ONCE = 1
"""Measurements that are taken at the same time: training keeps the other cores."""

Clock = Callable[[], float]
Json = dict[str, Any]


class Budget:
    """What training was slowed by that the time since has not paid for. Told the time."""

    def __init__(self) -> None:
        self._owed = 0.0
        self._at = 0.0

    def spend(self, seconds: float, now: float) -> float:
        """Something took so long; returns how many seconds it takes to pay for that, and for what came before."""
        owed = max(self._owed - SHARE * (now - self._at), 0.0)
        self._owed, self._at = min(owed, MOST_OWED) + seconds, now
        return self._owed / SHARE


class Measuring:
    """Takes measurements in a thread of their own. `clock` gives seconds, `own` those that a thread had a processor."""

    def __init__(self, clock: Clock = time.perf_counter, own: Clock = time.thread_time) -> None:
        self._clock, self._own = clock, own
        self._slots = FairSlots(MEASURED_AT_ONCE)
        self._budget = Budget()

    async def take(
        self, measure: Callable[[], Json], *, charged: bool, before: float = 0.0, share: str = ""
    ) -> Json:
        """What `measure` tells, with `cost_seconds` of a processor and `again_seconds`. It is `charged` to the budget
        unless nothing was slowed by it. What had to be made before it took the training `before` seconds. Where
        several wait, their shares take turns.
        """
        told, cost, took = await self._slots.run(share, lambda: self._timed(measure))
        spent = before + max(cost, took) + ASKING_SECONDS
        again = self._budget.spend(spent, self._clock()) if charged else spent / SHARE
        return {**told, "cost_seconds": before + cost, "again_seconds": again}

    def wrote(self, seconds: float) -> None:
        """To write an answer down took so long: known too late to be told in it, and waited for by the next one."""
        self._budget.spend(seconds, self._clock())

    def _timed(self, measure: Callable[[], Json]) -> tuple[Json, float, float]:
        """With this thread's own time, of which training that goes on meanwhile is no part; and with that of the clock:
        on a busy machine a thread may be put aside while it holds Python's lock, and training waits with it.
        """
        began, own = self._clock(), self._own()
        told = measure()
        return told, self._own() - own, self._clock() - began
