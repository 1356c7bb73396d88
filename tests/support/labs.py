"""A lab as bootstrap builds it, without a network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.builds import builds
from fallline.execution.in_process import InProcessExecutor
from fallline.realtime.hub import Hub
from fallline.services.lab import Lab
from fallline.services.store_thread import AgeClock, StoreThread
from fallline.storage.interface import Store, StoreUnwritable
from fallline.storage.memory import MemoryStore
from fallline.vocabulary.journal import Record
from fallline.vocabulary.recipe import Recipe
from support.serving import SMALL


class Lasting(MemoryStore):
    """A store that outlives its labs, as a file does, and may be full."""

    is_durable = True
    is_full = False

    def write(self, records: Sequence[Record]) -> None:
        self.try_writing()
        super().write(records)

    def try_writing(self) -> None:
        if self.is_full:
            raise StoreUnwritable("no room")

    def delete(self, ids: Sequence[str]) -> None:
        self.try_writing()
        super().delete(ids)


@asynccontextmanager
async def open_lab(
    store: Store | None = None,
    *,
    most: int = 1000,
    idle_seconds: float = 600.0,
    workers: int = 1,
    kernels: Kernels | None = None,
    today: Callable[[], float] = time.time,
    **more: Any,
) -> AsyncIterator[Lab]:
    thread = StoreThread(MemoryStore() if store is None else store, AgeClock(time.monotonic, today))
    thread.open()
    executor = InProcessExecutor(workers)
    lab = Lab(
        executor,
        Hub(),
        time.monotonic,
        thread,
        most=most,
        idle_seconds=idle_seconds,
        kernels=Kernels(builds=builds()) if kernels is None else kernels,
        **more,
    )
    await lab.start()
    try:
        yield lab
    finally:
        await lab.stop()


async def examined(lab: Lab, id: str) -> None:
    """Wait until nothing of an experiment at rest is left to examine."""
    while await lab._executor.ask(id, lambda one, now: one.wake_at(now) is not None):
        await asyncio.sleep(0.005)


async def created(lab: Lab, **recipe: Any) -> tuple[str, str]:
    """Create a small experiment. Returns its id and token."""
    state, token = await lab.create(Recipe.model_validate({**SMALL, **recipe}))
    return state["id"], token


def steps_of(state: dict[str, Any]) -> dict[str, int]:
    return {run["name"]: run["step"] for run in state["runs"]}


def in_slots(lab: Lab) -> list[str]:
    """The ids of the experiments in slots."""
    entries = lab._registry.entries.items()
    return [id for id, entry in entries if entry.live is not None and not entry.live.is_temporary]


def temporary(lab: Lab) -> list[str]:
    """The ids of temporary experiments."""
    entries = lab._registry.entries.items()
    return [id for id, entry in entries if entry.live is not None and entry.live.is_temporary]
