"""What the lab does on the event loop without anybody who waits for it.

Owns those tasks for as long as they run, since the loop itself may lose them. Must not know what they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Tasks that nobody awaits."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it happen from here on."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """End what is still at work."""
        for task in list(self._tasks):
            task.cancel()
