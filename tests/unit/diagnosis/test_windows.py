"""Windows over the points of a series, against their definitions; and stretches in which a condition held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fallline.diagnosis.track import Series, Track
from fallline.diagnosis.view import Measured, Noise, Task, View
from fallline.diagnosis.windows import WINDOW, held, held_above, held_both, held_state, windows
from fallline.vocabulary.columns import Floats, Records
from fallline.vocabulary.recipe import RunRecipe

TASK = Task(60, False, 0, 1.0, "predicting the mean", "r2", 2.0, False, (1.0,), (0.0,))
LOSSES = np.exp(np.random.default_rng(2).normal(size=4_000))


def series(step: int, examined: int, forgotten: int = 0, losses: Floats = LOSSES) -> Series:
    count = len(losses)
    track = Track(("train_loss",))
    track.append(Records(0, np.arange(count), np.zeros(count), ("train_loss",), losses[None]))
    track.forget(forgotten)
    return track.before(step, examined)


def measured(step: int, loss: float = 1.0) -> Measured:
    return Measured(step, loss, np.nan, 0.0, (), Noise(60, 0.0, 0.0, ()))


def view(of: Series, states: list[Measured] | None = None, **more: Any) -> View:
    """Return a view of these points; the states between are those before the present one."""
    *before, now = states or [measured(of.step)]
    between = {each.step: each for each in before}.__getitem__
    settings = RunRecipe().settings
    return View(TASK, of.step, False, settings, False, 0.1, lambda step: settings, (), now, (), of, (), 0.0,
                examined=now.step - len(before) - 1, between=between, back=between,
                **more)  # fmt: skip


@pytest.mark.parametrize("least", [WINDOW, 400])
@pytest.mark.parametrize(
    ("step", "examined", "forgotten"),
    [(100, 99, 0), (199, 190, 0), (260, 128, 0), (450, 300, 0), (1_000, 992, 0), (3_000, 2_976, 2_900)],
)
def test_windows_have_the_means_and_spreads_of_their_definitions(
    step: int, examined: int, forgotten: int, least: int
) -> None:
    points = series(step, examined, forgotten)
    ours = windows(view(points), least=least)
    assert len(ours.first) == len(points) - points.fresh
    for place in range(points.fresh, len(points)):
        row = place - points.fresh
        columns = [each[row] for each in (ours.first, ours.last, ours.before, ours.after, ours.spread)]
        if points.offset + place + 1 < least:
            assert np.isnan(columns).all(), place
            continue
        part = points.loss[place - 199 : place + 1]
        assert len(part) == 200
        expected = [
            part[:25].mean(),
            part[-25:].mean(),
            part[:100].mean(),
            part[100:].mean(),
            part[100:].std(),
        ]
        assert columns == pytest.approx(expected, rel=1e-13)
        assert ours.fall[row] == pytest.approx(1 - expected[3] / expected[2], rel=1e-12, abs=1e-14)
        assert ours.fell[row] == pytest.approx(1 - expected[1] / expected[0], rel=1e-12, abs=1e-14)


def test_a_window_does_not_depend_on_the_examinations_before() -> None:
    whole = series(1_000, 0)
    at_once = windows(view(whole))
    for examined in (250, 700, 999):
        part = series(1_000, examined)
        ours = windows(view(part))
        assert ours.after.tolist() == at_once.after[examined:].tolist()
        assert ours.spread.tolist() == at_once.spread[examined:].tolist()


def flags(of: Series, *steps: int) -> Any:
    return np.isin(of.steps[of.fresh :], steps)


def test_a_condition_begins_at_the_first_record_of_its_window_and_lasts_to_the_step_after_its_last() -> None:
    points = series(700, 640)
    condition = held(view(points), flags(points, 650, 660, 661))
    assert condition is not None
    assert (condition.since(), condition.last) == (650 - 199, 662)
    one = held(view(points), flags(points, 650), back=1)
    assert one is not None
    assert (one.since(), one.last) == (650, 651)
    assert held(view(points), flags(points)) is None
    early = held(view(series(100, 0)), np.arange(100) >= 20)
    assert early is not None
    assert early.since() == 0


@pytest.mark.parametrize(("jumps_at", "since"), [(570, 570), (460, 460), (448, 451), (None, 451)])
def test_a_high_loss_begins_where_it_was_low_for_the_last_time(jumps_at: int | None, since: int) -> None:
    losses = np.full(700, 1.0)
    losses[: jumps_at or 0] = 1e-3
    points = series(700, 640, losses=losses)
    condition = held_above(view(points), flags(points, 650, 651), 0.02)
    assert condition is not None
    assert (condition.since(), condition.last) == (since, 652)


def test_beyond_step_1024_windows_count_points() -> None:
    points = series(3_000, 2_976, 2_900)
    condition = held(view(points), flags(points, 2_980))
    assert condition is not None
    before = [step for step in range(2_981) if step < 1_024 or step % (2 if step < 2_048 else 4) == 0]
    assert condition.since() == before[-200]


def low(state: Measured) -> bool:
    return state.loss < 0.5


@pytest.mark.parametrize(
    ("losses", "since"), [([0.1, 0.1, 0.1], 8), ([0.1, 1.0, 0.1], 10), ([1.0, 0.1, 0.1], 9), ([0.1], 10)]
)
def test_a_state_condition_begins_in_its_unbroken_stretch(losses: list[float], since: int) -> None:
    states = [measured(10 - len(losses) + place + 1, loss) for place, loss in enumerate(losses)]
    condition = held_state(view(series(10, 7), states), low)
    assert condition is not None
    assert (condition.since(), condition.last) == (since, 10)


def test_a_state_condition_that_does_not_hold_now_needs_no_states_between() -> None:
    def never(step: int) -> Measured:
        raise AssertionError("too expensive")

    one = replace(view(series(10, 7)), back=never)
    assert held_state(one, low) is None
    assert held_both(one, np.zeros(3, dtype=np.bool_), low, is_open=False) is None


@pytest.mark.parametrize(
    ("is_open", "points", "losses", "expected"),
    [
        (False, [696, 697, 698], [1.0, 0.1, 0.1, 1.0], (697 - 199, 699)),
        (False, [696, 699], [1.0, 0.1, 0.1, 1.0], None),
        (True, [696, 697, 698], [1.0, 0.1, 0.1, 1.0], (699, 699)),
        (True, [696, 699], [1.0, 0.1, 0.1, 1.0], None),
    ],
)
def test_a_condition_of_a_series_and_its_state_holds_where_both_do(
    is_open: bool, points: list[int], losses: list[float], expected: tuple[int, int] | None
) -> None:
    """The state after point n belongs to step n + 1."""
    of = series(700, 696)
    states = [measured(697 + place, loss) for place, loss in enumerate(losses)]
    condition = held_both(view(of, states), flags(of, *points), low, is_open=is_open)
    assert (None if condition is None else (condition.since(), condition.last)) == expected


def test_an_open_finding_asks_for_no_more_states_than_it_needs() -> None:
    of, steps = series(700, 696), list[int]()

    def holds(state: Measured) -> bool:
        steps.append(state.step)
        return True

    held_both(
        view(of, [measured(step) for step in range(697, 701)]), flags(of, 697, 699), holds, is_open=True
    )
    assert steps == [700]
