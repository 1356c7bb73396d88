"""What the lab does on the event loop without anybody who waits for it.

Owns those tasks for as long as they run, since the loop itself may lose them. Must not know what they do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Background:
    """Tasks that nobody awaits."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it happen from here on."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Do it again and again, with so many seconds in between. What it raises is logged, and does not end it."""
        self.begin(_repeated(work, seconds))

    def cancel(self) -> None:
        """End what is still at work."""
        for task in list(self._tasks):
            task.cancel()


async def _repeated(work: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:
            _log.exception("work in the background failed, and goes on")
