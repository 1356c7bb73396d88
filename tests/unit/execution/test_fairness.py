"""Equal time for runs of unequal cost."""

from collections import Counter

import pytest

from fallline.execution.worker import MOST_DEBTORS, DeficitRoundRobin, Shares


def spend(costs: dict[str, float], quantum: float, seconds: float) -> dict[str, float]:
    """Return the seconds of each key, if its slices fill their budget."""
    turns = DeficitRoundRobin[str](quantum)
    for key in costs:
        turns.join(key)
    served = dict.fromkeys(costs, 0.0)
    while sum(served.values()) < seconds:
        key = turns.next()
        cost = max(int(quantum / costs[key]), 1) * costs[key]
        served[key] += cost
        turns.charge(key, cost)
    return served


def test_a_hundred_runs_of_unequal_cost_get_equal_time() -> None:
    costs = {f"run-{number}": 1e-6 * 1.1**number for number in range(100)}
    served = spend(costs, quantum=0.005, seconds=100.0)
    assert min(served.values()) > 0.95 * max(served.values())


def test_a_step_longer_than_a_turn_becomes_a_debt() -> None:
    served = spend({"heavy": 0.020, "light": 1e-5}, quantum=0.005, seconds=10.0)
    assert served["heavy"] == pytest.approx(served["light"], rel=0.05)


def test_a_late_key_gets_no_credit_for_earlier_rounds() -> None:
    turns = DeficitRoundRobin[str](0.005)
    turns.join("early")
    for _ in range(100):
        turns.charge(turns.next(), 0.005)
    turns.join("late")
    served = Counter[str]()
    for _ in range(40):
        served[key := turns.next()] += 1
        turns.charge(key, 0.005)
    assert served["early"] == served["late"] == 20


def seconds_before_next_turn(turns: DeficitRoundRobin[str], key: str) -> float:
    """Return the seconds of the others before this key's turn."""
    others = 0.0
    while (one := turns.next()) != key:
        turns.charge(one, 0.005)
        others += 0.005
    return others


def test_a_key_pays_its_debt_after_leaving_and_returning() -> None:
    turns = DeficitRoundRobin[str](0.005)
    for key in ("reader", "other"):
        turns.join(key)
    turns.charge("reader", 0.1)
    turns.leave("reader")
    turns.join("reader")
    assert seconds_before_next_turn(turns, "reader") == pytest.approx(0.1, abs=0.01)


def test_turns_of_the_others_reduce_the_debt_of_an_absent_key() -> None:
    turns = DeficitRoundRobin[str](0.005)
    for key in ("reader", "other"):
        turns.join(key)
    turns.charge("reader", 0.1)
    turns.leave("reader")
    for _ in range(12):
        turns.charge(turns.next(), 0.005)
    turns.join("reader")
    assert seconds_before_next_turn(turns, "reader") == pytest.approx(0.04, abs=0.01)


def test_an_absent_key_can_be_charged() -> None:
    turns = DeficitRoundRobin[str](0.005)
    turns.join("other")
    turns.charge("reader", 0.05)
    turns.join("reader")
    assert seconds_before_next_turn(turns, "reader") == pytest.approx(0.05, abs=0.01)


def test_a_forgotten_key_has_no_debt() -> None:
    turns = DeficitRoundRobin[str](0.005)
    turns.join("other")
    turns.join("one")
    turns.charge("one", 10.0)
    turns.forget("one")
    turns.join("one")
    assert seconds_before_next_turn(turns, "one") <= 0.005


def test_shares_get_equal_time_however_many_members_they_have() -> None:
    shares = Shares[str](0.005)
    for number in range(999):
        shares.join(f"one-{number}", "many")
    shares.join("single", "few")
    served = dict.fromkeys(("many", "few"), 0.0)
    for _ in range(4_000):
        member = shares.next()
        share = "few" if member == "single" else "many"
        served[share] += 0.005
        shares.charge(member, share, 0.005)
    assert served["few"] == pytest.approx(served["many"], rel=0.02)


def test_members_of_a_share_get_equal_time() -> None:
    shares = Shares[str](0.005)
    shares.join("heavy", "one")
    shares.join("light", "one")
    served = dict.fromkeys(("heavy", "light"), 0.0)
    for _ in range(2_000):
        member = shares.next()
        cost = 0.02 if member == "heavy" else 0.005
        served[member] += cost
        shares.charge(member, "one", cost)
    assert served["heavy"] == pytest.approx(served["light"], rel=0.05)


def test_a_member_that_changes_its_share_leaves_the_old_one() -> None:
    shares = Shares[str](0.005)
    shares.join("one", "address")
    shares.join("one", "owner")
    assert len(shares) == 1
    shares.leave("one")
    assert len(shares) == 0
    assert "one" not in shares


def test_only_the_largest_debts_of_absent_keys_are_stored() -> None:
    turns = DeficitRoundRobin[str](0.005)
    turns.join("other")
    for number in range(3 * MOST_DEBTORS):
        turns.charge(f"key-{number}", 0.1 if number == 7 else 0.01)
        assert len(turns._debts) <= MOST_DEBTORS
    turns.join("key-7")
    assert turns._credit["key-7"] < -0.05


def test_rounds_without_a_turn_are_skipped_and_the_smallest_debt_comes_first() -> None:
    turns, added = DeficitRoundRobin[str](0.005), 0

    class Counted(dict[str, float]):
        def __setitem__(self, key: str, credit: float) -> None:
            nonlocal added
            added += 1
            super().__setitem__(key, credit)

    for number in range(100):
        turns.join(f"key-{number}")
        turns.charge(f"key-{number}", 20.0 if number == 7 else 50.0 + number)
    turns._credit = Counted(turns._credit)
    assert turns.next() == "key-7"
    assert 0 < turns._credit["key-7"] <= 0.005
    assert added <= 400
    assert turns._credit["key-3"] - turns._credit["key-5"] == pytest.approx(2.0, abs=0.01)
