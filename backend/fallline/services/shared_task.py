"""A task with several callers.

It reports when the last caller leaves and when one comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Disconnected = asyncio.Future[None]
"""Done when the connection of a caller has ended."""


class SharedTask(Generic[T]):
    """Runs `work` to its end, with or without callers.

    `left` is called when the last caller leaves, `back` when one comes after that.
    """

    def __init__(
        self, work: Coroutine[Any, Any, T], left: Callable[[], None], back: Callable[[], None]
    ) -> None:
        self.result: asyncio.Future[T] = asyncio.ensure_future(work)
        self._left = left
        self._back = back
        self._callers = 0
        self._is_left = False

    async def wait(self, disconnected: Disconnected | None = None) -> T:
        """Wait for the result as one more caller, who counts until `disconnected` is done."""
        self._come()
        counts = True

        def leave(_: object = None) -> None:
            nonlocal counts
            if counts:
                counts = False
                self._leave()

        if disconnected is not None:
            disconnected.add_done_callback(leave)
        try:
            # Shielded: the work goes on when this caller is cancelled, and a repeat gets its result.
            return await asyncio.shield(self.result)
        finally:
            if disconnected is not None:
                disconnected.remove_done_callback(leave)
            leave()

    def _come(self) -> None:
        self._callers += 1
        if self._is_left:
            self._is_left = False
            self._back()

    def _leave(self) -> None:
        self._callers -= 1
        if not self._callers and not self.result.done():
            self._is_left = True
            self._left()
