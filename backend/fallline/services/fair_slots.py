"""A few pieces of work at a time: shares take turns by the time that their work takes.

Owns who is next. Must not know what the work is, or what a share stands for. On the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from fallline.execution.fairness import DeficitRoundRobin

T = TypeVar("T")

QUANTUM = 0.005
"""Seconds a turn."""


class FairSlots:
    """At most `slots` pieces of work at the same time."""

    def __init__(self, slots: int) -> None:
        self.free = slots
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
        if self.free:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(share, deque()).append(turn)
        self._turns.join(share)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was this one's turn already
                self._pass_on()
            elif turn in self._waiting.get(share, ()):
                self._waiting[share].remove(turn)
                self._leave_if_last(share)
            raise

    def give_back(self, share: str, seconds: float) -> None:
        """The share has used a slot for so long."""
        self._turns.charge(share, seconds)
        self._pass_on()

    def _pass_on(self) -> None:
        """Give a slot to whoever is next."""
        while self._waiting:
            share, _ = self._turns.next()
            turn = self._waiting[share].popleft()
            self._leave_if_last(share)
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1

    def _leave_if_last(self, share: str) -> None:
        if not self._waiting[share]:
            del self._waiting[share]
            self._turns.leave(share)
