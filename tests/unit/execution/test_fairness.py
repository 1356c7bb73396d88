"""Equal time for runs of unequal cost."""

import pytest

from fallline.execution.fairness import MOST_DEBTORS, DeficitRoundRobin, Shares


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


def time_until_it_comes_again(turns: DeficitRoundRobin, key: str) -> float:
    """Seconds that others get before it is this key's turn."""
    others = 0.0
    while (one := turns.next())[0] != key:
        turns.charge(one[0], 0.005)
        others += 0.005
    return others


def test_a_debt_is_paid_back_also_by_who_left_meanwhile() -> None:
    turns = DeficitRoundRobin(0.005)
    for key in ("reader", "other"):
        turns.join(key)
    turns.charge("reader", 0.1)
    turns.leave("reader")
    turns.join("reader")
    assert time_until_it_comes_again(turns, "reader") == pytest.approx(0.1, abs=0.01)


def test_what_others_got_meanwhile_makes_a_debt_smaller() -> None:
    turns = DeficitRoundRobin(0.005)
    for key in ("reader", "other"):
        turns.join(key)
    turns.charge("reader", 0.1)
    turns.leave("reader")
    for _ in range(12):
        turns.charge(*turns.next())
    turns.join("reader")
    assert time_until_it_comes_again(turns, "reader") == pytest.approx(0.04, abs=0.01)


def test_an_absent_key_can_be_charged() -> None:
    turns = DeficitRoundRobin(0.005)
    turns.join("other")
    turns.charge("reader", 0.05)
    turns.join("reader")
    assert time_until_it_comes_again(turns, "reader") == pytest.approx(0.05, abs=0.01)


def test_who_goes_for_good_leaves_nothing_behind() -> None:
    turns = DeficitRoundRobin(0.005)
    turns.join("other")
    turns.join("one")
    turns.charge("one", 10.0)
    turns.forget("one")
    turns.join("one")
    assert time_until_it_comes_again(turns, "one") <= 0.005


def test_shares_get_equal_time_however_many_members_they_have() -> None:
    shares = Shares(0.005)
    for number in range(999):
        shares.join(f"one-{number}", "many")
    shares.join("single", "few")
    got = dict.fromkeys(("many", "few"), 0.0)
    for _ in range(4_000):
        member, budget = shares.next()
        share = "few" if member == "single" else "many"
        got[share] += budget
        shares.charge(member, share, budget)
    assert got["few"] == pytest.approx(got["many"], rel=0.02)


def test_members_of_a_share_get_equal_time() -> None:
    shares = Shares(0.005)
    shares.join("heavy", "one")
    shares.join("light", "one")
    got = dict.fromkeys(("heavy", "light"), 0.0)
    for _ in range(2_000):
        member, budget = shares.next()
        cost = 0.02 if member == "heavy" else budget
        got[member] += cost
        shares.charge(member, "one", cost)
    assert got["heavy"] == pytest.approx(got["light"], rel=0.05)


def test_a_member_that_changes_its_share_leaves_the_old_one() -> None:
    shares = Shares(0.005)
    shares.join("one", "address")
    shares.join("one", "owner")
    assert len(shares) == 1
    shares.leave("one")
    assert len(shares) == 0
    assert "one" not in shares


def test_few_debts_of_absent_keys_are_remembered_and_the_largest_of_them() -> None:
    turns = DeficitRoundRobin(0.005)
    turns.join("other")
    for number in range(3 * MOST_DEBTORS):
        turns.charge(f"key-{number}", 0.1 if number == 7 else 0.01)
        assert len(turns._debts) <= MOST_DEBTORS
    turns.join("key-7")
    assert turns._credit["key-7"] < -0.05


def test_a_large_debt_of_all_is_paid_back_at_once_and_the_smallest_comes_first() -> None:
    turns, added = DeficitRoundRobin(0.005), 0

    class Counted(dict[str, float]):
        def __setitem__(self, key: str, credit: float) -> None:
            nonlocal added
            added += 1
            super().__setitem__(key, credit)

    for number in range(100):
        turns.join(f"key-{number}")
        turns.charge(f"key-{number}", 20.0 if number == 7 else 50.0 + number)
    turns._credit = Counted(turns._credit)
    key, budget = turns.next()
    assert key == "key-7"
    assert 0 < budget <= 0.005
    assert added <= 400
    assert turns._credit["key-3"] - turns._credit["key-5"] == pytest.approx(2.0, abs=0.01)
