"""Tasks beside the event loop: shares take turns, and no slot is lost."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import ExitStack

import pytest

from fallline.services.fair_slots import FairSlots, WaitingRequests
from fallline.vocabulary.errors import TooManyRequests


async def test_one_share_with_much_work_holds_up_no_other() -> None:
    slots, done = FairSlots(2), list[str]()

    def work(name: str) -> None:
        time.sleep(0.005)
        done.append(name)

    crowd = [asyncio.ensure_future(slots.run("crowd", lambda: work("crowd"))) for _ in range(60)]
    await asyncio.sleep(0.02)
    before = len(done)
    await slots.run("person", lambda: work("person"))
    assert len(done) - before <= 8
    await asyncio.gather(*crowd)
    assert len(done) == 61


async def test_no_more_tasks_run_than_there_are_slots_even_if_waiting_callers_leave() -> None:
    slots, lock, now, most = FairSlots(2), threading.Lock(), 0, 0

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    for _ in range(5):
        tasks = [asyncio.ensure_future(slots.run(f"s{number % 3}", work)) for number in range(12)]
        await asyncio.sleep(0.004)
        for one in tasks[::2]:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5):
        while slots.free < 2:
            await asyncio.sleep(0.01)
    assert most == 2
    assert slots._waiting == {}
    assert len(slots._turns) == 0


async def test_a_caller_who_leaves_with_a_slot_releases_it() -> None:
    slots, goes_on = FairSlots(1), threading.Event()
    first = asyncio.ensure_future(slots.run("a", lambda: goes_on.wait(10)))
    await asyncio.sleep(0.01)
    leaves = asyncio.ensure_future(slots.run("b", lambda: None))
    after = asyncio.ensure_future(slots.run("c", lambda: "done"))
    await asyncio.sleep(0.01)
    (turn,) = slots._waiting["b"]
    turn.add_done_callback(lambda _: leaves.cancel())
    goes_on.set()
    async with asyncio.timeout(5):
        assert await after == "done"
        assert await first
    with pytest.raises(asyncio.CancelledError):
        await leaves
    assert slots.free == 1


async def test_work_that_fails_frees_its_slot() -> None:
    slots = FairSlots(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await slots.run("a", lambda: 1 // 0)
    assert slots.free == 1


async def test_with_leaves_some_long_tasks_of_one_share_leave_slots_for_others() -> None:
    slots = FairSlots(4, leaves_some=True)
    acquired = []

    async def hold(share: str) -> None:
        await slots.acquire(share)
        acquired.append(share)

    tasks = [asyncio.ensure_future(hold(share)) for share in ("a", "a", "a", "a", "b", "b", "c", "d")]
    await asyncio.sleep(0.01)
    assert acquired == ["a", "a", "b", "c"]
    slots.release("b", 1.0)
    await asyncio.sleep(0.01)
    assert acquired == ["a", "a", "b", "c", "d"]
    for share in ("a", "a", "c", "d"):
        slots.release(share, 1.0)
    await asyncio.sleep(0.01)
    for share in ("a", "a", "b"):
        slots.release(share, 1.0)
    await asyncio.gather(*tasks)
    assert (slots.free, slots._waiting) == (4, {})


def test_a_share_may_have_half_of_the_waiting_requests_that_the_others_leave() -> None:
    waiting = WaitingRequests("reports", most=100, fewest=8)
    with ExitStack() as crowd, ExitStack() as person:
        for _ in range(50):
            crowd.enter_context(waiting.one("crowd"))
        with pytest.raises(TooManyRequests, match="50 reports already wait"):
            crowd.enter_context(waiting.one("crowd"))
        for _ in range(25):
            person.enter_context(waiting.one("person"))
        with pytest.raises(TooManyRequests), waiting.one("person"):
            pass
        for number in range(8):
            person.enter_context(waiting.one(f"late-{number}"))
    assert len(waiting) == 0
