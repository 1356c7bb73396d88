"""The executor of one machine: a worker a thread, bridged to the event loop. Must not know HTTP or what is computed."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from fallline.execution.interface import Later, Sink
from fallline.execution.worker import Worker
from fallline.runs.experiment import Event, Experiment, Frames
from fallline.vocabulary.errors import NotFound, Unavailable

T = TypeVar("T")

NO_EXPERIMENT = "no experiment of that id: it may have been deleted, or the server restarted"

_log = logging.getLogger(__name__)

Delivery = Callable[[], None]
"""Something to be done on the event loop."""


class _Pump:
    """One thread that turns one worker, does calls between turns, and hands deliveries to the event loop in order."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, sink: Sink) -> None:
        self._loop = loop
        self._sink = sink
        self._worker = Worker()
        self._calls: deque[Callable[[Worker], list[Delivery]]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def join(self) -> None:
        self._thread.join()

    def post(self, call: Callable[[Worker], list[Delivery]]) -> None:
        """Have `call` done between two slices; what it returns is delivered on the event loop."""
        with self._wake:
            self._calls.append(call)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._calls and not self._stopping and (seconds := self._idle_for()) != 0:
                    self._wake.wait(seconds)
                if self._stopping:
                    return
                calls = list(self._calls)
                self._calls.clear()
            for call in calls:
                self._deliver(call(self._worker))
            self._deliver(self._turn())

    def _turn(self) -> list[Delivery]:
        try:
            return self.told(self._worker.turn(time.perf_counter))
        except Exception:
            # A fault of ours; the worker has let that experiment go, and the others go on.
            _log.exception("an experiment failed and was closed")
            return []

    def _idle_for(self) -> float | None:
        now = time.perf_counter()
        wake = self._worker.wake_at(now)
        return None if wake is None else max(wake - now, 0)

    def told(self, items: list[Frames | Event]) -> list[Delivery]:
        """What an experiment has to tell, as deliveries to the sink."""
        return [_telling(self._sink, item) for item in items]

    def _deliver(self, deliveries: list[Delivery]) -> None:
        if deliveries:
            self._loop.call_soon_threadsafe(_in_order, deliveries)


def _telling(sink: Sink, item: Frames | Event) -> Delivery:
    if isinstance(item, Frames):
        return lambda: sink.frames(item.experiment, item.runs)
    return lambda: sink.event(item.experiment, item.message)


def _in_order(deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        delivery()


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
        for answer in list(self._promised):  # whoever waits for a long step would wait for ever
            if not answer.done():
                answer.set_exception(_closed())
                answer.exception()  # looked at, so that one whom nobody awaits any more is no complaint

    def _promise(self) -> asyncio.Future[Any]:
        """An answer to come, which `stop` sees to if nobody else does."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._promised.add(answer)
        answer.add_done_callback(self._promised.discard)
        return answer

    def _pump(self, id: str) -> _Pump:
        if not self._pumps:
            raise _closed()
        return self._pumps[zlib.crc32(id.encode()) % len(self._pumps)]

    async def open(self, id: str, make: Callable[[], Experiment]) -> dict[str, Any]:
        answer: asyncio.Future[dict[str, Any]] = self._promise()

        def call(worker: Worker) -> list[Delivery]:
            try:
                experiment = make()
                worker.open(experiment)
                state = experiment.state()
            except Exception as error:  # whatever went wrong belongs to the one who asked, not to this thread
                return [_failing(answer, error)]
            return [_answering(answer, state)]

        self._pump(id).post(call)
        return await answer

    def close(self, id: str) -> None:
        def call(worker: Worker) -> list[Delivery]:
            experiment = worker.find(id)
            if experiment is not None:
                experiment.close(time.perf_counter())  # answers whoever waits
            worker.close(id)
            return []

        self._pump(id).post(call)

    async def ask(
        self, id: str, call: Callable[[Experiment, float], T], then: Callable[[T], None] | None = None
    ) -> T:
        answer: asyncio.Future[T] = self._promise()

        def finish(experiment: Experiment, now: float) -> list[Delivery]:
            result = call(experiment, now)
            return [_answering(answer, result, then)]

        self._post(id, answer, finish)
        return await answer

    async def ask_later(self, id: str, call: Callable[[Experiment, float, Later], None]) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = self._promise()

        def done(result: Any) -> None:
            failed = isinstance(result, Exception)
            loop.call_soon_threadsafe(_failing(answer, result) if failed else _answering(answer, result))

        def begin(experiment: Experiment, now: float) -> list[Delivery]:
            call(experiment, now, done)
            return []

        self._post(id, answer, begin)
        return await answer

    def _post(
        self, id: str, answer: asyncio.Future[Any], call: Callable[[Experiment, float], list[Delivery]]
    ) -> None:
        pump = self._pump(id)

        def posted(worker: Worker) -> list[Delivery]:
            experiment = worker.find(id)
            if experiment is None:
                return [_failing(answer, NotFound(NO_EXPERIMENT))]
            now = time.perf_counter()
            try:
                ending = call(experiment, now)
            except Exception as error:  # as in `open`
                ending = [_failing(answer, error)]
            worker.reconsider(id, now)
            return [*pump.told(experiment.take_outgoing()), *ending]

        pump.post(posted)


def _closed() -> Unavailable:
    return Unavailable("the server is starting or stopping", retry_after=2)


def _answering(answer: asyncio.Future[T], result: T, then: Callable[[T], None] | None = None) -> Delivery:
    def deliver() -> None:
        if then is not None:
            then(result)
        if not answer.done():
            answer.set_result(result)

    return deliver


def _failing(answer: asyncio.Future[Any], error: Exception) -> Delivery:
    def deliver() -> None:
        if not answer.done():
            answer.set_exception(error)

    return deliver
