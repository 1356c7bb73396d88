"""Creations that nobody uses are limited; used ones and ones that failed at no cost are not."""

from __future__ import annotations

import pytest

from fallline.realtime import limits
from fallline.services.creations import COUNTED_SECONDS, Creations
from fallline.vocabulary.errors import TooManyRequests


def create(creations: Creations, share: str = "class", now: float = 0.0) -> None:
    with creations.counted(share, now):
        pass


def test_a_class_that_uses_what_it_creates_is_never_limited() -> None:
    creations = Creations(300)
    for _ in range(10):
        for _ in range(300):
            create(creations)
        for _ in range(300):
            creations.used("class")


def test_a_loop_is_slowed_to_its_rate_and_hears_when_to_come_back() -> None:
    creations = Creations(6)
    for _ in range(6):
        create(creations)
    for number in range(5):
        now = number * COUNTED_SECONDS / 6
        with pytest.raises(TooManyRequests) as refused:
            create(creations, now=now)
        assert refused.value.retry_after == pytest.approx(COUNTED_SECONDS / 6)
        create(creations, now=now + refused.value.retry_after + 1e-6)


def test_one_share_does_not_limit_another() -> None:
    creations = Creations(2)
    for share in ("a", "b"):
        for _ in range(2):
            create(creations, share)
        with pytest.raises(TooManyRequests, match="2 new experiments and uploads in 10 minutes"):
            create(creations, share)
    creations.used("a")
    create(creations, "a")
    with pytest.raises(TooManyRequests):
        create(creations, "b")


def test_a_creation_that_fails_does_not_count() -> None:
    creations = Creations(1)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), creations.counted("a", 0.0):
            _ = 1 // 0
    create(creations, "a")


def test_a_failure_that_costs_as_much_as_a_success_counts() -> None:
    creations = Creations(3)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), creations.counted("a", 0.0, ZeroDivisionError, KeyError):
            _ = 1 // 0
    with pytest.raises(TooManyRequests):
        create(creations, "a")


def test_uses_of_more_than_was_created_give_no_more_than_the_limit() -> None:
    creations = Creations(2)
    create(creations)
    for _ in range(10):
        creations.used("class")
    creations.used("nobody")
    create(creations)
    create(creations)
    with pytest.raises(TooManyRequests):
        create(creations)


def test_shares_that_come_once_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_REMEMBERED", 10)
    creations = Creations(2)
    for number in range(1_000):
        create(creations, f"share {number}")
    assert len(creations._budgets) == 10
