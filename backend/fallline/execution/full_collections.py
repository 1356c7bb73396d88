"""The time of full garbage collections, which is no cost of whoever's turn they fall into.

A thread's own work costs `thread_seconds() - full_collections.seconds`. A full collection looks at the objects of
everybody: 140 ms with 300 experiments. It happens in whichever thread makes the next object. When its share paid for
that, its reads waited 30 to 60 s.
"""

from __future__ import annotations

import gc
import sys
import threading
from time import perf_counter, thread_time

OLDEST = 2
"""The generation of a full collection; younger ones look at new objects only."""

thread_seconds = perf_counter if sys.platform == "win32" else thread_time
"""The processor seconds of the calling thread. Windows counts them in ticks of 16 ms, which are longer than turns."""


class _Collections(threading.local):
    """The full collections in the calling thread."""

    seconds = 0.0
    began: float | None = None


full_collections = _Collections()


def _note(phase: str, info: dict[str, int]) -> None:
    if info["generation"] < OLDEST:
        return
    if phase == "start":
        full_collections.began = thread_seconds()
    elif full_collections.began is not None:
        full_collections.seconds += thread_seconds() - full_collections.began
        full_collections.began = None


def note_collections() -> None:
    """Measure full collections from now on."""
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)
