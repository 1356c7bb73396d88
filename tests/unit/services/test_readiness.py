"""The readiness check names the part that does not answer."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fallline.execution.in_process import InProcessExecutor
from fallline.realtime.hub import Hub
from fallline.services.readiness import PULSE_SECONDS, REMEMBERED_SECONDS, Pulse, Readiness
from fallline.services.store_thread import AgeClock, StoreThread
from fallline.storage.interface import Store, StoreUnwritable
from fallline.storage.memory import MemoryStore
from fallline.vocabulary.errors import ReadOnly, Unavailable
from support.clocks import Clock


class Parts:
    """A worker and a store that a test can block."""

    def __init__(self, store: Store | None = None) -> None:
        self.clock = Clock()
        self.executor = InProcessExecutor()
        self.thread = StoreThread(MemoryStore() if store is None else store, AgeClock(self.clock, self.clock))
        self.readiness = Readiness(self.executor, self.thread, self.clock, seconds=0.05)

    async def __aenter__(self) -> Parts:
        self.thread.open()
        self.thread.start(lambda in_trouble: None)
        self.executor.start(Hub())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.executor.stop()
        await self.thread.stop()


async def test_a_server_whose_parts_answer_is_ready() -> None:
    async with Parts() as parts:
        parts.readiness = Readiness(parts.executor, parts.thread, parts.clock, seconds=30)
        assert (await parts.readiness.check()).keys() == {"worker_seconds", "store_seconds", "loop_seconds"}


async def test_a_worker_that_hangs_is_named() -> None:
    released = threading.Event()

    def wait() -> None:
        released.wait(90)

    async with Parts() as parts:
        parts.executor._threads[0].post("", wait)
        with pytest.raises(Unavailable, match="training worker has not answered"):
            await parts.readiness.check()
        released.set()


async def test_a_store_that_hangs_is_named() -> None:
    released = threading.Event()
    async with Parts() as parts:
        parts.readiness = Readiness(parts.executor, parts.thread, parts.clock, seconds=3)
        hanging = asyncio.ensure_future(parts.thread._call(lambda _: released.wait(90)))
        with pytest.raises(Unavailable, match="the store has not answered"):
            await parts.readiness.check()
        released.set()
        await hanging


async def test_a_loop_that_was_held_up_is_named_and_forgiven_later() -> None:
    async with Parts() as parts:
        parts.readiness = Readiness(parts.executor, parts.thread, parts.clock, seconds=30)
        pulse = parts.readiness.pulse
        pulse.record(parts.clock.now, 53.0)
        with pytest.raises(Unavailable, match=r"event loop was blocked for 53\.0 s"):
            await parts.readiness.check()
        pulse.record(parts.clock.now + REMEMBERED_SECONDS + PULSE_SECONDS, 0.0)
        assert (await parts.readiness.check())["loop_seconds"] == 0


async def test_the_pulse_notes_how_late_it_comes() -> None:
    clock = Clock(tick=PULSE_SECONDS + 2.5)  # each reading is 2.5 s later than the sleep
    pulse = Pulse(clock)
    beating = asyncio.ensure_future(pulse.beat_for_ever())
    while not pulse.worst:
        await asyncio.sleep(0.01)
    beating.cancel()
    assert pulse.worst == pytest.approx(2 * (PULSE_SECONDS + 2.5) - PULSE_SECONDS)


class Full(MemoryStore):
    def open(self) -> None:
        raise StoreUnwritable("no room")


async def test_a_server_that_cannot_store_says_so() -> None:
    async with Parts(Full()) as parts:
        with pytest.raises(ReadOnly):
            await parts.readiness.check()
