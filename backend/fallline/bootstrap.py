"""Builds the object graph: the only place that names concrete classes.

No logic of its own.
"""

from __future__ import annotations

import sys
import time

from fastapi import FastAPI
from threadpoolctl import threadpool_limits

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.builds import builds
from fallline.execution.compiling import Preparation
from fallline.execution.in_process import InProcessExecutor
from fallline.execution.memory import SharedBudget, memory_for_experiments, memory_limit
from fallline.realtime.hub import Hub
from fallline.services.lab import Lab
from fallline.services.store_thread import DAY, AgeClock, StoreThread
from fallline.settings import Settings
from fallline.storage.memory import MemoryStore
from fallline.storage.sqlite import SqliteStore
from fallline.web.app import build_app
from fallline.web.pages import installed_pages

SWITCH_SECONDS = 0.0005
"""How long a training thread may keep the interpreter from the event loop (Python's own default is ten times that)."""

GAP_SHARE = 1 / 30
"""Limit on the age that one stop of the server adds, as a part of FALLLINE_KEEP_DAYS; it is at most a day."""


def prepared_kernels(settings: Settings) -> tuple[Kernels, Preparation]:
    """Return the kernels, and the started compilation, which the caller must stop."""
    kernels = Kernels(builds=builds())
    preparation = Preparation(kernels, settings.kernel)
    preparation.start()
    return kernels, preparation


def create_app(settings: Settings, kernels: Kernels | None = None) -> FastAPI:
    """Return the application with its store opened. Raises StoreRefused.

    Without `kernels` it computes with NumPy and compiles nothing.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    # BLAS threads that wait for each other are slow on small matrices (measured: a full-batch step of a 64-64 network
    # 136 ms instead of 3.3 on two busy cores), and one thread gives the same sums everywhere.
    threadpool_limits(limits=1, user_api="blas")
    keep_seconds = settings.keep_days * DAY
    age = AgeClock(time.monotonic, time.time, most_gap=min(DAY, keep_seconds * GAP_SHARE))
    store = StoreThread(MemoryStore() if settings.data is None else SqliteStore(settings.data), age)
    store.open()
    memory = (
        memory_for_experiments(memory_limit()) if settings.memory_mb is None else settings.memory_mb << 20
    )
    lab = Lab(
        InProcessExecutor(settings.workers),
        Hub(),
        time.monotonic,
        store,
        most=settings.experiments,
        most_bytes=memory,
        idle_seconds=settings.idle_seconds,
        keep_seconds=keep_seconds,
        kernels=Kernels(builds=builds()) if kernels is None else kernels,
        checkpoint_budget=SharedBudget(min(settings.lookback_mb << 20, memory // 4)),
    )
    return build_app(lab, installed_pages(), settings)
