"""Tasks of the event loop that nobody awaits.

Holds a reference to each until it ends, because the event loop holds only a weak one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Background:
    """Starts tasks and cancels them at the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Call `work` every so many seconds. An exception is logged, and it goes on."""
        self.begin(_repeated(work, seconds))

    def cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    async def end(self) -> None:
        """Cancel the tasks, and wait until they have ended."""
        tasks = list(self._tasks)
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeated(work: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:
            _log.exception("a background task failed; it will be repeated")
