"""Which steps of a run are examined and evaluated: a function of its recipe."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.diagnosis.track import (
    AFTER_EDIT,
    CHEAP,
    DOUBLING,
    FEWEST,
    POINTS,
    in_a_doubling,
    is_point,
    next_examination,
)
from fallline.engine.kernels.interface import is_evaluation_point
from fallline.vocabulary.recipe import RunRecipe

EDITS = st.lists(st.integers(0, 3_000), max_size=6, unique=True).map(sorted)


def examined(until: int, edits: list[int] | None = None, doubling: int = DOUBLING) -> list[int]:
    """Return the examined steps up to this one; step 0 is always the first."""
    steps = [0]
    while (step := next_examination(steps[-1], edits or [], doubling)) <= until:
        steps.append(step)
    return steps


def test_every_step_below_128_is_examined_and_then_64_in_each_doubling() -> None:
    formula = [n for n in range(1, 40_000) if n % 2 ** max(n.bit_length() - 7, 0) == 0]
    assert examined(39_999) == [0, *formula]
    assert examined(127) == list(range(128))
    for low in (128, 1 << 10, 1 << 14, 1 << 20, 1 << 40):
        steps = [low]
        while steps[-1] < 2 * low:
            steps.append(next_examination(steps[-1], []))
        assert len(steps) == DOUBLING + 1


@pytest.mark.parametrize(
    ("steps", "count"), [(600, 267), (3_000, 413), (10_000, 526), (100_000, 737), (1_000_000, 954)]
)
def test_a_run_has_as_many_examinations_as_the_decision_says(steps: int, count: int) -> None:
    assert len(examined(steps)) - 1 == count  # the table begins with step 1


def test_the_step_of_an_edit_and_the_16_after_it_are_examined_and_no_others_move() -> None:
    plain, edited = examined(4_000), examined(4_000, [1_000, 1_005, 3_001])
    assert AFTER_EDIT == 16
    assert sorted({*edited} - {*plain}) == [
        step for step in (*range(1_000, 1_022), *range(3_001, 3_018)) if step not in plain
    ]
    assert set(plain) < set(edited)


def test_no_distance_is_above_32_steps_up_to_step_4096() -> None:
    steps = examined(4_096)
    assert max(later - earlier for earlier, later in itertools.pairwise(steps)) == 32


@given(EDITS, st.integers(0, 3_000), st.sampled_from([8, 16, 32, 64]))
def test_an_edit_made_live_has_the_examinations_of_one_in_the_recipe(
    edits: list[int], now: int, doubling: int
) -> None:
    """Up to the present step, edits that are still to be made change nothing."""
    past_edits = [step for step in edits if step <= now]
    assert examined(now, past_edits, doubling) == examined(now, edits, doubling)
    assert examined(3_100, edits, doubling) == sorted(set(examined(3_100, edits, doubling)))


@given(EDITS, st.integers(0, 3_000))
def test_the_next_examination_does_not_depend_on_the_step_it_is_asked_at(edits: list[int], step: int) -> None:
    all_steps = examined(4_000, edits)
    assert next_examination(step, edits) == min(each for each in all_steps if each > step)


def test_points_are_the_evaluation_points_of_every_run() -> None:
    settings = RunRecipe(batch_size=7).settings
    for step in (*range(5_000), *range((1 << 20) - 50, (1 << 20) + 5_000)):
        assert is_point(step) == is_evaluation_point(step, 7 * step + 1, settings, 7_000_000), step
    assert sum(map(is_point, range(1 << 12, 1 << 13))) == POINTS


def test_an_expensive_run_has_fewer_examinations_and_no_others() -> None:
    counts = [in_a_doubling(work) for work in (0, CHEAP, CHEAP + 4, 16 * CHEAP, 64 * CHEAP + 64, 10**15)]
    assert counts == [64, 64, 32, 16, 8, FEWEST]
    for count in (32, 16, 8):
        assert set(examined(20_000, [700], count)) < set(examined(20_000, [700]))
