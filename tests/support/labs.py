"""A lab as bootstrap builds it, without a network, and an audience that writes down what it is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fallline.execution.in_process import InProcessExecutor
from fallline.realtime.hub import Hub
from fallline.services.lab import Lab


@asynccontextmanager
async def open_lab(*, most: int = 1000, idle_seconds: float = 600.0, workers: int = 1) -> AsyncIterator[Lab]:
    lab = Lab(InProcessExecutor(workers), Hub(), time.monotonic, most=most, idle_seconds=idle_seconds)
    await lab.start()
    try:
        yield lab
    finally:
        await lab.stop()


def steps_of(state: dict[str, Any]) -> dict[str, int]:
    return {run["name"]: run["step"] for run in state["runs"]}
