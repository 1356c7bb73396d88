"""The executor of one machine: experiments on threads, with one worker for each."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from fallline.execution.delivery import Reply, resolve
from fallline.execution.interface import Journal, Later, Sink, Waiting
from fallline.execution.worker_thread import WorkerThread
from fallline.runs.experiment import Experiment
from fallline.vocabulary.errors import FalllineError, Unavailable
from fallline.vocabulary.journal import Receipt

T = TypeVar("T")

RESTORE_SLICE = 0.02
"""Seconds after which a replay in a thread of its own looks whether the server ends."""

WORKERS_RESTORES = 2
"""Restores that a worker has at a time: the next one is there when one ends."""


class InProcessExecutor:
    """Runs experiments on threads. Kernels that release the GIL use several."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self._threads: list[WorkerThread] = []
        self._answers: set[asyncio.Future[Any]] = set()
        self._lanes: asyncio.Queue[bool] = asyncio.Queue()
        """Places for experiments that come back: in the workers (False), and one in a thread of its own."""
        self._coming: dict[str, asyncio.Future[None]] = {}
        """Experiments that wait for a place or replay in one, until they are handed to their worker."""

    def start(self, sink: Sink) -> None:
        loop = asyncio.get_running_loop()
        for in_own_thread in [False] * WORKERS_RESTORES * self._workers + [True]:
            self._lanes.put_nowait(in_own_thread)
        self._threads = [WorkerThread(f"worker-{number}", loop, sink) for number in range(self._workers)]
        for each in self._threads:
            each.thread.start()

    async def stop(self) -> None:
        threads, self._threads = self._threads, []
        for each in threads:
            each.stop()
        await asyncio.gather(*(asyncio.to_thread(each.thread.join) for each in threads))

    def abandon(self) -> None:
        for answer in list(self._answers):  # a caller of a long step would wait for ever
            if not answer.done():
                answer.set_exception(_closed())
                answer.exception()  # read it, so that asyncio does not warn about an unawaited future

    def _new_answer(self) -> asyncio.Future[Any]:
        """Return a future that `abandon` fails if it is still open."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)
        return answer

    def _thread_of(self, id: str) -> WorkerThread:
        if not self._threads:
            raise _closed()
        return self._threads[zlib.crc32(id.encode()) % len(self._threads)]

    async def open(
        self,
        id: str,
        make: Callable[[], Experiment],
        journal: Journal,
        failed: Callable[[], None],
        *,
        comes_back: bool = False,
    ) -> dict[str, Any]:
        if comes_back:
            return await self._restore(id, make, journal, failed)
        thread = self._thread_of(id)
        return await self._open(id, make, journal, failed, thread, thread.worker.read)

    def _open(
        self,
        id: str,
        make: Callable[[], Experiment],
        journal: Journal,
        failed: Callable[[], None],
        thread: WorkerThread,
        queue: Callable[[str, Callable[[], None]], None],
    ) -> asyncio.Future[dict[str, Any]]:
        answer = self._new_answer()
        reply = Reply(answer, None)
        thread.post(id, lambda: queue(id, lambda: thread.open(id, make, journal, reply, failed)))
        return answer

    async def _restore(
        self, id: str, make: Callable[[], Experiment], journal: Journal, failed: Callable[[], None]
    ) -> dict[str, Any]:
        """Open an experiment that comes back.

        Kernels release the GIL, so a class is back sooner if a thread beside the worker replays every other one.
        """
        coming = self._coming[id] = self._new_answer()
        in_own_thread = await self._lanes.get()
        try:
            if in_own_thread:
                make = await asyncio.to_thread(_replayed, make, lambda: bool(self._threads))
                self._lanes.put_nowait(True)
            thread = self._thread_of(id)
            opened = self._open(id, make, journal, failed, thread, thread.worker.restore)
        finally:
            self._coming.pop(id, None)
            resolve(coming)
        await asyncio.wait([opened])
        if not in_own_thread:
            self._lanes.put_nowait(False)
        return opened.result()

    async def close(self, id: str, why: FalllineError | None = None) -> None:
        if (coming := self._coming.get(id)) is not None:
            await asyncio.wait([coming])
        thread, closed = self._thread_of(id), self._new_answer()
        # After the reads that came before, so that these are answered.
        thread.post(id, lambda: thread.worker.read(id, lambda: thread.close(id, why, closed)))
        await closed

    def share(self, id: str, share: str) -> None:
        if self._threads:
            thread = self._thread_of(id)
            thread.post(id, lambda: thread.worker.share(id, share))

    async def turn(self, share: str) -> None:
        if not self._threads:
            raise _closed()
        loop, turn = asyncio.get_running_loop(), self._new_answer()

        def begin() -> None:
            if turn.done():  # the caller has left
                self.charge(share, 0.0)
            else:
                turn.set_result(None)

        # Such work slows the training in all threads: it waits for its turn in each, one after the other.
        begins: Callable[[], None] = partial(_soon, loop, begin)
        for thread in self._threads:
            begins = partial(thread.post, "", partial(thread.worker.beside, share, begins))
        begins()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the caller leaves with the turn
                self.charge(share, 0.0)
            raise

    def charge(self, share: str, seconds: float) -> None:
        for thread in self._threads:
            thread.post("", partial(thread.worker.charge, share, seconds))

    def charge_share(self, share: str, seconds: float) -> None:
        for thread in self._threads:
            thread.charge_share(share, seconds / len(self._threads))

    @property
    def faults(self) -> int:
        return sum(thread.faults for thread in self._threads)

    @property
    def steps(self) -> int:
        return sum(thread.steps for thread in self._threads)

    def waiting(self) -> Waiting:
        counts = [thread.worker.waiting() for thread in self._threads]
        return Waiting(*map(sum, zip(*counts, strict=True))) if counts else Waiting(0, 0, 0, 0)

    async def answers(self) -> None:
        if not self._threads:
            raise _closed()
        loop, answers = asyncio.get_running_loop(), []
        for thread in self._threads:
            answer = self._new_answer()
            thread.post("", partial(_soon, loop, partial(resolve, answer)))
            answers.append(answer)
        await asyncio.gather(*answers)

    async def ask(
        self,
        id: str,
        call: Callable[[Experiment, float], T],
        then: Callable[[T], None] | None = None,
        receipt: Receipt | None = None,
        *,
        reads: bool = False,
    ) -> T:
        def at_once(experiment: Experiment, now: float, answer: Callable[[Any], None]) -> None:
            answer(call(experiment, now))

        result: T = await self.ask_later(id, at_once, receipt, then=then, reads=reads)
        return result

    async def ask_later(
        self,
        id: str,
        call: Callable[[Experiment, float, Later], None],
        receipt: Receipt | None = None,
        *,
        then: Callable[[Any], None] | None = None,
        reads: bool = False,
    ) -> Any:
        thread, answer = self._thread_of(id), self._new_answer()
        reply, queue = (
            Reply(answer, None, then, receipt),
            thread.worker.read if reads else thread.worker.command,
        )
        thread.post(id, lambda: queue(id, lambda: thread.ask(id, call, reply)))
        return await answer


def _replayed(make: Callable[[], Experiment], goes_on: Callable[[], bool]) -> Callable[[], Experiment]:
    """Return a function for the experiment, with its runs where they were. A fault is left to the worker."""
    try:
        experiment = make()
        experiment.replay_to_stored(RESTORE_SLICE, time.perf_counter, goes_on)
    except Exception:
        return make
    return lambda: experiment


def _closed() -> Unavailable:
    return Unavailable("the server is starting or stopping", retry_after=2)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)
