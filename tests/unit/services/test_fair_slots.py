"""Tasks beside the event loop: shares take turns, and no slot is lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import cast

import pytest

from fallline.execution.interface import Executor
from fallline.services.fair_slots import FairSlots, SlotsBesideTraining, WaitingRequests
from fallline.vocabulary.errors import TooManyRequests
from support.clocks import work_for

PATIENCE = 60.0
"""Seconds, for a machine that has other things to do."""


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0)


async def rounds() -> None:
    """Let all tasks go on that wait for nothing."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_share_with_much_work_holds_up_no_other() -> None:
    slots, done, goes_on = FairSlots(1), list[str](), threading.Event()

    def work(name: str) -> None:
        goes_on.wait(PATIENCE)
        work_for(0.005)
        done.append(name)

    crowd = [asyncio.ensure_future(slots.run("crowd", lambda: work("crowd"))) for _ in range(60)]
    await until(lambda: slots.free == 0)
    person = asyncio.ensure_future(slots.run("person", lambda: work("person")))
    await until(lambda: "person" in slots._waiting)
    goes_on.set()
    await asyncio.gather(person, *crowd)
    assert done.index("person") <= 8
    assert len(done) == 61


async def test_a_share_is_charged_for_its_own_work_and_not_for_waiting() -> None:
    """On a busy machine a thread waits for the processor: the turns that pay for it would too."""
    charged: dict[str, float] = {}

    class Executes:
        async def turn(self, share: str) -> None: ...

        def charge(self, share: str, seconds: float) -> None:
            charged[share] = seconds

    slots = SlotsBesideTraining(cast(Executor, Executes()), 1)
    await slots.run("works", lambda: work_for(0.02))
    await slots.run("waits", lambda: time.sleep(0.2))
    assert charged["works"] == pytest.approx(0.02, abs=0.01)
    assert charged["waits"] < 0.05


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
    async with asyncio.timeout(PATIENCE):
        while slots.free < 2:
            await asyncio.sleep(0.01)
    assert most == 2
    assert slots._waiting == {}
    assert len(slots._turns) == 0


async def test_a_caller_who_leaves_with_a_slot_releases_it() -> None:
    slots, goes_on = FairSlots(1), threading.Event()
    first = asyncio.ensure_future(slots.run("a", lambda: goes_on.wait(PATIENCE)))
    await until(lambda: slots.free == 0)
    leaves = asyncio.ensure_future(slots.run("b", lambda: None))
    after = asyncio.ensure_future(slots.run("c", lambda: "done"))
    await until(lambda: slots._waiting.keys() == {"b", "c"})
    (turn,) = slots._waiting["b"]
    turn.add_done_callback(lambda _: leaves.cancel())
    goes_on.set()
    async with asyncio.timeout(PATIENCE):
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


async def test_long_tasks_of_one_share_leave_slots_for_others() -> None:
    slots = FairSlots(4)
    acquired = []

    async def hold(share: str) -> None:
        await slots.acquire(share)
        acquired.append(share)

    tasks = [asyncio.ensure_future(hold(share)) for share in ("a", "a", "a", "a", "b", "b", "c", "d")]
    await rounds()
    assert acquired == ["a", "a", "b", "c"]
    slots.release("b", 1.0)
    await rounds()
    assert acquired == ["a", "a", "b", "c", "d"]
    for share in ("a", "a", "c", "d"):
        slots.release(share, 1.0)
    await rounds()
    for share in ("a", "a", "b"):
        slots.release(share, 1.0)
    await asyncio.gather(*tasks)
    assert (slots.free, slots._waiting) == (4, {})


class Turns:
    """A fake executor: `turn` waits for `goes_on` of its share, and each call is noted."""

    def __init__(self) -> None:
        self.goes_on = {"a": asyncio.Event(), "b": asyncio.Event()}
        self.noted: list[tuple[str, str]] = []

    async def turn(self, share: str) -> None:
        await self.goes_on[share].wait()
        self.noted.append(("turn", share))

    def charge(self, share: str, seconds: float) -> None:
        self.noted.append(("nothing" if seconds == 0.0 else "charge", share))


async def test_beside_training_work_waits_for_the_turn_of_its_share_and_is_charged() -> None:
    turns = Turns()
    slots = SlotsBesideTraining(cast(Executor, turns), 1)
    owes = asyncio.ensure_future(slots.run("a", lambda: turns.noted.append(("work", "a"))))
    turns.goes_on["b"].set()
    await slots.run("b", lambda: turns.noted.append(("work", "b")))
    assert turns.noted == [("turn", "b"), ("work", "b"), ("charge", "b")]
    turns.goes_on["a"].set()
    await owes
    assert turns.noted[3:] == [("turn", "a"), ("work", "a"), ("charge", "a")]


async def test_beside_training_work_that_fails_is_charged() -> None:
    turns = Turns()
    turns.goes_on["a"].set()
    slots = SlotsBesideTraining(cast(Executor, turns), 1)
    with pytest.raises(ZeroDivisionError):
        await slots.run("a", lambda: 1 // 0)
    assert turns.noted == [("turn", "a"), ("charge", "a")]
    assert slots.free == 1


@pytest.mark.parametrize("leaves_with_the_slot", [False, True])
async def test_a_caller_who_leaves_before_the_work_begins_gives_the_turn_back_once(
    *, leaves_with_the_slot: bool
) -> None:
    turns = Turns()
    for each in turns.goes_on.values():
        each.set()
    slots = SlotsBesideTraining(cast(Executor, turns), 1)
    await slots.acquire("a")
    leaves = asyncio.ensure_future(slots.run("b", lambda: turns.noted.append(("work", "b"))))
    while "b" not in slots._waiting:
        await asyncio.sleep(0)
    if leaves_with_the_slot:
        slots.release("a", 1.0)
    leaves.cancel()
    await asyncio.wait([leaves])
    if not leaves_with_the_slot:
        slots.release("a", 1.0)
    with pytest.raises(asyncio.CancelledError):
        await leaves
    assert sorted(turns.noted) == [("charge", "a"), ("nothing", "b"), ("turn", "a"), ("turn", "b")]
    assert slots.free == 1


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
