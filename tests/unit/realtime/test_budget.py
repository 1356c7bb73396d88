"""The rate limit: permits return at a steady rate."""

from fallline.realtime.limits import Budget


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    budget = Budget(rate=5, burst=20, now=0)
    assert sum(budget.take(0) for _ in range(100)) == 20
    assert sum(budget.take(millisecond / 1000) for millisecond in range(1, 2001)) == 10


def test_it_returns_the_seconds_to_wait() -> None:
    budget = Budget(rate=2, burst=1, now=0)
    assert budget.take(0)
    assert budget.seconds_to_next(0) == 0.5
    assert not budget.take(0.4)
    assert budget.take(0.51)


def test_it_never_holds_more_than_its_burst() -> None:
    budget = Budget(rate=1, burst=3, now=0)
    assert budget.is_full(1e6)
    assert sum(budget.take(1e6) for _ in range(10)) == 3
    assert not budget.is_full(1e6)
