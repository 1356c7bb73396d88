"""The one thread that uses the store, with a queue in front of it, and the clock of ages.

Owns the order of writes, the commits that they share, and whether the store is writable at present. An age is in
seconds that servers of one store have run. It is independent of the machine's clock: a wrong one makes no experiment
older.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from fallline.services.meters import Histogram
from fallline.storage.interface import CopyFailed, RecordDamaged, Store, StoreRefused, StoreUnwritable
from fallline.vocabulary.errors import Damaged, NotFound, ReadOnly
from fallline.vocabulary.journal import (
    Deletion,
    ExperimentInfo,
    JournalBatch,
    Json,
    Moment,
    NewExperiment,
    Record,
    StoredExperiment,
    TableInfo,
    log_id,
    upcast,
    with_deletion,
)

T = TypeVar("T")

Then = Callable[[bool], None]
"""Called on any thread with whether the write was stored."""

LOGGED_DAMAGES = 10
"""Number of damaged experiments and uploads that are logged, each once."""

RETRY_SECONDS = 1.0
"""Seconds between two attempts to write again."""

_log = logging.getLogger(__name__)


class StoredJournal:
    """The stored journal of one live experiment.

    A failed write that was needed breaks it.

    The experiment in memory is then ahead of the store, so it must be opened again from there. The function `lost`
    is called on the event loop, and every further write fails.
    """

    def __init__(
        self, thread: StoreThread, id: str, new: NewExperiment | None, count: int, lost: Callable[[], None]
    ) -> None:
        self._thread = thread
        self.id, self.new, self.count, self.lost = id, new, count, lost
        self.is_broken = False

    def write(self, written: JournalBatch, then: Then) -> None:
        """Queue a write. May be called on any thread."""
        self._thread.enqueue(_Write(self, written, then))


@dataclass(slots=True)
class _Write:
    journal: StoredJournal
    written: JournalBatch
    then: Then


@dataclass(slots=True)
class _Call:
    do: Callable[[Store], Any]
    result: asyncio.Future[Any]
    id: str = ""
    frees_disk: bool = False
    is_long: bool = False
    """It lets later tasks run before its end."""


class StoreThread:
    """Runs writes and calls of a store in order.

    The `age` clock continues from the stored time after opening.
    """

    def __init__(self, store: Store, age: AgeClock) -> None:
        self._store = store
        self.age = age
        self._has_resumed = False
        self._tried_at = 0.0
        self._damaged: set[str] = set()
        self._queue: deque[_Write | _Call] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._opened = threading.Event()
        self._refusal: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._journals: WeakValueDictionary[str, StoredJournal] = WeakValueDictionary()
        self._changed: Callable[[bool], None] = lambda in_trouble: None
        self.write_seconds = Histogram()
        """Durations of commits."""
        self.trouble: str | None = None
        """Why nothing can be stored at present, in words; None if the store is writable."""

    @property
    def is_durable(self) -> bool:
        return self._store.is_durable

    @property
    def kind(self) -> str:
        return self._store.kind

    @property
    def waiting(self) -> int:
        """The number of waiting tasks."""
        return len(self._queue)

    def disk_use(self) -> tuple[int, int]:
        """Return the bytes of the stored files and the free bytes of their disk."""
        return self._store.disk_use()

    def size_of(self, id: str) -> int:
        """Return the stored bytes of an experiment, counted from the first call of `sizes` on."""
        return self._store.size_of(id)

    @property
    def stored_bytes(self) -> int:
        """The stored bytes of all experiments, counted likewise."""
        return self._store.stored_bytes

    @property
    def is_read_only(self) -> bool:
        """True while the store is not writable, so that changes are refused."""
        return self.trouble is not None

    def open(self) -> None:
        """Open the store.

        Raises StoreRefused. An unwritable store sets `trouble` and is tried again later.
        """
        self._thread.start()
        self._opened.wait()
        if self._refusal is not None:
            raise self._refusal

    def start(self, changed: Callable[[bool], None]) -> None:
        """Call `changed` on this event loop when trouble begins (True) or ends (False)."""
        self._loop, self._changed = asyncio.get_running_loop(), changed

    async def stop(self) -> None:
        """Finish the queue and close the store."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    # ------------------------------------------------------------------ requests

    def journal(
        self, id: str, lost: Callable[[], None], *, count: int = 0, new: NewExperiment | None = None
    ) -> StoredJournal:
        """Return the record of an experiment with `count` entries, or of a new one."""
        journal = StoredJournal(self, id, new, count, lost)
        self._journals[id] = journal
        return journal

    async def answers(self) -> None:
        """Wait until the thread has answered."""
        await self._call(lambda _: None)

    async def experiments(self) -> list[ExperimentInfo]:
        return await self._call(lambda store: store.experiments())

    async def load(self, id: str, *, with_parts: bool = True) -> StoredExperiment:
        """Return the stored experiment, in the present format, after all queued writes.

        Raises NotFound, Damaged, and TooNew for the format of a newer program.
        """
        stored = await self._call(lambda store: store.load(id, with_parts=with_parts), id=id)
        if stored is None:
            raise NotFound("no experiment has this id: it may have been deleted")
        return upcast(stored)

    async def readable(self, id: str) -> tuple[Json, ...]:
        """Return the facts of a damaged experiment before the damage."""
        facts = await self._call(lambda store: store.readable_facts(id), id=id)
        return upcast(StoredExperiment(facts, {})).entries

    async def answer(self, id: str, key: str) -> Json:
        """Return the stored answer to the command with this key."""
        answer = await self._call(lambda store: store.answer(id, key), id=id)
        if answer is None:
            raise NotFound("no experiment has this id: it may have been deleted")
        return answer

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete experiments. Raises ReadOnly."""

        def delete(store: Store) -> None:
            store.delete(ids)
            for id in ids:
                if (journal := self._journals.get(id)) is not None:
                    journal.is_broken = True

        await self._call(delete, frees_disk=True)

    async def note_deletion(self, id: str, deletion: Deletion | None) -> bool:
        """Store that a closed experiment is deleted, or (None) that it is back. Raises ReadOnly.

        False if there is no such experiment, or it is damaged.
        """

        def note(store: Store) -> bool:
            try:
                stored = store.load(id, with_parts=False)
            except RecordDamaged:
                return False
            if stored is None:
                return False
            progress = with_deletion(stored.progress, deletion)
            batch = JournalBatch((), progress)
            store.write([Record(id, self.age.moment(), len(stored.entries), batch)])
            return True

        return await self._call(note)

    async def touch(self, used: Mapping[str, float]) -> None:
        """Store the last use of experiments, in seconds of the age clock. Raises ReadOnly."""
        moments = {id: self.age.moment_of(seconds) for id, seconds in used.items()}
        await self._call(lambda store: store.touch(moments))

    async def mark(self) -> None:
        """Store the age clock. Raises ReadOnly."""
        await self._call(lambda store: store.mark(self.age.moment()))

    async def sizes(self) -> dict[str, int]:
        """Return the stored bytes of each experiment."""
        return await self._call(lambda store: store.sizes())

    async def copy_to(self, target: Path) -> None:
        """Copy the store to a new file, while other tasks go on. One copy at a time. Raises CopyFailed."""
        await self._call(lambda store: store.copy_to(target, self._run_waiting), is_long=True)

    async def tables(self) -> list[TableInfo]:
        return await self._call(lambda store: store.tables())

    async def table(self, id: str) -> bytes:
        """Return the file of an upload. Raises NotFound."""
        body = await self._call(lambda store: store.table(id), id=id)
        if body is None:
            raise NotFound("no upload has this id: it may have been deleted for newer ones")
        return body

    async def add_table(self, id: str, body: bytes) -> None:
        """Store the file of an upload. Raises ReadOnly."""
        await self._call(lambda store: store.add_table(id, self.age.moment(), body))

    async def delete_tables(self, ids: Sequence[str]) -> None:
        """Delete uploads. Raises ReadOnly."""
        await self._call(lambda store: store.delete_tables(ids))

    async def _call(
        self, do: Callable[[Store], T], *, id: str = "", frees_disk: bool = False, is_long: bool = False
    ) -> T:
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.enqueue(_Call(do, result, id, frees_disk, is_long))
        return await result

    def enqueue(self, task: _Write | _Call) -> None:
        """Add a task to the queue; called on any thread."""
        with self._wake:
            if self._stopping and not self._thread.is_alive():
                raise ReadOnly
            self._queue.append(task)
            self._wake.notify()

    # ------------------------------------------------------------------ on the thread

    def _run(self) -> None:
        try:
            self._store.open()
            self._resume()
        except StoreUnwritable as error:
            self._begin_trouble(str(error))
        except Exception as error:  # raised by `open` in the caller's thread
            self._refusal = error
            self._store.close()
            return
        finally:
            self._opened.set()
        while (tasks := self._next()) is not None:
            self._do(tasks)
            tasks = []  # or a thread that waits would keep closed experiments in memory
        if self.trouble is None:
            with contextlib.suppress(StoreUnwritable, StoreRefused):
                self._store.mark(self.age.moment())
        self._store.close()

    def _resume(self) -> None:
        """Continue the age clock from the stored time, once."""
        if not self._has_resumed:
            self.age.resume(self._store.last_mark())
            self._has_resumed = True
            self._store.mark(self.age.moment())

    def _next(self) -> list[_Write | _Call] | None:
        with self._wake:
            while not self._queue and not self._stopping:
                if not self._wake.wait(None if self.trouble is None else RETRY_SECONDS):
                    return []
            return self._take() if self._queue else None

    def _take(self) -> list[_Write | _Call]:
        """Take the waiting tasks, up to a long one: those behind it run during it."""
        tasks: list[_Write | _Call] = []
        while self._queue and not (tasks and isinstance(tasks[-1], _Call) and tasks[-1].is_long):
            tasks.append(self._queue.popleft())
        return tasks

    def _run_waiting(self) -> None:
        """Run the tasks that came during a long one. Raises CopyFailed at the end of the server."""
        with self._wake:
            if self._stopping:
                raise CopyFailed("the server is stopping")
            tasks = self._take()
        if tasks:
            self._do(tasks)

    def _do(self, tasks: list[_Write | _Call]) -> None:
        """Run the tasks in order. Consecutive writes share a commit."""
        writes: list[_Write] = []
        for task in tasks:
            if isinstance(task, _Write):
                writes.append(task)
                continue
            self._write(writes)
            writes = []
            self._run_call(task)
        self._write(writes)
        if self.trouble is not None and (not tasks or self.age.now() - self._tried_at >= RETRY_SECONDS):
            self._try_again()

    def _run_call(self, task: _Call) -> None:
        error: Exception | None
        try:
            result, error = task.do(self._store), None
            if task.frees_disk and self.trouble is not None:
                self._try_again()
        except RecordDamaged as caught:
            self._log_damage(task.id, str(caught))
            result, error = None, Damaged(str(caught))
        except (StoreUnwritable, StoreRefused) as caught:
            self._begin_trouble(str(caught))
            result, error = None, ReadOnly()
        except Exception as caught:  # raised in the caller's task
            result, error = None, caught
        self._on_the_loop(lambda: _settle(task.result, result, error))

    def _log_damage(self, id: str, damage: str) -> None:
        """Log each damage once, up to a limit."""
        if id in self._damaged or len(self._damaged) > LOGGED_DAMAGES:
            return
        self._damaged.add(id)
        if len(self._damaged) > LOGGED_DAMAGES:
            _log.error("more than %d experiments and tables are damaged", LOGGED_DAMAGES)
        else:
            _log.error("an experiment or a table is damaged: %s", damage, extra={"experiment": log_id(id)})

    def _write(self, writes: list[_Write]) -> None:
        valid = [write for write in writes if not write.journal.is_broken]
        for write in writes:
            if write.journal.is_broken:
                write.then(False)
        if not valid:
            return
        began = time.perf_counter()
        try:
            self._store.write(self._records(valid))
            seconds = time.perf_counter() - began
            # as `observe` does, without one more module on the way of each command
            self.write_seconds.counts[bisect_left(self.write_seconds.bounds, seconds)] += 1
            self.write_seconds.total += seconds
        except (StoreUnwritable, StoreRefused) as error:
            self._begin_trouble(str(error))
            self._failed(valid)
        except Exception:
            if len(valid) > 1:  # one of them is at fault: store the others
                for write in valid:
                    self._write([write])
                return
            _log.exception("a record does not fit what is stored")
            self._failed(valid)
        else:
            for write in valid:
                write.journal.count += len(write.written.entries)
                write.journal.new = None
                write.then(True)

    def _records(self, writes: list[_Write]) -> list[Record]:
        now, counts = self.age.moment(), dict[StoredJournal, int]()
        records = []
        for write in writes:
            journal = write.journal
            new = None if journal in counts else journal.new
            first = counts.setdefault(journal, journal.count)
            counts[journal] += len(write.written.entries)
            records.append(Record(journal.id, now, first, write.written, new))
        return records

    def _failed(self, writes: list[_Write]) -> None:
        for write in writes:
            if write.written.needed and not write.journal.is_broken:
                write.journal.is_broken = True
                self._on_the_loop(write.journal.lost)
            write.then(False)

    def _begin_trouble(self, why: str) -> None:
        if self.trouble is None:
            _log.error("the store is not writable, so changes are refused: %s", why)
        self._set_trouble(why)

    def _try_again(self) -> None:
        self._tried_at = self.age.now()
        try:
            self._store.try_writing()
            self._resume()
        except (StoreUnwritable, StoreRefused) as error:
            self._set_trouble(str(error))
        else:
            _log.warning("the store is writable again")
            self._set_trouble(None)

    def _set_trouble(self, trouble: str | None) -> None:
        changed = (trouble is None) != (self.trouble is None)
        self.trouble = trouble
        if changed:
            self._on_the_loop(lambda: self._changed(trouble is not None))

    def _on_the_loop(self, do: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(do)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


# ---------------------------------------------------------------------- ages

DAY = 86_400.0

JUMP_SECONDS = 3600.0
"""A larger difference of the machine's clock is logged."""


class AgeClock:
    """Seconds that servers of one store have run.

    `clock` gives seconds, `today` those since 1970.

    A gap counts for at most `most_gap` seconds: a stopped server or a sleeping machine cannot check the machine's
    clock.
    """

    def __init__(self, clock: Callable[[], float], today: Callable[[], float], most_gap: float = DAY) -> None:
        self._clock, self._today, self._most_gap = clock, today, most_gap
        self._lock = threading.Lock()
        self._total, self._read_at, self._offset = 0.0, clock(), today() - clock()

    def now(self) -> float:
        """Return the seconds so far. They never decrease."""
        with self._lock:
            now = self._clock()
            self._total += min(max(now - self._read_at, 0.0), self._most_gap)
            self._read_at = now
            return self._total

    def moment(self) -> Moment:
        """Return the present time on both clocks."""
        return Moment(self._today(), self.now())

    def moment_of(self, seconds: float) -> Moment:
        """Return the time on both clocks when this one showed so many seconds."""
        now = self.moment()
        return Moment(now.at - (now.seen - seconds), seconds)

    def resume(self, marked: Moment | None) -> None:
        """Continue from the last stored time; None for a new store."""
        if marked is None:
            return
        gap = self._today() - marked.at
        counted = min(max(gap, 0.0), self._most_gap)
        with self._lock:
            self._total += marked.seen + counted
        if gap - counted > JUMP_SECONDS or gap < -JUMP_SECONDS:
            _log.warning(
                "this machine's clock differs by %+.1f days from the last use of the data folder: experiments age by "
                "%.1f days, and none is deleted for the rest",
                gap / DAY,
                counted / DAY,
            )

    def check_clock(self) -> None:
        """Log once if the machine's clock has jumped. Ages do not follow it."""
        offset = self._today() - self._clock()
        if abs(jump := offset - self._offset) > JUMP_SECONDS:
            _log.warning(
                "this machine's clock jumped by %+.1f days: experiments do not age by it", jump / DAY
            )
            self._offset = offset
