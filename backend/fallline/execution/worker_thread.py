"""A thread that runs one worker, stores the changes of its experiments, and then publishes them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fallline.execution.delivery import Delivery, DeliveryQueue, Reply, fail, resolve
from fallline.execution.full_collections import full_collections, thread_seconds
from fallline.execution.interface import Journal, Sink
from fallline.execution.worker import TurnFailed, Worker
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Event, Frames
from fallline.vocabulary.errors import Failed, FalllineError, Unavailable
from fallline.vocabulary.journal import JournalBatch, log_id

CLOSED = "the experiment has just been closed: send the request again"

LONGEST_SLEEP = 60.0
"""Longest sleep of a worker, in seconds."""

SAVING_SECONDS = 1.0
"""Time in which a server that ends stores the states of experiments, so that the next one replays nothing. All have to
end within 5 s.
"""

PAUSE_SECONDS = 0.1

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OpenExperiment:
    """An open experiment with its journal, its delivery queue, and finished calls."""

    journal: Journal
    failed: Callable[[], None]
    queue: DeliveryQueue = field(default_factory=DeliveryQueue)
    replies: list[Reply] = field(default_factory=list)
    counted_steps: int = 0


class WorkerThread:
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
        self._run_calls(list(self._calls))  # some confirm writes, after which states can be stored
        end = time.perf_counter() + SAVING_SECONDS
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
        reply: Reply,
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
            self._hand_over(partial(resolve, closed))

    def ask(
        self, id: str, call: Callable[[Experiment, float, Callable[[Any], None]], None], reply: Reply
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

    def _later(self, opened: _OpenExperiment, reply: Reply) -> Callable[[Any], None]:
        def answer(result: Any) -> None:
            reply.result = result
            opened.replies.append(reply)

        return answer

    def _fail_now(self, reply: Reply, error: Exception) -> None:
        self._hand_over(partial(fail, reply.answer, error))

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

        def then(stored: bool) -> None:
            if batch.needed:
                self._hand_over(partial(opened.queue.settle, ticket, stored=stored))
            self.post(experiment.id, lambda: experiment.confirm_write(stored=stored))

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
        return Delivery(lambda: sink.frames(item.experiment, item.runs, made_at))
    return Delivery(lambda: sink.event(item.experiment, item.message))
