"""A few tasks at a time: shares take turns by the time that their tasks take.

Work in threads beside the training also waits until its share owes nothing for the work before, and is charged. Costly
measurements are such tasks, taken one at a time. Each reports its cost and when the next one may be taken. Owns whose
turn is next, and the budget that all measurements share. On the event loop.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fallline.execution.full_collections import full_collections, thread_seconds
from fallline.execution.interface import Executor
from fallline.execution.worker import DeficitRoundRobin
from fallline.vocabulary.errors import TooManyRequests, Unavailable
from fallline.vocabulary.journal import Json

T = TypeVar("T")

QUANTUM = 0.005
"""Seconds per turn."""


MOST_WAITING, FEWEST_WAITING = 1_000, 32
"""Most requests of a kind that may wait: of all shares, and of each share in any case."""

RETRY_SECONDS = 5.0


class WaitingRequests:
    """Counts requests that wait, and refuses more of a share than half of the places that the others leave."""

    def __init__(self, what: str, most: int = MOST_WAITING, fewest: int = FEWEST_WAITING) -> None:
        """`what` names them in the refusal. Every share may have `fewest`."""
        self._what = what
        self.most, self.fewest = most, fewest
        self._of = Counter[str]()

    def __len__(self) -> int:
        return self._of.total()

    @contextmanager
    def one(self, share: str) -> Iterator[None]:
        """Count one more during the block. Raises TooManyRequests."""
        own = self._of[share]
        if own >= max((self.most - len(self) + own) // 2, self.fewest):
            raise TooManyRequests(f"{own} {self._what} already wait: retry later", RETRY_SECONDS)
        self._of[share] += 1
        try:
            yield
        finally:
            self._of[share] -= 1
            if not self._of[share]:
                del self._of[share]


class FairSlots:
    """At most `slots` tasks at the same time. A share uses at most half of the slots that the others leave, or one."""

    def __init__(self, slots: int) -> None:
        self.free = slots
        self._used = Counter[str]()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._turns: DeficitRoundRobin[str] = DeficitRoundRobin(QUANTUM)

    async def run(self, share: str, work: Callable[[], T]) -> T:
        """Run it in a thread in this share's turn, to its end even if the caller leaves.

        It costs the processor seconds of the thread.
        """
        await self.acquire(share)
        seconds = 0.0

        def timed() -> T:
            nonlocal seconds
            start = thread_seconds() - full_collections.seconds
            try:
                return work()
            finally:
                seconds = thread_seconds() - full_collections.seconds - start

        task = asyncio.ensure_future(asyncio.to_thread(timed))

        def done(one: asyncio.Future[T]) -> None:
            _ = one.cancelled() or one.exception()  # retrieved, as there may be no caller any more
            self.release(share, seconds)

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
                self._free(share, 0.0)
            elif turn in self._waiting.get(share, ()):
                self._remove(share, turn)
            raise

    async def acquire_within(self, seconds: float, share: str, why: Unavailable) -> None:
        """Do what `acquire` does, but raise `why` after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self.acquire(share)
        except TimeoutError:
            raise why from None

    def is_free_for(self, share: str) -> bool:
        """Return whether `acquire` would return at once."""
        return self.free > 0 and self._may_use_more(share)

    def release(self, share: str, seconds: float) -> None:
        """Release a slot that the share has used for so many seconds."""
        self._free(share, seconds)

    def _free(self, share: str, seconds: float) -> None:
        self._turns.charge(share, seconds)
        self._used[share] -= 1
        if not self._used[share]:
            del self._used[share]
        self.free += 1
        self._assign()

    def _assign(self) -> None:
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
        return self._turns.next() if len(self._turns) else None

    def _may_use_more(self, share: str) -> bool:
        used = self._used[share]
        return used < max((self.free + used) // 2, 1)

    def _remove(self, share: str, turn: asyncio.Future[None]) -> None:
        self._waiting[share].remove(turn)
        if not self._waiting[share]:
            del self._waiting[share]
            self._turns.leave(share)


class SlotsBesideTraining(FairSlots):
    """Slots for work in threads that slows the training of all.

    A share begins such work once it owes nothing for the last one, and is charged for it. Training turns use the same
    clock.
    """

    def __init__(self, executor: Executor, slots: int) -> None:
        super().__init__(slots)
        self._executor = executor

    async def acquire(self, share: str) -> None:
        """Wait for the share's turn beside the training, then for a slot. The caller must release it."""
        await self._executor.turn(share)
        try:
            await super().acquire(share)
        except BaseException:
            self._executor.charge(share, 0.0)  # the caller has left
            raise

    def release(self, share: str, seconds: float) -> None:
        """Release a slot, and charge the share for so many seconds."""
        super().release(share, seconds)
        self._executor.charge(share, seconds)


# ---------------------------------------------------------------------- measurements

SHARE = 0.02
"""Part of the time that measurements may take while an experiment plays. Under 5 % together with the Doctor."""

REQUEST_SECONDS = 0.002
"""Cost of a request beside its measurement, about (measured: 1.1 ms of a processor, with the encoding)."""

MOST_DEBT = 0.25
"""Limit on the debt in seconds that others leave to a caller: frequent callers delay nobody for long."""

LOOKS_SHARE, COSTLY_SHARE = 0.2, 0.1
"""Parts of a processor for all pages together: for what they show beside frames, and for costly measurements."""

CLASS_SHARE = 0.1
"""The same for each kind of what they show beside frames, when pages need all cores: moments, and the fall line."""

MEASURED_AT_ONCE = 1
"""Measurements taken at the same time: training keeps the other cores."""

Clock = Callable[[], float]


class Budget:
    """The debt of measurements to training, in seconds, which time pays back."""

    def __init__(self) -> None:
        self._debt = 0.0
        self._at = 0.0

    def spend(self, seconds: float, now: float) -> float:
        """Add a cost; return the seconds until the whole debt is paid back."""
        debt = max(self._debt - SHARE * (now - self._at), 0.0)
        self._debt, self._at = min(debt, MOST_DEBT) + seconds, now
        return self._debt / SHARE


class Measurements:
    """Takes measurements in a thread, in one of `slots`.

    `clock` gives seconds, `own` the processor seconds of the calling thread, `pages` the number of experiments that
    somebody watches. All pages together stay within the shares of a processor.
    """

    def __init__(
        self,
        slots: FairSlots,
        pages: Callable[[], int],
        clock: Clock = time.perf_counter,
        own: Clock = time.thread_time,
        cores: int | None = None,
    ) -> None:
        self._pages, self._cores = pages, cores or os.cpu_count() or 1
        self._clock, self._own = clock, own
        self._slots = slots
        self._budget = Budget()

    async def take(
        self, measure: Callable[[], Json], *, charged: bool, before: float = 0.0, share: str = ""
    ) -> Json:
        """Return the result of `measure`, with `cost_seconds`, `again_seconds` and `pace_seconds`.

        `charged` says whether it delayed training, so that it counts to the budget. `before` is what its preparation
        cost the training, in seconds. If several callers wait, their shares take turns.
        """
        result, cost, duration = await self._slots.run(share, lambda: self._timed(measure))
        spent = before + max(cost, duration) + REQUEST_SECONDS
        again = self._budget.spend(spent, self._clock()) if charged else spent / SHARE
        return self._with_costs(result, before + cost, again, charged=charged)

    @property
    def pages(self) -> int:
        """The number of experiments that somebody watches, at least 1."""
        return max(self._pages(), 1)

    @property
    def in_turns(self) -> bool:
        """True if short measurements are turns of the training, because the cores have enough to do.

        In a thread, such a measurement waits for the interpreter's lock again and again: with 300 pages one of 2 ms
        took half a second.
        """
        return self._pages() >= self._cores

    def take_now(self, measure: Callable[[], Json], *, charged: bool) -> Json:
        """Return what `take` does, measured in the calling thread, in a turn of the share that pays for it."""
        result, cost, _ = self._timed(measure)
        return self._with_costs(result, cost, (cost + REQUEST_SECONDS) / SHARE, charged=charged)

    def _with_costs(self, result: Json, cost: float, again: float, *, charged: bool) -> Json:
        """Add the cost to a result, and when the next one may be taken: all pages together keep within their share."""
        of_all = self._pages() * (cost + REQUEST_SECONDS)
        return {
            **result,
            "cost_seconds": cost,
            "again_seconds": max(again, of_all / COSTLY_SHARE) if charged else again,
            "pace_seconds": 0.0 if charged else of_all / (CLASS_SHARE if self.in_turns else LOOKS_SHARE),
        }

    def add_encoding(self, seconds: float) -> None:
        """Count the time to encode an answer, for which the next one waits."""
        self._budget.spend(seconds, self._clock())

    def _timed(self, measure: Callable[[], Json]) -> tuple[Json, float, float]:
        """Return the result, this thread's processor seconds and the elapsed seconds.

        Processor time leaves out training that runs meanwhile. Elapsed time counts too: on a busy machine a thread may
        wait while it holds Python's lock, and training waits with it.
        """
        start, own = self._clock(), self._own()
        result = measure()
        return result, self._own() - own, self._clock() - start
