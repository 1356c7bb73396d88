"""The store thread: in order, in shared commits, and without false reports."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fallline.services import store_thread
from fallline.services.store_thread import AgeClock, StoreThread
from fallline.storage.interface import StoreRefused, StoreUnwritable
from fallline.storage.memory import MemoryStore
from fallline.vocabulary.errors import NotFound, ReadOnly
from fallline.vocabulary.journal import JournalBatch, NewExperiment, Receipt, Record, entry

PROGRESS: dict[str, Any] = {"playing": False}


class Slow(MemoryStore):
    """A store whose commits wait for a signal; it may be full, and it counts."""

    is_durable = True

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []
        self.go = threading.Event()
        self.go.set()
        self.is_full = False
        self.threads: set[str] = set()

    def write(self, records: Sequence[Record]) -> None:
        self.go.wait(60)
        self.threads.add(threading.current_thread().name)
        self.try_writing()
        super().write(records)
        self.commits.append(len(records))

    def try_writing(self) -> None:
        if self.is_full:
            raise StoreUnwritable("no room")

    def delete(self, ids: Sequence[str]) -> None:
        self.try_writing()
        super().delete(ids)


@asynccontextmanager
async def open_thread(store: Slow) -> AsyncIterator[StoreThread]:
    thread = StoreThread(store, AgeClock(lambda: 5.0, lambda: 5.0))
    thread.open()
    thread.start(lambda in_trouble: None)
    try:
        yield thread
    finally:
        store.go.set()
        await thread.stop()


def fact(word: str, *, needed: bool = True, **more: Any) -> JournalBatch:
    return JournalBatch((entry(word),) if needed else (), PROGRESS, needed=needed, **more)


class Writer:
    """Writes into one journal and records the reports."""

    def __init__(self, thread: StoreThread, id: str = "x", count: int = 0) -> None:
        self.lost = 0
        new = None if count else NewExperiment(b"hash")
        self.journal = thread.journal(id, self._lose, count=count, new=new)
        self.stored: list[tuple[str, bool]] = []

    def _lose(self) -> None:
        self.lost += 1

    def write(self, word: str, **more: Any) -> None:
        self.journal.write(fact(word, **more), lambda well: self.stored.append((word, well)))


async def settled(thread: StoreThread) -> None:
    await thread.experiments()
    await asyncio.sleep(0)


async def test_writes_during_a_commit_share_the_next_one() -> None:
    store = Slow()
    async with open_thread(store) as thread:
        store.go.clear()
        writers = [Writer(thread, id) for id in "xyz"]
        writers[0].write("first")
        while not store.threads and not thread._queue:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        for number in range(10):
            for writer in writers:
                writer.write(str(number))
        assert [writer.stored for writer in writers] == [[], [], []], "nothing is stored yet"
        store.go.set()
        await settled(thread)
        assert len(store.commits) <= 3
        assert [len(writer.stored) for writer in writers] == [11, 10, 10]
        assert store.threads == {"store"}
        assert [fact["what"] for fact in (await thread.load("y")).entries] == [
            str(each) for each in range(10)
        ]


class Copied(Slow):
    """A store whose copy waits for a signal."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ends = threading.Event(), threading.Event()

    def copy_to(self, target: Path, between: Callable[[], None]) -> None:
        self.begun.set()
        self.ends.wait(60)
        between()


async def test_writes_behind_a_copy_run_during_it_in_their_order() -> None:
    store = Copied()
    async with open_thread(store) as thread:
        writer = Writer(thread)
        store.go.clear()
        writer.write("before")
        while thread._queue:
            await asyncio.sleep(0.001)
        copy = asyncio.create_task(thread.copy_to(Path("copy")))
        await asyncio.sleep(0)
        writer.write("behind")
        store.go.set()
        while not store.begun.is_set():
            await asyncio.sleep(0.001)
        writer.write("later")
        store.ends.set()
        await copy
        await settled(thread)
        assert writer.stored == [("before", True), ("behind", True), ("later", True)]
        assert [fact["what"] for fact in (await thread.load("x")).entries] == ["before", "behind", "later"]


async def test_calls_run_after_queued_writes() -> None:
    async with open_thread(Slow()) as thread:
        writer = Writer(thread)
        for number in range(20):
            writer.write(str(number))
        assert len((await thread.load("x")).entries) == 20
        await thread.delete(["x"])
        with pytest.raises(NotFound):
            await thread.load("x")
        with pytest.raises(NotFound):
            await thread.answer("x", "key")


async def test_all_queued_writes_are_stored_before_it_stops() -> None:
    store = Slow()
    async with open_thread(store) as thread:
        writer = Writer(thread)
        for number in range(50):
            writer.write(str(number))
    assert writer.stored == [(str(number), True) for number in range(50)]


async def test_a_write_that_was_needed_and_failed_ends_the_ledger() -> None:
    store = Slow()
    async with open_thread(store) as thread:
        writer = Writer(thread)
        writer.write("a")
        await settled(thread)
        store.is_full = True
        writer.write("b")
        writer.write("c")
        await settled(thread)
        store.is_full = False
        writer.write("d")
        await settled(thread)
        assert writer.stored == [("a", True), ("b", False), ("c", False), ("d", False)]
        assert writer.lost == 1
        again = Writer(thread, count=1)
        again.write("e")
        await settled(thread)
        assert [fact["what"] for fact in (await thread.load("x")).entries] == ["a", "e"]


async def test_a_write_that_was_not_needed_may_fail() -> None:
    store = Slow()
    async with open_thread(store) as thread:
        writer = Writer(thread)
        writer.write("a")
        await settled(thread)
        store.is_full = True
        writer.write("where it stands", needed=False)
        await settled(thread)
        store.is_full = False
        writer.write("b")
        await settled(thread)
        assert writer.stored == [("a", True), ("where it stands", False), ("b", True)]
        assert writer.lost == 0


async def test_an_invalid_record_does_not_affect_others(caplog: pytest.LogCaptureFixture) -> None:
    store = Slow()
    async with open_thread(store) as thread:
        good, bad = Writer(thread, "good"), Writer(thread, "bad")
        for writer in (good, bad):
            writer.write("a", receipts=(Receipt("key", b"asked"),))
        await settled(thread)
        store.go.clear()
        good.write("b")
        bad.write("b", receipts=(Receipt("key", b"asked"),))
        good.write("c")
        bad.write("c")
        store.go.set()
        await settled(thread)
        assert good.stored == [("a", True), ("b", True), ("c", True)]
        assert bad.stored == [("a", True), ("b", False), ("c", False)]
        assert (good.lost, bad.lost) == (0, 1)
        assert "does not fit" in caplog.text


async def test_a_write_to_a_deleted_experiment_fails_without_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_thread(Slow()) as thread:
        writer = Writer(thread)
        writer.write("a")
        await thread.delete(["x"])
        writer.write("b")
        await settled(thread)
        assert writer.stored == [("a", True), ("b", False)]
        assert (writer.lost, thread.trouble, caplog.text) == (0, None, "")


async def test_trouble_is_reported_and_so_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_thread, "RETRY_SECONDS", 0.01)
    store = Slow()
    changes: list[bool] = []
    async with open_thread(store) as thread:
        thread.start(changes.append)
        writer = Writer(thread)
        writer.write("a")
        store.is_full = True
        with pytest.raises(ReadOnly):
            await thread.delete(["x"])
        writer.write("b")
        await settled(thread)
        assert (thread.trouble, store.is_full) == ("no room", True)
        store.is_full = False
        while thread.trouble is not None or len(changes) < 2:
            await asyncio.sleep(0.005)
        assert changes == [True, False]


def test_a_store_that_is_refused_is_refused_when_it_is_opened() -> None:
    class Refused(Slow):
        def open(self) -> None:
            raise StoreRefused("in use")

    with pytest.raises(StoreRefused, match="in use"):
        StoreThread(Refused(), AgeClock(lambda: 0.0, lambda: 0.0)).open()


async def test_a_store_that_cannot_be_written_to_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_thread, "RETRY_SECONDS", 0.01)

    class Later(Slow):
        def open(self) -> None:
            raise StoreUnwritable("not yet")

    async with open_thread(Later()) as thread:
        assert thread.trouble == "not yet"
        while thread.trouble is not None:
            await asyncio.sleep(0.005)
