"""The budget of measurements, with clocks that only measurements move; and their turns."""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fallline.runs import case
from fallline.runs.instruments.fall_line import FALL_LINE, FallLine, View
from fallline.runs.instruments.together import together
from fallline.services.fair_slots import (
    CLASS_SHARE,
    COSTLY_SHARE,
    LOOKS_SHARE,
    MOST_DEBT,
    REQUEST_SECONDS,
    SHARE,
    Budget,
    FairSlots,
    Measurements,
)
from support.clocks import Clock
from support.labs import created, open_lab


class Bench:
    """Measurements of a given duration, with a processor for a part of it."""

    def __init__(self, pages: int = 1) -> None:
        self.clock, self.own = Clock(), Clock()
        self.measuring = Measurements(FairSlots(1), lambda: pages, self.clock, self.own, cores=2)

    async def take(self, seconds: float, own: float | None = None, **how: Any) -> dict[str, Any]:
        def measure() -> dict[str, Any]:
            self.clock.now += seconds
            self.own.now += seconds if own is None else own
            return {"told": True}

        return await self.measuring.take(measure, **{"charged": True, **how})


def test_instruments_and_the_doctor_together_slow_no_training_by_5_percent() -> None:
    assert SHARE + case.SHARE < 0.05


async def test_an_answer_has_its_cost_and_the_time_to_pay_it_back() -> None:
    answer = await Bench().take(0.01)
    paid = (0.01 + REQUEST_SECONDS) / SHARE
    times = {"cost_seconds": pytest.approx(0.01), "again_seconds": pytest.approx(paid), "pace_seconds": 0.0}
    assert answer == {"told": True, **times}


async def test_time_without_a_processor_is_no_cost_but_is_paid_for() -> None:
    """On a busy machine it may have held Python's lock meanwhile."""
    answer = await Bench().take(0.5, own=0.01)
    assert answer["cost_seconds"] == pytest.approx(0.01)
    assert answer["again_seconds"] == pytest.approx((0.5 + REQUEST_SECONDS) / SHARE)


async def test_steps_replayed_for_a_measurement_are_paid_for_too() -> None:
    answer = await Bench().take(0.01, before=0.4)
    assert answer["cost_seconds"] == pytest.approx(0.41)
    assert answer["again_seconds"] == pytest.approx((0.41 + REQUEST_SECONDS) / SHARE)


async def test_encoding_an_answer_is_paid_for_by_the_next_one() -> None:
    bench = Bench()
    first = (await bench.take(0.01))["again_seconds"]
    bench.measuring.add_encoding(0.03)
    bench.clock.now += first
    assert (await bench.take(0.01))["again_seconds"] == pytest.approx(first + 0.03 / SHARE, rel=0.01)


async def test_a_measurement_that_delays_no_training_is_not_charged() -> None:
    bench = Bench()
    first = (await bench.take(0.01, charged=False))["again_seconds"]
    assert first == (await bench.take(0.01))["again_seconds"]


async def test_one_page_is_not_slowed_by_what_else_the_machine_does() -> None:
    look = await Bench().take(0.2, own=0.001, charged=False)
    assert look["pace_seconds"] < 0.02


@pytest.mark.parametrize("pages", [1, 30, 300])
async def test_the_pages_of_a_class_together_leave_training_its_processor(pages: int) -> None:
    bench = Bench(pages)
    looks, costly = await bench.take(0.001, charged=False), await bench.take(0.05)
    spent = pages * (0.001 + REQUEST_SECONDS) / looks["pace_seconds"]
    assert spent == pytest.approx(LOOKS_SHARE if pages == 1 else CLASS_SHARE)
    assert pages * (0.05 + REQUEST_SECONDS) / costly["again_seconds"] <= COSTLY_SHARE * 1.001
    assert costly["pace_seconds"] == 0.0


@pytest.mark.parametrize("costs", [[0.01], [0.001, 0.02, 0.005], [0.01] * 10])
def test_all_callers_within_the_budget_take_no_more_than_the_share(costs: list[float]) -> None:
    budget, total = Budget(), 0.0
    queue = [(0.0, place) for place in range(len(costs))]
    end = 200 * sum(costs) / SHARE
    while queue[0][0] < end:
        now, place = heapq.heappop(queue)
        total += costs[place]
        heapq.heappush(queue, (now + budget.spend(costs[place], now), place))
    assert 0.9 * SHARE * end < total < SHARE * end + 2 * sum(costs)


def test_a_caller_without_pauses_delays_nobody_for_long() -> None:
    budget = Budget()
    for place in range(1000):
        budget.spend(0.1, 0.1 * place)
    assert budget.spend(0.01, 100.0) < (MOST_DEBT + 0.01) / SHARE + 0.001
    assert budget.spend(0.01, 100.0 + MOST_DEBT / SHARE + 1.0) == 0.01 / SHARE


@pytest.mark.parametrize("charged", [False, True])
async def test_a_measurement_in_a_turn_has_the_pace_of_one_beside_it(charged: bool) -> None:
    bench = Bench(pages=30)

    def measure() -> dict[str, Any]:
        bench.own.now += 0.001
        return {"told": True}

    at_once = bench.measuring.take_now(measure, charged=charged)
    beside = await bench.take(0.001, charged=charged)
    assert at_once == {name: pytest.approx(value) for name, value in beside.items()}


@pytest.mark.parametrize(("cores", "where"), [(1, "worker-0"), (2, "asyncio")])
@pytest.mark.parametrize("what", ["moment", "points"])
async def test_short_looks_are_turns_of_the_training_once_pages_need_all_cores(
    cores: int, where: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def where_it_is(measure: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*of: Any) -> Any:
            threads.append(threading.current_thread().name)
            return measure(*of)

        return measured

    monkeypatch.setattr("fallline.services.views.together", where_it_is(together))
    monkeypatch.setattr(FallLine, "measure", where_it_is(FallLine.measure))
    async with open_lab() as lab:
        monkeypatch.setattr(lab.views._measurements, "_cores", cores)
        monkeypatch.setattr(lab.views._measurements, "_pages", lambda: 1)
        id, _ = await created(lab)
        if what == "moment":
            answer = await lab.views.moment(id, {})
            assert {*answer["runs"]} == {"gd", "sgd"}
            await lab.views.moment(id, {"map": True, "x": "x1", "y": "x2"})
        else:
            await lab.views.shared_instrument(id, FALL_LINE, None, None)
            answer = await lab.views.shared_instrument(id, FALL_LINE, None, None, {"terrain": False})
            assert [point["run"] for point in answer["points"]] == ["gd", "sgd"]
            threads.reverse()
    short, costly = threads
    assert short.startswith(where)
    assert costly.startswith("asyncio")


async def test_a_fall_line_is_measured_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points that come while a terrain is measured wait for it, beside the training."""
    begun, goes_on, order = threading.Event(), threading.Event(), []
    real = FallLine.measure

    def measure(line: FallLine, view: View) -> Any:
        order.append(view.terrain)
        if view.terrain:
            begun.set()
            goes_on.wait(60)
        answer = real(line, view)
        order.append(view.terrain)
        return answer

    monkeypatch.setattr(FallLine, "measure", measure)
    async with open_lab() as lab:
        monkeypatch.setattr(lab.views._measurements, "_cores", 1)
        monkeypatch.setattr(lab.views._measurements, "_pages", lambda: 1)
        id, token = await created(lab)
        terrain = asyncio.ensure_future(lab.views.shared_instrument(id, FALL_LINE, None, None))
        await asyncio.to_thread(begun.wait, 60)
        points = asyncio.ensure_future(
            lab.views.shared_instrument(id, FALL_LINE, None, None, {"terrain": False})
        )
        await lab.command(id, token, "step", {})  # the training goes on meanwhile
        goes_on.set()
        await asyncio.gather(terrain, points)
    assert order == [True, True, False, False]


async def test_work_whose_reader_leaves_before_it_begins_keeps_nobody_waiting() -> None:
    """A share begins no more work beside training while the cost of the last is unknown."""
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        reads, share = lab.views, lab._owners.share(id)
        await FairSlots.acquire(reads._rendering, share)
        leaves = [asyncio.ensure_future(reads.beside(id, lambda: "not rendered")) for _ in range(3)]
        await asyncio.sleep(0.2)
        for one in leaves:  # one waits for a slot, the others for a turn
            one.cancel()
        FairSlots.release(reads._rendering, share, 0.0)
        async with asyncio.timeout(60):
            assert await reads.beside(id, lambda: "rendered") == "rendered"


async def test_a_reader_who_leaves_with_the_turn_gives_it_back() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        executor, share, turns = lab._executor, lab._owners.share(id), list[asyncio.Future[Any]]()
        new_answer = executor._new_answer  # type: ignore[attr-defined]

        def noted() -> asyncio.Future[Any]:
            turns.append(new_answer())
            turns[-1].add_done_callback(lambda _: leaves.cancel())  # just before it goes on
            return turns[-1]

        executor._new_answer = noted  # type: ignore[attr-defined]
        leaves = asyncio.ensure_future(executor.turn(share))
        with pytest.raises(asyncio.CancelledError):
            await leaves
        assert not turns[0].cancelled()
        async with asyncio.timeout(60):
            await executor.turn(share)


async def test_such_work_waits_for_its_turn_in_every_worker_and_each_is_paid() -> None:
    async with open_lab(workers=3) as lab:
        executor = lab._executor
        workers = [thread.worker for thread in executor._threads]  # type: ignore[attr-defined]
        await executor.turn("share")
        assert [worker._beside.running["share"] for worker in workers] == [1, 1, 1]
        executor.charge("share", 1.0)
        await executor.answers()
        assert [worker._beside.running["share"] for worker in workers] == [0, 0, 0]
        assert all(worker._beside.debt_of("share", 1) > 0 for worker in workers)
