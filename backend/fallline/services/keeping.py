"""Stores what experiments have to have stored, on one thread that owns the store, many at once.

Owns the order of writes, the commits they share, and what is known of whether anything can be stored at all. Must not
know what is stored, nor how.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from fallline.services.seen_time import SeenTime
from fallline.storage.interface import (
    ExperimentInfo,
    NewExperiment,
    Record,
    RecordDamaged,
    Store,
    StoreRefused,
    StoreUnwritable,
    TableInfo,
)
from fallline.vocabulary.errors import Damaged, NotFound, ReadOnly
from fallline.vocabulary.journal import JournalBatch, Json, StoredExperiment
from fallline.vocabulary.upcasts import upcast

T = TypeVar("T")

Then = Callable[[bool], None]
"""Told, on whatever thread, whether it is stored."""

LOGGED_DAMAGES = 10
"""So many damaged experiments and tables are logged, each once."""

RETRY_SECONDS = 1.0
"""How often it is tried whether storing is possible again."""

_log = logging.getLogger(__name__)


class OpenLedger:
    """Where one open experiment is written down. One write that was needed and failed ends it.

    What the experiment then holds is more than what is stored, so it has to be opened again from the store; `lost` is
    called on the event loop to say so. Until then every further write fails.
    """

    def __init__(
        self, keeper: Keeper, id: str, begun: NewExperiment | None, count: int, lost: Callable[[], None]
    ) -> None:
        self._keeper = keeper
        self.id, self.begun, self.count, self.lost = id, begun, count, lost
        self.is_broken = False

    def write(self, written: JournalBatch, then: Then) -> None:
        """Store it, after everything that was handed over before. May be called on any thread."""
        self._keeper.hand_over(_Write(self, written, then))


@dataclass(slots=True)
class _Write:
    ledger: OpenLedger
    written: JournalBatch
    then: Then


@dataclass(slots=True)
class _Call:
    do: Callable[[Store], Any]
    answer: asyncio.Future[Any]
    of: str = ""
    makes_room: bool = False


class Keeper:
    """The store's one thread, and the queue in front of it. `time` goes on from what is stored once that is open."""

    def __init__(self, store: Store, time: SeenTime) -> None:
        self._store = store
        self.time = time
        self._has_resumed = False
        self._tried = 0.0
        self._damaged: set[str] = set()
        self._queue: deque[_Write | _Call] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._opened = threading.Event()
        self._refusal: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ledgers: WeakValueDictionary[str, OpenLedger] = WeakValueDictionary()
        self._changed: Callable[[bool], None] = lambda in_trouble: None
        self.trouble: str | None = None
        """Why nothing can be stored at present, for people; None while it can."""

    @property
    def is_durable(self) -> bool:
        return self._store.is_durable

    @property
    def kind(self) -> str:
        """What stores, for people."""
        return self._store.kind

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be stored at present, so that no change is taken."""
        return self.trouble is not None

    def open(self) -> None:
        """Open the store. Raises StoreRefused; a store that cannot be written to is `trouble`, and tried again."""
        self._thread.start()
        self._opened.wait()
        if self._refusal is not None:
            raise self._refusal

    def start(self, changed: Callable[[bool], None]) -> None:
        """From here on `changed` is told, on this event loop, when trouble comes (True) or goes."""
        self._loop, self._changed = asyncio.get_running_loop(), changed

    async def stop(self) -> None:
        """Store what was handed over, and close the store."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    # ------------------------------------------------------------------ what may be asked of it

    def ledger(
        self,
        id: str,
        lost: Callable[[], None],
        *,
        count: int = 0,
        begun: NewExperiment | None = None,
    ) -> OpenLedger:
        """Where an experiment is written down from now on: one of which `count` entries are stored, or a new one with
        what comes with its first record.
        """
        ledger = OpenLedger(self, id, begun, count, lost)
        self._ledgers[id] = ledger
        return ledger

    async def answers(self) -> None:
        """Return when the store's thread has answered."""
        await self._ask(lambda _: None)

    async def known(self) -> list[ExperimentInfo]:
        """Every experiment that is stored."""
        return await self._ask(lambda store: store.experiments())

    async def load(self, id: str) -> StoredExperiment:
        """What is stored of an experiment, by everything that was handed over before, as today's program writes it.

        Raises NotFound, Damaged, and TooNew for what a newer program wrote.
        """
        kept = await self._ask(lambda store: store.load(id), of=id)
        if kept is None:
            raise NotFound("no experiment of that id: it may have been deleted")
        return upcast(kept)

    async def readable(self, id: str) -> tuple[Json, ...]:
        """The facts of a damaged experiment, as far as they can be read."""
        facts = await self._ask(lambda store: store.readable_facts(id), of=id)
        return upcast(StoredExperiment(facts, {})).entries

    async def answer(self, id: str, key: str) -> Json:
        """What was answered to a command that came with this key."""
        answer = await self._ask(lambda store: store.answer(id, key), of=id)
        if answer is None:
            raise NotFound("no experiment of that id: it may have been deleted")
        return answer

    async def forget(self, ids: Sequence[str]) -> None:
        """Delete experiments. Raises ReadOnly."""

        def forget(store: Store) -> None:
            store.delete(ids)
            for id in ids:
                if (ledger := self._ledgers.get(id)) is not None:
                    ledger.is_broken = True

        await self._ask(forget, makes_room=True)

    async def touch(self, used: Mapping[str, float]) -> None:
        """Note how much time had been seen when experiments were used last. Raises ReadOnly."""
        moments = {id: self.time.moment_of(seen) for id, seen in used.items()}
        await self._ask(lambda store: store.touch(moments))

    async def mark(self) -> None:
        """Note how much time has been seen. Raises ReadOnly."""
        await self._ask(lambda store: store.mark(self.time.moment()))

    async def tables(self) -> list[TableInfo]:
        """Every table that is stored."""
        return await self._ask(lambda store: store.tables())

    async def table(self, id: str) -> bytes:
        """The CSV of a table. Raises NotFound."""
        body = await self._ask(lambda store: store.table(id), of=id)
        if body is None:
            raise NotFound("no table of that id: it may have made room for others")
        return body

    async def keep_table(self, id: str, body: bytes) -> None:
        """Store a CSV. Raises ReadOnly."""
        await self._ask(lambda store: store.add_table(id, self.time.moment(), body))

    async def forget_tables(self, ids: Sequence[str]) -> None:
        """Delete tables. Raises ReadOnly."""
        await self._ask(lambda store: store.delete_tables(ids))

    async def _ask(self, do: Callable[[Store], T], *, of: str = "", makes_room: bool = False) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.hand_over(_Call(do, answer, of, makes_room))
        return await answer

    def hand_over(self, task: _Write | _Call) -> None:
        """Have it done after what was handed over before; called on any thread."""
        with self._wake:
            if self._stopping and not self._thread.is_alive():
                raise ReadOnly
            self._queue.append(task)
            self._wake.notify()

    # ------------------------------------------------------------------ the store's thread

    def _run(self) -> None:
        try:
            self._try_to_open()
        except Exception as error:  # belongs to the one who asked for it to be opened
            self._refusal = error
            self._store.close()
            return
        finally:
            self._opened.set()
        while (tasks := self._next()) is not None:
            self._do(tasks)
        if self.trouble is None:
            with contextlib.suppress(StoreUnwritable, StoreRefused):
                self._store.mark(self.time.moment())
        self._store.close()

    def _resume(self) -> None:
        """Go on counting from what is stored, once it can be read."""
        if not self._has_resumed:
            self.time.resume(self._store.last_mark())
            self._has_resumed = True
            self._store.mark(self.time.moment())

    def _try_to_open(self) -> None:
        try:
            self._store.open()
            self._resume()
        except StoreUnwritable as error:
            self._is_in_trouble(str(error))

    def _next(self) -> list[_Write | _Call] | None:
        with self._wake:
            while not self._queue and not self._stopping:
                if not self._wake.wait(None if self.trouble is None else RETRY_SECONDS):
                    return []
            if not self._queue:
                return None
            tasks = list(self._queue)
            self._queue.clear()
            return tasks

    def _do(self, tasks: list[_Write | _Call]) -> None:
        """Everything in order; writes that follow each other share a commit."""
        writes: list[_Write] = []
        for task in tasks:
            if isinstance(task, _Write):
                writes.append(task)
                continue
            self._write(writes)
            writes = []
            self._call(task)
        self._write(writes)
        if self.trouble is not None and (not tasks or self.time.now() - self._tried >= RETRY_SECONDS):
            self._try_again()

    def _call(self, task: _Call) -> None:
        error: Exception | None
        try:
            result, error = task.do(self._store), None
            if task.makes_room and self.trouble is not None:
                self._try_again()
        except RecordDamaged as caught:
            self._log_damage(task.of, str(caught))
            result, error = None, Damaged(str(caught))
        except (StoreUnwritable, StoreRefused) as caught:
            self._is_in_trouble(str(caught))
            result, error = None, ReadOnly()
        except Exception as caught:  # belongs to the one who asked
            result, error = None, caught
        self._on_the_loop(lambda: _settle(task.answer, result, error))

    def _log_damage(self, of: str, what: str) -> None:
        """Once for each, and not for ever; without its id, which is the right to read it."""
        if of in self._damaged or len(self._damaged) > LOGGED_DAMAGES:
            return
        self._damaged.add(of)
        if len(self._damaged) > LOGGED_DAMAGES:
            _log.error("more than %d experiments and tables are damaged", LOGGED_DAMAGES)
        else:
            _log.error("an experiment or a table is damaged: %s", what)

    def _write(self, writes: list[_Write]) -> None:
        able = [write for write in writes if not write.ledger.is_broken]
        for write in writes:
            if write.ledger.is_broken:
                write.then(False)
        if not able:
            return
        try:
            self._store.write(self._records(able))
        except (StoreUnwritable, StoreRefused) as error:
            self._is_in_trouble(str(error))
            self._failed(able)
        except Exception:
            if len(able) > 1:  # one of them is at fault: the others are stored
                for write in able:
                    self._write([write])
                return
            _log.exception("a record does not fit what is stored")
            self._failed(able)
        else:
            for write in able:
                write.ledger.count += len(write.written.entries)
                write.ledger.begun = None
                write.then(True)

    def _records(self, writes: list[_Write]) -> list[Record]:
        now, counts = self.time.moment(), dict[OpenLedger, int]()
        records = []
        for write in writes:
            ledger = write.ledger
            begun = None if ledger in counts else ledger.begun
            first = counts.setdefault(ledger, ledger.count)
            counts[ledger] += len(write.written.entries)
            records.append(Record(ledger.id, now, first, write.written, begun))
        return records

    def _failed(self, writes: list[_Write]) -> None:
        for write in writes:
            if write.written.needed and not write.ledger.is_broken:
                write.ledger.is_broken = True
                self._on_the_loop(write.ledger.lost)
            write.then(False)

    def _is_in_trouble(self, why: str) -> None:
        if self.trouble is None:
            _log.error("nothing can be stored, so no changes are taken: %s", why)
        self._set_trouble(why)

    def _try_again(self) -> None:
        self._tried = self.time.now()
        try:
            self._store.try_writing()
            self._resume()
        except (StoreUnwritable, StoreRefused) as error:
            self._set_trouble(str(error))
        else:
            _log.warning("storing is possible again")
            self._set_trouble(None)

    def _set_trouble(self, trouble: str | None) -> None:
        changed = (trouble is None) != (self.trouble is None)
        self.trouble = trouble
        if changed:
            self._on_the_loop(lambda: self._changed(trouble is not None))

    def _on_the_loop(self, do: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(do)


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
