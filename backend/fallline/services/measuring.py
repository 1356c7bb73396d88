"""Costly measurements, one at a time and beside the training, with what each cost and how soon it may be taken again.

Owns the budget. Must not know HTTP, or what is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

SHARE = 0.02
"""Of the time, what measurements may take while an experiment plays, also where training stands still meanwhile: under
5 % together with what the Doctor takes.
"""

ASKING_SECONDS = 0.004
"""What a question and its answer take beside the measurement, about."""

MEASURED_AT_ONCE = 1
"""Measurements that are taken at the same time: training keeps the other cores."""

Json = dict[str, Any]


def again_seconds(took: float) -> float:
    """How long after an answer whoever keeps to the budget waits before asking again, if it took so long."""
    return (took + ASKING_SECONDS) * (1.0 / SHARE - 1.0)


class Measuring:
    """Takes measurements in a thread of their own."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MEASURED_AT_ONCE)

    async def take(self, measure: Callable[[], Json]) -> Json:
        """What `measure` tells, with `cost_seconds` of a processor and `again_seconds`."""
        async with self._free:
            told, cost, took = await asyncio.to_thread(_timed, measure)
        return {**told, "cost_seconds": cost, "again_seconds": again_seconds(max(cost, took))}


def _timed(measure: Callable[[], Json]) -> tuple[Json, float, float]:
    """With this thread's own time, of which training that goes on meanwhile is no part; and with that of the clock: on
    a busy machine a thread may be put aside while it holds Python's lock, and training waits with it.
    """
    began, own = time.perf_counter(), time.thread_time()
    told = measure()
    return told, time.thread_time() - own, time.perf_counter() - began
