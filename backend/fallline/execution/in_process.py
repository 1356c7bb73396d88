"""The executor of one machine: a worker a thread, bridged to the event loop. Must not know HTTP or what is computed."""

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

from fallline.execution.delivery import Delivery, DeliveryQueue
from fallline.execution.interface import Later, Ledger, Sink, nothing
from fallline.execution.worker import TurnFailed, Worker
from fallline.runs.experiment import Experiment
from fallline.runs.telling import Event, Frames
from fallline.vocabulary.errors import Failed, FalllineError, Unavailable
from fallline.vocabulary.journal import JournalBatch, Receipt

T = TypeVar("T")

CLOSED = "the experiment has just been closed: ask again"

LONGEST_SLEEP = 60.0
"""Seconds after which the worker looks again, whatever it was told."""

PAUSE_SECONDS = 0.1

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Ending:
    """The answer to a call of an experiment, to be given when what the call changed is written down."""

    answer: asyncio.Future[Any]
    result: Any
    then: Callable[[Any], None] | None = None
    receipt: Receipt | None = None

    @property
    def failed(self) -> bool:
        return isinstance(self.result, Exception)

    @property
    def signed(self) -> list[Receipt]:
        """The receipt with the answer; none for a call that failed, and so did nothing."""
        if self.receipt is None or self.failed:
            return []
        return [replace(self.receipt, answer=self.result)]

    def delivery(self) -> Delivery:
        if self.failed:
            return Delivery(
                lambda: _fail(self.answer, self.result), lambda _: _fail(self.answer, self.result)
            )
        return Delivery(self._give, lambda error: _fail(self.answer, error))

    def _give(self) -> None:
        if self.then is not None:
            self.then(self.result)
        if not self.answer.done():
            self.answer.set_result(self.result)


@dataclass(slots=True)
class _Desk:
    """One open experiment in its worker's thread: where it is written down, what is said, and answers to come."""

    ledger: Ledger
    failed: Callable[[], None]
    lane: DeliveryQueue = field(default_factory=DeliveryQueue)
    endings: list[_Ending] = field(default_factory=list)


class _Pump:
    """One thread that turns one worker, does calls between turns, and has what happened stored before it is told.

    No exception ends the thread: the experiment at fault is closed and the others go on.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, sink: Sink) -> None:
        self._loop = loop
        self._sink = sink
        self._worker = Worker()
        self._desks: dict[str, _Desk] = {}
        self._calls: deque[tuple[str, Callable[[], None]]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.faults = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def join(self) -> None:
        self._thread.join()

    def post(self, id: str, call: Callable[[], None]) -> None:
        """Have `call`, which concerns one experiment and takes no time, done next."""
        with self._wake:
            self._calls.append((id, call))
            self._wake.notify()

    def post_command(self, id: str, command: Callable[[], None]) -> None:
        """Have `command` done between two slices, before reads and training."""
        self.post(id, lambda: self._worker.command(id, command))

    def post_read(self, id: str, read: Callable[[], None]) -> None:
        """Have `read` done when it is the turn of the experiment's reads."""
        self.post(id, lambda: self._worker.read(id, read))

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while True:
            try:
                if not self._go_round():
                    break
            except Exception:
                # No experiment is known to be at fault, so none is closed. The pause keeps a lasting fault from filling
                # the log.
                self._count_fault("the worker failed")
                time.sleep(PAUSE_SECONDS)
        for id in list(self._desks):
            self._guarded(id, partial(self._report, id, settles=True))

    def _go_round(self) -> bool:
        """Calls first, then one turn. False when the worker is to stop."""
        with self._wake:
            while not self._calls and not self._stopping and (seconds := self._idle_for()) != 0:
                self._wake.wait(seconds)
            if self._stopping:
                return False
            calls = list(self._calls)
            self._calls.clear()
        for id, call in calls:
            self._guarded(id, call)
        self._turn()
        return True

    def _guarded(self, id: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            self._close_failed(id)

    def _turn(self) -> None:
        try:
            id = self._worker.turn(time.perf_counter)
        except TurnFailed as failed:
            self._close_failed(failed.id)
            return
        if id is not None:
            self._guarded(id, partial(self._report, id))

    def _idle_for(self) -> float | None:
        """Seconds to sleep, None for as long as nothing comes. Capped: a lock refuses waits of centuries."""
        now = time.perf_counter()
        wake = self._worker.wake_at(now)
        return None if wake is None else min(max(wake - now, 0), LONGEST_SLEEP)

    def _count_fault(self, what: str) -> None:
        _log.exception("%s", what)
        self.faults += 1

    def _close_failed(self, id: str) -> None:
        """Called where an exception of this experiment was caught: it goes, and whoever waits for it is told."""
        self._count_fault("an experiment failed and was closed")
        experiment, desk = self._worker.find(id), self._desks.pop(id, None)
        if experiment is not None and desk is not None:
            # It has failed already, so a second failure on its way out changes nothing.
            with contextlib.suppress(Exception):
                experiment.close(time.perf_counter(), Failed())
        with contextlib.suppress(Exception):
            self._worker.close(id)
        if desk is not None:
            for ending in desk.endings:
                self._fail_now(ending, Failed())
            self._loop.call_soon_threadsafe(desk.failed)

    def open(
        self,
        id: str,
        make: Callable[[], Experiment],
        ledger: Ledger,
        ending: _Ending,
        failed: Callable[[], None],
    ) -> None:
        """Take an experiment in; its state is the answer."""
        desk = _Desk(ledger, failed)
        now = time.perf_counter()
        try:
            experiment = make()
            self._worker.open(experiment)
            self._desks[id] = desk
            experiment.when_there(now, self._later(desk, ending))
        except Exception as error:  # whatever went wrong belongs to the one who asked, not to this thread
            self._desks.pop(id, None)
            self._worker.close(id)
            self._fail_now(ending, error)
            return
        self._worker.reconsider(id, now)
        self._report(id)

    def close(self, id: str, why: FalllineError | None, closed: asyncio.Future[None]) -> None:
        """Let an experiment go; whoever waits for it is answered."""
        experiment, desk = self._worker.find(id), self._desks.get(id)
        try:
            if experiment is not None and desk is not None:
                self._report(id, settles=True)
                experiment.close(time.perf_counter(), why)
                self._say(desk, [ending.delivery() for ending in desk.endings])
        finally:
            self._desks.pop(id, None)
            self._worker.close(id)
            self._loop.call_soon_threadsafe(_give, closed)

    def ask(
        self, id: str, call: Callable[[Experiment, float, Callable[[Any], None]], None], ending: _Ending
    ) -> None:
        """Have an experiment called with the time and with what takes the answer, now or later."""
        experiment, desk = self._worker.find(id), self._desks.get(id)
        if experiment is None or desk is None:
            self._fail_now(ending, Unavailable(CLOSED, retry_after=1))
            return
        now, later = time.perf_counter(), self._later(desk, ending)
        try:
            call(experiment, now, later)
        except Exception as error:  # as in `open`
            later(error)
        self._worker.reconsider(id, now)
        self._report(id)

    def share(self, id: str, share: str) -> None:
        """Count the experiment to this share."""
        self.post(id, lambda: self._worker.share(id, share))

    def charge(self, id: str, seconds: float) -> None:
        """Reads of the experiment took so long beside this thread."""
        self.post(id, lambda: self._worker.charge(id, seconds))

    def _later(self, desk: _Desk, ending: _Ending) -> Callable[[Any], None]:
        def answer(result: Any) -> None:
            ending.result = result
            desk.endings.append(ending)

        return answer

    def _fail_now(self, ending: _Ending, error: Exception) -> None:
        self._loop.call_soon_threadsafe(_fail, ending.answer, error)

    # ------------------------------------------------------------------ what happened

    def _report(self, id: str, *, settles: bool = False) -> None:
        """Have what happened to an experiment written down, then told."""
        experiment, desk = self._worker.find(id), self._desks.get(id)
        if experiment is None or desk is None:
            return
        outgoing, endings = experiment.take_outgoing(), desk.endings
        desk.endings = []
        receipts = tuple(receipt for ending in endings for receipt in ending.signed)
        written = experiment.take_written(
            time.perf_counter(), tells=bool(outgoing or endings), settles=settles, receipts=receipts
        )
        deliveries = [_telling(self._sink, item) for item in outgoing]
        deliveries += [ending.delivery() for ending in endings]
        if written is None or not written.needed:
            self._say(desk, deliveries)
        if written is not None:
            self._write(experiment, desk, written, deliveries)

    def _write(
        self, experiment: Experiment, desk: _Desk, written: JournalBatch, held: list[Delivery]
    ) -> None:
        ticket = object()
        if written.needed:
            self._say(desk, held, ticket)

        def then(stored: bool) -> None:
            if written.needed:
                self._loop.call_soon_threadsafe(partial(desk.lane.settle, ticket, stored=stored))
            self.post(experiment.id, lambda: experiment.stored(well=stored))

        desk.ledger.write(written, then)

    def _say(self, desk: _Desk, deliveries: list[Delivery], ticket: object | None = None) -> None:
        if deliveries or ticket is not None:
            self._loop.call_soon_threadsafe(desk.lane.take, deliveries, ticket)


def _telling(sink: Sink, item: Frames | Event) -> Delivery:
    if isinstance(item, Frames):
        return Delivery(lambda: sink.frames(item.experiment, item.runs))
    return Delivery(lambda: sink.event(item.experiment, item.message))


class InProcessExecutor:
    """Experiments spread over a few threads of this process. More than one helps only kernels that release the GIL."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self._pumps: list[_Pump] = []
        self._promised: set[asyncio.Future[Any]] = set()

    def start(self, sink: Sink) -> None:
        loop = asyncio.get_running_loop()
        self._pumps = [_Pump(f"worker-{number}", loop, sink) for number in range(self._workers)]
        for pump in self._pumps:
            pump.start()

    async def stop(self) -> None:
        pumps, self._pumps = self._pumps, []
        for pump in pumps:
            pump.stop()
        await asyncio.gather(*(asyncio.to_thread(pump.join) for pump in pumps))

    def abandon(self) -> None:
        for answer in list(self._promised):  # whoever waits for a long step would wait for ever
            if not answer.done():
                answer.set_exception(_closed())
                answer.exception()  # looked at, so that one whom nobody awaits any more is no complaint

    def _promise(self) -> asyncio.Future[Any]:
        """An answer to come, which `abandon` sees to if nobody else does."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._promised.add(answer)
        answer.add_done_callback(self._promised.discard)
        return answer

    def _pump(self, id: str) -> _Pump:
        if not self._pumps:
            raise _closed()
        return self._pumps[zlib.crc32(id.encode()) % len(self._pumps)]

    async def open(
        self,
        id: str,
        make: Callable[[], Experiment],
        ledger: Ledger,
        failed: Callable[[], None] = nothing,
    ) -> dict[str, Any]:
        pump, answer = self._pump(id), self._promise()
        ending = _Ending(answer, None)
        pump.post_read(id, lambda: pump.open(id, make, ledger, ending, failed))
        state: dict[str, Any] = await answer
        return state

    async def close(self, id: str, why: FalllineError | None = None) -> None:
        pump, closed = self._pump(id), self._promise()
        # Behind the reads that came before: whoever asked while it was open is answered.
        pump.post_read(id, lambda: pump.close(id, why, closed))
        await closed

    def share(self, id: str, share: str) -> None:
        if self._pumps:
            self._pump(id).share(id, share)

    async def turn(self, id: str) -> None:
        loop, turn = asyncio.get_running_loop(), self._promise()
        self._pump(id).post_read(id, partial(_give_soon, loop, turn))
        await turn

    def charge(self, id: str, seconds: float) -> None:
        if self._pumps:
            self._pump(id).charge(id, seconds)

    @property
    def faults(self) -> int:
        return sum(pump.faults for pump in self._pumps)

    async def answers(self) -> None:
        if not self._pumps:
            raise _closed()
        loop, promised = asyncio.get_running_loop(), []
        for pump in self._pumps:
            answered = self._promise()
            pump.post("", partial(_give_soon, loop, answered))
            promised.append(answered)
        await asyncio.gather(*promised)

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

        found: T = await self._ask(id, at_once, then, receipt, reads=reads)
        return found

    async def ask_later(
        self,
        id: str,
        call: Callable[[Experiment, float, Later], None],
        receipt: Receipt | None = None,
        *,
        reads: bool = False,
    ) -> Any:
        return await self._ask(id, call, None, receipt, reads=reads)

    async def _ask(
        self,
        id: str,
        call: Callable[[Experiment, float, Later], None],
        then: Callable[[Any], None] | None,
        receipt: Receipt | None,
        *,
        reads: bool,
    ) -> Any:
        pump, answer = self._pump(id), self._promise()
        ending = _Ending(answer, None, then, receipt)
        (pump.post_read if reads else pump.post_command)(id, lambda: pump.ask(id, call, ending))
        return await answer


def _closed() -> Unavailable:
    return Unavailable("the server is starting or stopping", retry_after=2)


def _give(answer: asyncio.Future[None]) -> None:
    if not answer.done():
        answer.set_result(None)


def _give_soon(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[None]) -> None:
    loop.call_soon_threadsafe(_give, answer)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
