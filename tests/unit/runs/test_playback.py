"""The number of ticks that are due at a speed."""

import math

import pytest

from fallline.runs.stepping import DEBT_SECONDS, WAKE_SECONDS, Playback


def play_for(playback: Playback, seconds: float, most_a_turn: float = math.inf) -> int:
    """Return the ticks in so many seconds for a caller that obeys `wake_at`."""
    now, end = playback.since, playback.since + seconds
    while now < end:
        ticks = int(min(playback.due(now), most_a_turn))
        playback.ticks += ticks
        now = max(playback.wake_at(now), now + 1e-4)
    return playback.ticks


@pytest.mark.parametrize("speed", [1.0, 7.0, 24.0, 60.0, 333.0, 1000.0])
def test_a_speed_is_met_within_five_percent(speed: float) -> None:
    ticks = play_for(Playback(speed, "steps", since=100.0), seconds=20)
    assert ticks == pytest.approx(speed * 20, rel=0.05)


def test_at_full_speed_steps_are_always_due() -> None:
    playback = Playback(None, "steps", since=0.0)
    assert playback.due(0.0) == math.inf
    assert playback.wake_at(3.0) == 3.0


def test_at_one_step_a_second_each_step_is_on_time() -> None:
    playback = Playback(1.0, "steps", since=10.0)
    assert playback.due(10.99) == 0
    assert playback.wake_at(10.1) == pytest.approx(11.0)
    assert playback.due(11.0) == 1


def test_a_fast_pace_wakes_up_no_more_often_than_people_see() -> None:
    playback = Playback(1000.0, "steps", since=0.0, ticks=1, paid_up_at=0.001)
    for asked_at in (0.001, 0.02):
        assert playback.wake_at(asked_at) == pytest.approx(0.001 + WAKE_SECONDS)
    assert playback.wake_at(0.1) == 0.1


def test_a_slow_machine_drops_its_debt() -> None:
    playback = Playback(1000.0, "steps", since=0.0)
    assert playback.due(60.0) == 1000 * DEBT_SECONDS
    playback.ticks += int(1000 * DEBT_SECONDS)
    assert playback.due(60.1) == pytest.approx(100, abs=1)
