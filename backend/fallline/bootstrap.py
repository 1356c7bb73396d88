"""Builds the object graph: the only place that names concrete classes.

No logic of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from threadpoolctl import threadpool_limits

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.builds import builds
from fallline.execution.compiling import Preparation
from fallline.execution.full_collections import note_collections
from fallline.execution.in_process import InProcessExecutor
from fallline.execution.memory import (
    SharedBudget,
    memory_for_experiments,
    memory_limit,
    return_freed_memory,
)
from fallline.operation.control import serve_operator
from fallline.realtime.hub import Hub
from fallline.services.lab import Lab
from fallline.services.operator import ClosedStore, Operator
from fallline.services.restoring import least_generation, raise_generations
from fallline.services.store_thread import DAY, AgeClock, StoreThread
from fallline.settings import Settings
from fallline.storage.backups import BackupFolder
from fallline.storage.interface import Store
from fallline.storage.memory import MemoryStore
from fallline.storage.restoring import check_file, restore_file
from fallline.storage.sqlite import SqliteStore, examine
from fallline.storage.tables import VERSION
from fallline.vocabulary.journal import Examination
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
    return_freed_memory()
    note_collections()
    keep_seconds = settings.keep_days * DAY
    age = AgeClock(time.monotonic, time.time, most_gap=min(DAY, keep_seconds * GAP_SHARE))
    data = settings.data
    store = StoreThread(MemoryStore() if data is None else SqliteStore(data, _backups(settings, data)), age)
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
        most_stored=None if settings.stored_mb is None else settings.stored_mb << 20,
        most_unused=settings.unused_creations,
        most_exports=settings.exports,
        idle_seconds=settings.idle_seconds,
        keep_seconds=keep_seconds,
        kernels=Kernels(builds=builds()) if kernels is None else kernels,
        checkpoint_budget=SharedBudget(min(settings.lookback_mb << 20, memory // 4)),
        seconds_since_backup=lambda: None if data is None else _backups(settings, data).seconds_since_last(),
    )
    beside = []
    if data is not None:
        operator = Operator(store, data, examine, _backups(settings, data), lab.forget)
        beside.append(serve_operator(operator, data, settings.backup_hours))
    return build_app(lab, installed_pages(), settings, beside)


def _backups(settings: Settings, data: Path) -> BackupFolder:
    return BackupFolder(settings.backup_folder or data / "backups", settings.backups)


@contextmanager
def closed_store_operator(settings: Settings, data: Path) -> Iterator[Operator]:
    """Yield an operator of a data folder that no server uses. Raises StoreRefused and StoreUnwritable."""
    store = SqliteStore(data)
    store.open_unchanged()
    try:
        closed = ClosedStore(store, is_current=store.tables_version == VERSION)
        yield Operator(closed, data, examine, _backups(settings, data))
    finally:
        store.close()


def check_backup(file: Path, folder: Path) -> Examination:
    """Check a backup on a copy in this folder. Raises StoreRefused and CopyFailed."""
    return check_file(file, folder)


def restore_backup(file: Path, data: Path, *, allow_damage: bool) -> tuple[Examination, Path | None]:
    """Restore a backup; return what was restored and where the replaced file is. Raises StoreRefused and CopyFailed."""

    def prepare(store: Store) -> None:
        raise_generations(store, least_generation(store, time.time()))

    return restore_file(file, data, time.time(), prepare, allow_damage=allow_damage)
