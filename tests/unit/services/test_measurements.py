"""What measurements may take of the time, and how soon whoever keeps to that asks again: by clocks that only measuring
moves.
"""

from __future__ import annotations

import heapq
from typing import Any

import pytest

from fallline.runs import examination_budget
from fallline.services.measurements import MOST_DEBT, REQUEST_SECONDS, SHARE, Budget, Measurements
from support.clocks import Clock


class Bench:
    """Measurements that take as long as they are told to, of which they have a processor for a part."""

    def __init__(self) -> None:
        self.clock, self.own = Clock(), Clock()
        self.measuring = Measurements(self.clock, self.own)

    async def take(self, seconds: float, own: float | None = None, **how: Any) -> dict[str, Any]:
        def measure() -> dict[str, Any]:
            self.clock.now += seconds
            self.own.now += seconds if own is None else own
            return {"told": True}

        return await self.measuring.take(measure, **{"charged": True, **how})


def test_instruments_and_the_doctor_together_slow_no_training_by_5_percent() -> None:
    assert SHARE + examination_budget.SHARE < 0.05


async def test_an_answer_tells_what_it_cost_and_how_long_that_takes_to_be_paid_for() -> None:
    told = await Bench().take(0.01)
    paid = (0.01 + REQUEST_SECONDS) / SHARE
    assert told == {"told": True, "cost_seconds": pytest.approx(0.01), "again_seconds": pytest.approx(paid)}


async def test_time_in_which_a_measurement_had_no_processor_is_no_cost_but_is_paid_for() -> None:
    """On a busy machine it may have held Python's lock meanwhile."""
    told = await Bench().take(0.5, own=0.01)
    assert told["cost_seconds"] == pytest.approx(0.01)
    assert told["again_seconds"] == pytest.approx((0.5 + REQUEST_SECONDS) / SHARE)


async def test_steps_that_had_to_be_made_again_before_a_measurement_are_paid_for_too() -> None:
    told = await Bench().take(0.01, before=0.4)
    assert told["cost_seconds"] == pytest.approx(0.41)
    assert told["again_seconds"] == pytest.approx((0.41 + REQUEST_SECONDS) / SHARE)


async def test_to_write_an_answer_down_is_paid_for_by_the_next_one() -> None:
    bench = Bench()
    first = (await bench.take(0.01))["again_seconds"]
    bench.measuring.add_encoding(0.03)
    bench.clock.now += first
    assert (await bench.take(0.01))["again_seconds"] == pytest.approx(first + 0.03 / SHARE, rel=0.01)


async def test_what_slows_no_training_is_waited_for_by_nobody() -> None:
    bench = Bench()
    first = (await bench.take(0.01, charged=False))["again_seconds"]
    assert first == (await bench.take(0.01))["again_seconds"]


@pytest.mark.parametrize("costs", [[0.01], [0.001, 0.02, 0.005], [0.01] * 10])
def test_all_who_keep_to_the_budget_together_take_no_more_than_their_share(costs: list[float]) -> None:
    budget, taken = Budget(), 0.0
    asked = [(0.0, place) for place in range(len(costs))]
    end = 200 * sum(costs) / SHARE
    while asked[0][0] < end:
        now, place = heapq.heappop(asked)
        taken += costs[place]
        heapq.heappush(asked, (now + budget.spend(costs[place], now), place))
    assert 0.9 * SHARE * end < taken < SHARE * end + 2 * sum(costs)


def test_who_asks_without_a_pause_holds_up_nobody_for_long() -> None:
    budget = Budget()
    for place in range(1000):
        budget.spend(0.1, 0.1 * place)
    assert budget.spend(0.01, 100.0) < (MOST_DEBT + 0.01) / SHARE + 0.001
    assert budget.spend(0.01, 100.0 + MOST_DEBT / SHARE + 1.0) == 0.01 / SHARE
