"""The executor of one machine, with one worker for each thread.

Messages of one experiment are delivered in order, and only after they are stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from fallline.execution.full_collections import full_collections, thread_seconds
from fallline.execution.interface import Journal, Later, Sink, Waiting
from fallline.execution.worker import TurnFailed, Worker
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Event, Frames
from fallline.vocabulary.errors import Failed, FalllineError, ReadOnly, Unavailable
from fallline.vocabulary.frame_requests import FrameRequest
from fallline.vocabulary.journal import JournalBatch, Receipt, log_id


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call on the event loop, and the call instead if storing failed, or `do` raised."""

    do: Callable[[], None]
    fail: Callable[[Exception], None] = lambda _: None

    def attempt(self) -> None:
        """Do it. After an exception, log it and fail: the deliveries that follow go on."""
        try:
            self.do()
        except Exception:
            _log.exception("a delivery failed")
            self.fail(Failed())


class DeliveryQueue:
    """The deliveries of one open experiment, in order."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[object | None, list[Delivery]]] = deque()
        self._done: set[object] = set()
        self._is_broken = False

    def add(self, deliveries: list[Delivery], ticket: object | None = None) -> None:
        """Queue deliveries. With a `ticket`, they wait until it is settled."""
        self._waiting.append((ticket, deliveries))
        self._deliver()

    def settle(self, ticket: object, *, stored: bool) -> None:
        """Note whether the ticket's write succeeded. If not, all later deliveries fail."""
        self._done.add(ticket)
        self._is_broken = self._is_broken or not stored
        self._deliver()

    def _deliver(self) -> None:
        while self._waiting:
            ticket, deliveries = self._waiting[0]
            if not self._is_broken and ticket is not None and ticket not in self._done:
                return
            self._done.discard(ticket)
            self._waiting.popleft()
            for delivery in deliveries:
                if self._is_broken:
                    delivery.fail(ReadOnly())
                else:
                    delivery.attempt()


T = TypeVar("T")

CLOSED = "the experiment has just been closed: send the request again"

LONGEST_SLEEP = 60.0
"""Longest sleep of a worker, in seconds."""

SAVING_SECONDS = 1.0
"""Time in which a server that ends stores the states of experiments, so that the next one replays nothing. All have to
end within 5 s.
"""

PAUSE_SECONDS = 0.1

RESTORE_SLICE = 0.02
"""Seconds after which a replay in a thread of its own looks whether the server ends."""

WORKERS_RESTORES = 2
"""Restores that a worker has at a time: the next one is there when one ends."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reply:
    """The answer to a call, sent once the changes of the call are stored."""

    answer: asyncio.Future[Any]
    result: Any
    then: Callable[[Any], None] | None = None
    receipt: Receipt | None = None

    @property
    def failed(self) -> bool:
        return isinstance(self.result, Exception)

    @property
    def receipts(self) -> list[Receipt]:
        """The receipt with the answer; empty for a failed call."""
        if self.receipt is None or self.failed:
            return []
        return [replace(self.receipt, answer=self.result)]

    def delivery(self) -> Delivery:
        if self.failed:
            return Delivery(
                lambda: _fail(self.answer, self.result), lambda _: _fail(self.answer, self.result)
            )
        return Delivery(self._send, lambda error: _fail(self.answer, error))

    def _send(self) -> None:
        if self.then is not None:
            self.then(self.result)
        if not self.answer.done():
            self.answer.set_result(self.result)


@dataclass(slots=True)
class _OpenExperiment:
    """An open experiment with its journal, its delivery queue, and finished calls."""

    journal: Journal
    failed: Callable[[], None]
    queue: DeliveryQueue = field(default_factory=DeliveryQueue)
    replies: list[_Reply] = field(default_factory=list)
    counted_steps: int = 0


class _WorkerThread:
    """A thread that runs one worker and stores changes before it sends them.

    No exception ends the thread: the experiment that raised is closed, and the others continue.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, sink: Sink) -> None:
        self._loop = loop
        self._sink = sink
        self.worker = Worker()
        self._open: dict[str, _OpenExperiment] = {}
        self._calls: deque[tuple[str, Callable[[], None]]] = deque()
        self._charges: deque[tuple[str, float]] = deque()
        """Shares and seconds. They wait for the next turn: waking the thread would cost more than most of them."""
        self._outgoing: deque[Callable[[], None]] = deque()
        """Calls for the event loop, in order."""
        self._is_handing_over = False
        self._wake = threading.Condition()
        self._stopping = False
        self._unconfirmed = 0
        """Writes on their way to the store."""
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.faults = 0
        self.steps = 0

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def post(self, id: str, call: Callable[[], None]) -> None:
        """Run a short `call` of one experiment next."""
        with self._wake:
            self._calls.append((id, call))
            self._wake.notify()

    def charge_share(self, share: str, seconds: float) -> None:
        """Charge a share before the next turn."""
        self._charges.append((share, seconds))

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while True:
            try:
                if not self._run_once():
                    break
            except Exception:
                # The exception belongs to no experiment, so none is closed. The pause limits the log entries.
                self._count_fault("the worker failed")
                time.sleep(PAUSE_SECONDS)
        end = time.perf_counter() + SAVING_SECONDS
        self._run_last_calls(end)
        for id in list(self._open):
            saves_all = time.perf_counter() < end
            self._guarded(id, partial(self._report, id, is_final=True, saves_all=saves_all))

    def _run_once(self) -> bool:
        """Run the waiting calls, then one turn. Return False when the worker has to stop."""
        with self._wake:
            while not self._calls and not self._stopping and (seconds := self._idle_for()) != 0:
                self._wake.wait(seconds)
            if self._stopping:
                return False
            calls = list(self._calls)
            self._calls.clear()
        self._run_calls(calls)
        while self._charges:
            self.worker.charge_share(*self._charges.popleft())
        self._turn()
        return True

    def _run_last_calls(self, end: float) -> None:
        """Run the calls that wait, and until `end` those that confirm writes: only then can states be stored."""
        while True:
            with self._wake:
                while not self._calls and self._unconfirmed and (left := end - time.perf_counter()) > 0:
                    self._wake.wait(left)
                calls = list(self._calls)
                self._calls.clear()
            if not calls:
                return
            self._run_calls(calls)

    def _run_calls(self, calls: list[tuple[str, Callable[[], None]]]) -> None:
        for id, call in calls:
            self._guarded(id, call)

    def _guarded(self, id: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            self._close_failed(id)

    def _turn(self) -> None:
        try:
            id = self.worker.turn(time.perf_counter, _own_seconds)
        except TurnFailed as failed:
            self._close_failed(failed.id)
            return
        if id is not None:
            began = _own_seconds()
            self._guarded(id, partial(self._report, id))
            self.worker.charge_report(id, _own_seconds() - began)

    def _idle_for(self) -> float | None:
        """Return the seconds to sleep, None for no limit.

        Capped, because a lock refuses very long waits.
        """
        now = time.perf_counter()
        wake = self.worker.wake_at(now)
        return None if wake is None else min(max(wake - now, 0), LONGEST_SLEEP)

    def _count_fault(self, what: str, id: str | None = None) -> None:
        _log.exception("%s", what, extra=None if id is None else {"experiment": log_id(id)})
        self.faults += 1

    def _close_failed(self, id: str) -> None:
        """Close an experiment that raised, and fail its calls. For exception handlers."""
        self._count_fault("an experiment failed and was closed", id)
        experiment, opened = self.worker.find(id), self._open.pop(id, None)
        if experiment is not None and opened is not None:
            # It has failed already, so a second failure changes nothing.
            with contextlib.suppress(Exception):
                experiment.close(time.perf_counter(), Failed())
        with contextlib.suppress(Exception):
            self.worker.close(id)
        if opened is not None:
            for reply in opened.replies:
                self._fail_now(reply, Failed())
            self._hand_over(opened.failed)

    def open(
        self,
        id: str,
        make: Callable[[], Experiment],
        journal: Journal,
        reply: _Reply,
        failed: Callable[[], None],
    ) -> None:
        """Open an experiment and reply with its state."""
        opened = _OpenExperiment(journal, failed)
        now = time.perf_counter()
        try:
            experiment = make()
            self.worker.open(experiment)
            self._open[id] = opened
            experiment.when_restored(now, self._later(opened, reply))
        except Exception as error:  # for the caller, not for this thread
            self._open.pop(id, None)
            self.worker.close(id)
            self._fail_now(reply, error)
            return
        self.worker.reconsider(id, now)
        self._report(id)

    def close(self, id: str, why: FalllineError | None, closed: asyncio.Future[None]) -> None:
        """Close an experiment and answer its waiting calls."""
        experiment, opened = self.worker.find(id), self._open.get(id)
        try:
            if experiment is not None and opened is not None:
                self._report(id, is_final=True)
                experiment.close(time.perf_counter(), why)
                self._send(opened, [reply.delivery() for reply in opened.replies])
        finally:
            self._open.pop(id, None)
            self.worker.close(id)
            self._hand_over(partial(_resolve, closed))

    def ask(
        self, id: str, call: Callable[[Experiment, float, Callable[[Any], None]], None], reply: _Reply
    ) -> None:
        """Run `call` with the experiment, the time, and a function for the answer."""
        experiment, opened = self.worker.find(id), self._open.get(id)
        if experiment is None or opened is None:
            self._fail_now(reply, Unavailable(CLOSED, retry_after=1))
            return
        now, later = time.perf_counter(), self._later(opened, reply)
        try:
            call(experiment, now, later)
        except Exception as error:  # as in `open`
            later(error)
        self.worker.reconsider(id, now)
        self._report(id)

    def pull(self, id: str, reader: int, request: FrameRequest | None, due: float) -> None:
        """Pass a reader's request to its experiment, which answers when it is due and there is news."""
        experiment = self.worker.find(id)
        if experiment is not None:
            experiment.ask(reader, request, due)
            self.worker.reconsider(id, time.perf_counter())

    def _later(self, opened: _OpenExperiment, reply: _Reply) -> Callable[[Any], None]:
        def answer(result: Any) -> None:
            reply.result = result
            opened.replies.append(reply)

        return answer

    def _fail_now(self, reply: _Reply, error: Exception) -> None:
        self._hand_over(partial(_fail, reply.answer, error))

    # ------------------------------------------------------------------ results

    def _report(self, id: str, *, is_final: bool = False, saves_all: bool = False) -> None:
        """Store the changes of an experiment, then send them."""
        experiment, opened = self.worker.find(id), self._open.get(id)
        if experiment is None or opened is None:
            return
        if is_final:
            experiment.finish_round(time.perf_counter(), time.perf_counter)
        elif experiment.in_round:
            return
        self.steps += experiment.steps_made - opened.counted_steps
        opened.counted_steps = experiment.steps_made
        outgoing, replies = experiment.take_outgoing(), opened.replies
        opened.replies = []
        receipts = tuple(receipt for reply in replies for receipt in reply.receipts)
        batch = experiment.take_write(
            time.perf_counter(),
            publishes=bool(outgoing or replies),
            is_final=is_final,
            saves_all=saves_all,
            receipts=receipts,
        )
        deliveries = [_publication(self._sink, item) for item in outgoing]
        deliveries += [reply.delivery() for reply in replies]
        if batch is None or not batch.needed:
            self._send(opened, deliveries)
        if batch is not None:
            self._write(experiment, opened, batch, deliveries)

    def _write(
        self, experiment: Experiment, opened: _OpenExperiment, batch: JournalBatch, deliveries: list[Delivery]
    ) -> None:
        ticket = object()
        if batch.needed:
            self._send(opened, deliveries, ticket)

        def confirm(stored: bool) -> None:
            self._unconfirmed -= 1
            experiment.confirm_write(stored=stored)

        def then(stored: bool) -> None:
            if batch.needed:
                self._hand_over(partial(opened.queue.settle, ticket, stored=stored))
            self.post(experiment.id, partial(confirm, stored))

        self._unconfirmed += 1
        opened.journal.write(batch, then)

    def _send(
        self, opened: _OpenExperiment, deliveries: list[Delivery], ticket: object | None = None
    ) -> None:
        if deliveries or ticket is not None:
            self._hand_over(partial(opened.queue.add, deliveries, ticket))

    # ------------------------------------------------------------------ to the event loop

    def _hand_over(self, call: Callable[[], None]) -> None:
        """Run a call on the event loop, after the earlier ones.

        It is woken once for all that come while it is busy: waking it for each costs more than most calls.
        """
        self._outgoing.append(call)
        if not self._is_handing_over:
            self._is_handing_over = True
            self._loop.call_soon_threadsafe(self._run_outgoing)

    def _run_outgoing(self) -> None:
        self._is_handing_over = (
            False  # before the first call is taken: one added from now on wakes the loop again
        )
        while self._outgoing:
            call = self._outgoing.popleft()
            try:
                call()
            except Exception:
                _log.exception("a call on the event loop failed")


def _own_seconds() -> float:
    """Return the processor seconds of this thread's own work; only differences mean something."""
    return thread_seconds() - full_collections.seconds


def _publication(sink: Sink, item: Frames | Event) -> Delivery:
    if isinstance(item, Frames):
        made_at = time.perf_counter()
        return Delivery(lambda: sink.frames(item.experiment, item.answers, made_at))
    return Delivery(lambda: sink.event(item.experiment, item.message))


class InProcessExecutor:
    """Runs experiments on threads. Kernels that release the GIL use several."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self._threads: list[_WorkerThread] = []
        self._answers: set[asyncio.Future[Any]] = set()
        self._lanes: asyncio.Queue[bool] = asyncio.Queue()
        """Places for experiments that come back: in the workers (False), and one in a thread of its own."""
        self._coming: dict[str, asyncio.Future[None]] = {}
        """Experiments that wait for a place or replay in one, until they are handed to their worker."""

    def start(self, sink: Sink) -> None:
        loop = asyncio.get_running_loop()
        for in_own_thread in [False] * WORKERS_RESTORES * self._workers + [True]:
            self._lanes.put_nowait(in_own_thread)
        self._threads = [_WorkerThread(f"worker-{number}", loop, sink) for number in range(self._workers)]
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

    def _thread_of(self, id: str) -> _WorkerThread:
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
        thread: _WorkerThread,
        queue: Callable[[str, Callable[[], None]], None],
    ) -> asyncio.Future[dict[str, Any]]:
        answer = self._new_answer()
        reply = _Reply(answer, None)
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
            _resolve(coming)
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

    def pull(self, id: str, reader: int, request: FrameRequest | None, seconds: float = 0.0) -> None:
        if self._threads:
            thread, due = self._thread_of(id), time.perf_counter() + seconds
            thread.post(id, lambda: thread.pull(id, reader, request, due))

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
            thread.post("", partial(_soon, loop, partial(_resolve, answer)))
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
            _Reply(answer, None, then, receipt),
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


def _resolve(answer: asyncio.Future[None]) -> None:
    if not answer.done():
        answer.set_result(None)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
