"""Turns of a worker, on a clock that only moves when something is computed."""

from __future__ import annotations

from typing import cast

import pytest

from fallline.execution.worker import QUANTUM, Worker
from fallline.runs.experiment import Experiment
from support.clocks import Clock


class Costly:
    """Stands in for an experiment: each of its steps takes `cost` seconds of the clock."""

    def __init__(self, id: str, cost: float, wake: float | None = 0.0) -> None:
        self.id, self.cost, self.wake = id, cost, wake
        self.spent = 0.0
        self.fails = False

    def wake_at(self, now: float) -> float | None:
        return None if self.wake is None else max(now, self.wake)

    def work(self, budget: float, now: float, clock: Clock) -> None:
        if self.fails:
            raise RuntimeError("a fault")
        took = max(int(budget / self.cost), 1) * self.cost
        clock.now += took
        self.spent += took


def opened(*experiments: Costly, clock: Clock) -> Worker:
    worker = Worker()
    for one in experiments:
        worker.open(cast(Experiment, one))
        worker.reconsider(one.id, clock.now)
    return worker


def test_experiments_of_unequal_cost_get_equal_time() -> None:
    clock = Clock()
    experiments = [Costly(f"x{number}", 1e-6 * 3**number) for number in range(9)]
    worker = opened(*experiments, clock=clock)
    end = clock.now + 50
    while clock.now < end:
        worker.turn(clock)
    spent = [one.spent for one in experiments]
    assert min(spent) > 0.95 * max(spent)


def test_a_turn_is_of_one_experiment_and_short() -> None:
    clock = Clock()
    worker = opened(Costly("a", 1e-5), Costly("b", 1e-5), clock=clock)
    told = [worker.turn(clock) for _ in range(4)]
    assert [one.id for one in told if one is not None] == ["a", "b", "a", "b"]
    assert clock.now - 1000.0 <= 4 * 2 * QUANTUM


def test_who_sleeps_is_woken_in_time_and_costs_nothing_before() -> None:
    clock = Clock()
    late, never = Costly("late", 1e-3, wake=1000.5), Costly("never", 1e-3, wake=None)
    worker = opened(late, never, clock=clock)
    assert worker.wake_at(clock.now) == pytest.approx(1000.5)
    assert worker.turn(clock) is None
    clock.now = 1000.6
    worker.turn(clock)
    assert (late.spent > 0, never.spent) == (True, 0)


def test_a_wake_up_that_was_put_off_is_forgotten() -> None:
    clock = Clock()
    one = Costly("a", 1e-3, wake=1001.0)
    worker = opened(one, clock=clock)
    one.wake = 1005.0
    worker.reconsider("a", clock.now)
    assert worker.wake_at(clock.now) == pytest.approx(1005.0)
    worker.close("a")
    assert worker.wake_at(clock.now) is None


def test_an_experiment_that_fails_is_let_go_and_the_others_go_on() -> None:
    clock = Clock()
    bad, good = Costly("bad", 1e-3), Costly("good", 1e-3)
    bad.fails = True
    worker = opened(bad, good, clock=clock)
    with pytest.raises(RuntimeError):
        worker.turn(clock)
    for _ in range(5):
        worker.turn(clock)
    assert worker.find("bad") is None
    assert good.spent > 0
