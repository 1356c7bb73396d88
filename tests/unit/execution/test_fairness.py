"""Equal time for runs of unequal cost."""

import pytest

from fallline.execution.fairness import DeficitRoundRobin


def spend(costs: dict[str, float], quantum: float, seconds: float) -> dict[str, float]:
    """Time that each key got when each of its slices costs at least its step and fills what it may spend."""
    turns = DeficitRoundRobin(quantum)
    for key in costs:
        turns.join(key)
    got = dict.fromkeys(costs, 0.0)
    while sum(got.values()) < seconds:
        key, budget = turns.next()
        cost = max(int(budget / costs[key]), 1) * costs[key]
        got[key] += cost
        turns.charge(key, cost)
    return got


def test_a_hundred_runs_of_unequal_cost_get_equal_time() -> None:
    costs = {f"run-{number}": 1e-6 * 1.1**number for number in range(100)}
    got = spend(costs, quantum=0.005, seconds=100.0)
    assert min(got.values()) > 0.95 * max(got.values())


def test_a_step_longer_than_a_turn_is_paid_back() -> None:
    got = spend({"heavy": 0.020, "light": 1e-5}, quantum=0.005, seconds=10.0)
    assert got["heavy"] == pytest.approx(got["light"], rel=0.05)


def test_who_joins_late_gets_no_credit_for_the_past() -> None:
    turns = DeficitRoundRobin(0.005)
    turns.join("early")
    for _ in range(100):
        key, budget = turns.next()
        turns.charge(key, budget)
    turns.join("late")
    for _ in range(4):
        key, budget = turns.next()
        assert budget <= 0.005
        turns.charge(key, budget)


def test_who_leaves_owes_nothing() -> None:
    turns = DeficitRoundRobin(0.005)
    turns.join("one")
    turns.next()
    turns.charge("one", 10.0)
    turns.leave("one")
    turns.join("one")
    assert turns.next() == ("one", 0.005)
