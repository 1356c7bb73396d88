"""Work with callers on any connection: it notices when the last caller leaves, and when one comes back.

Must not know the work, or its fate when nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Gone = asyncio.Future[None]
"""Done when the connection of a caller has ended."""


class Attended(Generic[T]):
    """`work` goes on whoever leaves. `left` is called when its last caller leaves, `back` when one comes after that."""

    def __init__(
        self, work: Coroutine[Any, Any, T], left: Callable[[], None], back: Callable[[], None]
    ) -> None:
        self.answer: asyncio.Future[T] = asyncio.ensure_future(work)
        self._left = left
        self._back = back
        self._callers = 0
        self._is_left = False

    async def wait(self, gone: Gone | None = None) -> T:
        """The answer, for one more caller; one whose connection is `gone` no longer counts."""
        self._come()
        counts = True

        def leave(_: object = None) -> None:
            nonlocal counts
            if counts:
                counts = False
                self._leave()

        if gone is not None:
            gone.add_done_callback(leave)
        try:
            # Shielded: the work goes on when the one who asked is cancelled, and a repeat finds its answer.
            return await asyncio.shield(self.answer)
        finally:
            if gone is not None:
                gone.remove_done_callback(leave)
            leave()

    def _come(self) -> None:
        self._callers += 1
        if self._is_left:
            self._is_left = False
            self._back()

    def _leave(self) -> None:
        self._callers -= 1
        if not self._callers and not self.answer.done():
            self._is_left = True
            self._left()
