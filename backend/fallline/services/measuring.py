"""Costly measurements, one at a time and beside the training, with what each cost and how soon it may be taken again.

Owns the budget. Must not know HTTP, or what is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

SHARE = 0.04
"""Of one processor, what measurements may take while an experiment plays. Asking and answering cost a little as well:
together they stay under 5 %.
"""

MEASURED_AT_ONCE = 1
"""Measurements that are taken at the same time: training keeps the other cores."""

Json = dict[str, Any]


def again_seconds(cost: float) -> float:
    """How long after an answer whoever keeps to the budget waits before asking again."""
    return cost * (1.0 / SHARE - 1.0)


class Measuring:
    """Takes measurements in a thread of their own."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MEASURED_AT_ONCE)

    async def take(self, measure: Callable[[], Json]) -> Json:
        """What `measure` tells, with `cost_seconds` of a processor and `again_seconds`."""
        async with self._free:
            told, cost = await asyncio.to_thread(_timed, measure)
        return {**told, "cost_seconds": cost, "again_seconds": again_seconds(cost)}


def _timed(measure: Callable[[], Json]) -> tuple[Json, float]:
    """Time of this thread's own: training that goes on meanwhile is no part of it."""
    began = time.thread_time()
    told = measure()
    return told, time.thread_time() - began
