"""A few pieces of work at a time: shares take turns by the time that their work takes.

Owns who is next. Must not know what the work is, or what a share stands for. On the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TypeVar

from fallline.execution.fairness import DeficitRoundRobin

T = TypeVar("T")

QUANTUM = 0.005
"""Seconds a turn."""


class FairSlots:
    """At most `slots` pieces of work at the same time.

    With `leaves_some`, a share holds half of the slots that the others leave, or one: its long work leaves others some.
    """

    def __init__(self, slots: int, *, leaves_some: bool = False) -> None:
        self.free = slots
        self._leaves_some = leaves_some
        self._held = Counter[str]()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._turns = DeficitRoundRobin(QUANTUM)

    async def run(self, share: str, work: Callable[[], T]) -> T:
        """Do it in a thread when it is this share's turn. It keeps its slot until it ends, whoever waits for it."""
        await self.take(share)
        began = time.perf_counter()
        doing = asyncio.ensure_future(asyncio.to_thread(work))

        def done(one: asyncio.Future[T]) -> None:
            _ = one.cancelled() or one.exception()  # looked at: there may be nobody who waits for it
            self.give_back(share, time.perf_counter() - began)

        doing.add_done_callback(done)
        return await asyncio.shield(doing)

    async def take(self, share: str) -> None:
        """Return when a slot is free and it is this share's turn. The slot is to be given back."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(share, deque()).append(turn)
        self._pass_on()
        if turn.done():
            return
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was this one's turn already
                self.give_back(share, 0.0)
            elif turn in self._waiting.get(share, ()):
                self._remove(share, turn)
            raise

    def is_free_for(self, share: str) -> bool:
        """Whether `take` would return at once."""
        return self.free > 0 and self._may_hold_more(share)

    def give_back(self, share: str, seconds: float) -> None:
        """The share has used a slot for so long."""
        self._turns.charge(share, seconds)
        self._held[share] -= 1
        if not self._held[share]:
            del self._held[share]
        self.free += 1
        self._pass_on()

    def _pass_on(self) -> None:
        """Give free slots to those who are next."""
        while self.free and (share := self._next()) is not None:
            turn = self._waiting[share][0]
            self._remove(share, turn)
            if not turn.done():
                self.free -= 1
                self._held[share] += 1
                turn.set_result(None)

    def _next(self) -> str | None:
        for share in self._waiting:
            if self._may_hold_more(share):
                self._turns.join(share)
            else:
                self._turns.leave(share)
        return self._turns.next()[0] if len(self._turns) else None

    def _may_hold_more(self, share: str) -> bool:
        held = self._held[share]
        return not self._leaves_some or held < max((self.free + held) // 2, 1)

    def _remove(self, share: str, turn: asyncio.Future[None]) -> None:
        self._waiting[share].remove(turn)
        if not self._waiting[share]:
            del self._waiting[share]
            self._turns.leave(share)
