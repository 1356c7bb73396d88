"""The age clock continues from the store, and no clock jump or sleep adds to it."""

from __future__ import annotations

import pytest

from fallline.services.store_thread import DAY, AgeClock
from fallline.vocabulary.journal import Moment
from support.clocks import Clock


def test_time_passes_as_the_clock_of_the_process_says() -> None:
    clock = Clock()
    age = AgeClock(clock, lambda: 5.0)
    assert age.now() == 0
    clock.now += 7
    assert (age.now(), age.moment()) == (7, Moment(5.0, 7))
    clock.now -= 3  # even a clock that goes back does not make experiments younger
    assert age.now() == 7


@pytest.mark.parametrize(("gap", "counts"), [(60.0, 60.0), (DAY, DAY), (31 * DAY, DAY), (-400 * DAY, 0.0)])
def test_the_time_between_two_servers_counts_up_to_a_day(gap: float, counts: float) -> None:
    age = AgeClock(Clock(), lambda: 1e9 + gap)
    age.resume(Moment(1e9, 500.0))
    assert age.now() == 500.0 + counts


def test_a_store_without_a_mark_begins_at_nothing() -> None:
    age = AgeClock(Clock(), lambda: 1e9)
    age.resume(None)
    assert age.now() == 0


def test_a_machine_that_sleeps_for_a_month_ages_nothing_by_more_than_a_day() -> None:
    clock = Clock()
    age = AgeClock(clock, lambda: 0.0, most_gap=DAY)
    clock.now += 31 * DAY
    assert age.now() == DAY


def test_a_past_moment_has_both_clocks() -> None:
    clock = Clock()
    age = AgeClock(clock, lambda: 1000.0)
    clock.now += 60
    assert age.moment_of(50.0) == Moment(990.0, 50.0)
