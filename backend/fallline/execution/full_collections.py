"""The time of full garbage collections, which is no cost of whoever's turn they fall into.

A full collection looks at the objects of everybody: 140 ms with 300 experiments. It happens in whichever thread makes
the next object. When its share paid for that, its reads waited 30 to 60 s.
"""

from __future__ import annotations

import gc
import sys
import threading
from time import perf_counter, thread_time

OLDEST = 2
"""The generation of a full collection; younger ones look at new objects only."""


_seconds = perf_counter if sys.platform == "win32" else thread_time
"""Windows counts the processor time of threads in ticks of 16 ms, longer than most turns."""


class _Collections(threading.local):
    """The full collections in the calling thread."""

    seconds = 0.0
    began: float | None = None


full_collections = _Collections()


def _note(phase: str, info: dict[str, int]) -> None:
    if info["generation"] < OLDEST:
        return
    if phase == "start":
        full_collections.began = _seconds()
    elif full_collections.began is not None:
        full_collections.seconds += _seconds() - full_collections.began
        full_collections.began = None


def own_seconds() -> float:
    """Return the processor seconds of this thread's own work; only differences mean something."""
    return _seconds() - full_collections.seconds


def note_collections() -> None:
    """Measure full collections from now on."""
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)
