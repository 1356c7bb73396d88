"""Faults that the siege plants in a server, by name. Some last while a file of that name exists."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fallline.execution.worker import Worker
from fallline.services.lab import Lab
from fallline.storage.sqlite import SqliteStore
from support.planting import replace

DAY = 86_400.0
LOOK_SECONDS = 0.05
BLOCKED_SECONDS = 2.0


def _stuck_while(file: Path, work: Callable[..., Any]) -> Callable[..., Any]:
    def stuck(*arguments: Any, **named: Any) -> Any:
        while file.exists():
            time.sleep(LOOK_SECONDS)
        return work(*arguments, **named)

    return stuck


def stuck_worker(folder: Path) -> None:
    """Block the thread that trains."""
    replace(Worker, turn=_stuck_while(folder / "stuck-worker", Worker.turn))


def stuck_store(folder: Path) -> None:
    """Block the disk during a write."""
    replace(SqliteStore, write=_stuck_while(folder / "stuck-store", SqliteStore.write))


def blocked_loop(folder: Path) -> None:
    """Block the event loop in a request, once."""
    health = Lab.health

    def blocking(self: Lab) -> dict[str, Any]:
        file = folder / "blocked-loop"
        if file.exists():
            file.unlink()
            time.sleep(BLOCKED_SECONDS)
        return health(self)

    replace(Lab, health=blocking)


def failing_experiment(folder: Path) -> None:
    """Raise an unexpected exception in the worker when it computes its next wake-up."""
    wake_at = Worker.wake_at

    def failing(self: Worker, *arguments: Any, **named: Any) -> Any:
        file = folder / "failing-experiment"
        if file.exists():
            file.unlink()
            raise OverflowError("planted by the siege")
        return wake_at(self, *arguments, **named)

    replace(Worker, wake_at=failing)


def shifted_clock(days: float, folder: Path) -> None:
    """Shift the wall clock by that many days."""
    now = time.time
    replace(time, time=lambda: now() + days * DAY)


FAULTS: Mapping[str, Callable[[Path], None]] = {
    "stuck-worker": stuck_worker,
    "stuck-store": stuck_store,
    "blocked-loop": blocked_loop,
    "failing-experiment": failing_experiment,
    "clock+31d": partial(shifted_clock, 31.0),
    "clock-400d": partial(shifted_clock, -400.0),
}
