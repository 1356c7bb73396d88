"""A few tasks at a time: shares take turns by the time that their tasks take.

Owns whose turn is next. On the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TypeVar

from fallline.execution.worker import DeficitRoundRobin

T = TypeVar("T")

QUANTUM = 0.005
"""Seconds per turn."""


class FairSlots:
    """At most `slots` tasks at the same time.

    With `leaves_some`, a share uses at most half of the slots that the others leave, or one.
    """

    def __init__(self, slots: int, *, leaves_some: bool = False) -> None:
        self.free = slots
        self._leaves_some = leaves_some
        self._used = Counter[str]()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._turns = DeficitRoundRobin(QUANTUM)

    async def run(self, share: str, work: Callable[[], T]) -> T:
        """Run it in a thread in this share's turn, to its end even if the caller leaves."""
        await self.acquire(share)
        start = time.perf_counter()
        task = asyncio.ensure_future(asyncio.to_thread(work))

        def done(one: asyncio.Future[T]) -> None:
            _ = one.cancelled() or one.exception()  # retrieved, as there may be no caller any more
            self.release(share, time.perf_counter() - start)

        task.add_done_callback(done)
        return await asyncio.shield(task)

    async def acquire(self, share: str) -> None:
        """Wait for a slot in this share's turn. The caller must release it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(share, deque()).append(turn)
        self._assign()
        if turn.done():
            return
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the slot was assigned already
                self.release(share, 0.0)
            elif turn in self._waiting.get(share, ()):
                self._remove(share, turn)
            raise

    def is_free_for(self, share: str) -> bool:
        """Return whether `acquire` would return at once."""
        return self.free > 0 and self._may_use_more(share)

    def release(self, share: str, seconds: float) -> None:
        """Release a slot that the share has used for so many seconds."""
        self._turns.charge(share, seconds)
        self._used[share] -= 1
        if not self._used[share]:
            del self._used[share]
        self.free += 1
        self._assign()

    def _assign(self) -> None:
        """Assign the free slots."""
        while self.free and (share := self._next()) is not None:
            turn = self._waiting[share][0]
            self._remove(share, turn)
            if not turn.done():
                self.free -= 1
                self._used[share] += 1
                turn.set_result(None)

    def _next(self) -> str | None:
        for share in self._waiting:
            if self._may_use_more(share):
                self._turns.join(share)
            else:
                self._turns.leave(share)
        return self._turns.next()[0] if len(self._turns) else None

    def _may_use_more(self, share: str) -> bool:
        used = self._used[share]
        return not self._leaves_some or used < max((self.free + used) // 2, 1)

    def _remove(self, share: str, turn: asyncio.Future[None]) -> None:
        self._waiting[share].remove(turn)
        if not self._waiting[share]:
            del self._waiting[share]
            self._turns.leave(share)
