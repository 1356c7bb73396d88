"""Checkpoints of a run: bounded in memory, and close to every step while memory allows."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from fallline.engine.state import TrainingState
from fallline.execution.memory import SharedBudget
from fallline.runs.past import checkpoints
from fallline.runs.past.checkpoints import (
    FEWEST,
    MOST_BYTES,
    RECENT_BYTES,
    REPLAY_SECONDS,
    CheckpointBudget,
    Checkpoints,
    KeptStates,
    state_bytes,
)

MEGABYTE = 1 << 20

NOTEBOOK, LARGER, LARGEST = 49, 4_609, 100_000
"""Parameters of the notebook's network, of 5-64-64-1, and of the largest network allowed."""


def state_at(step: int, parameters: int = 50, slots: int = 0) -> TrainingState:
    arrays = {f"slot{slot}": np.full(parameters, float(step)) for slot in range(slots)}
    return TrainingState(step, step, np.full(parameters, float(step)), "some", arrays)


def trained(
    seconds: float,
    parameters: int,
    budget: CheckpointBudget | None = None,
    slots: int = 0,
    step: float = 0.05,
) -> Checkpoints:
    """Return the checkpoints of a run after so much computing, with a state every `step` seconds."""
    states = Checkpoints(state_at(0, parameters, slots), budget)
    for number in range(1, round(seconds / step) + 1):
        states.offer(state_at(number, parameters, slots), number * step)
    return states


def longest_replay(states: Checkpoints, seconds: float, step: float = 0.05) -> float:
    """Return the longest computing time from a checkpoint to a step."""
    steps = np.array([0, *(state.step for state in states), round(seconds / step)])
    return float(np.diff(steps).max() * step)


def test_checkpoints_stay_within_their_bytes_and_reach_step_0() -> None:
    states = Checkpoints(state_at(0))
    for step in range(1, 20_000):
        states.offer(state_at(step), seconds=step * 0.2)
    assert states.nbytes <= checkpoints.MOST_BYTES
    assert len(states) > checkpoints.MOST_BYTES // 1_000 // 4
    for step in (0, 1, 777, 19_999):
        assert states.before(step).step <= step
    gaps = np.diff([states.before(step).step for step in range(0, 20_000, 40)])
    assert gaps.max() <= 80


def test_a_returned_checkpoint_is_a_copy() -> None:
    states = Checkpoints(state_at(0))
    states.before(5).parameters[:] = 1e9
    assert states.before(5).parameters.max() == 0.0


@pytest.mark.parametrize("slots", [0, 1, 2])
def test_the_notebooks_network_takes_one_megabyte_and_no_shared_budget(slots: int) -> None:
    budget = SharedBudget(512 * MEGABYTE)
    states = trained(2_000.0, NOTEBOOK, budget, slots, step=0.1)
    assert states.nbytes <= MOST_BYTES
    assert states.bytes_beyond == 0


def test_a_larger_network_uses_the_shared_budget_to_shorten_replays() -> None:
    alone, sharing = trained(100.0, LARGER), trained(100.0, LARGER, SharedBudget(64 * MEGABYTE))
    assert longest_replay(alone, 100.0) > 3.0
    assert longest_replay(sharing, 100.0) <= REPLAY_SECONDS + 0.1
    assert alone.nbytes <= MOST_BYTES < sharing.nbytes < 20 * MEGABYTE


def test_a_run_takes_no_more_of_the_budget_than_short_replays_need() -> None:
    budget = SharedBudget(64 * MEGABYTE)
    states = trained(100.0, LARGER, budget)
    assert states.seconds_apart == pytest.approx(REPLAY_SECONDS)
    assert len(states) == pytest.approx(100.0 / REPLAY_SECONDS, rel=0.1)


def test_one_run_takes_at_most_half_of_the_budget() -> None:
    budget = SharedBudget(8 * MEGABYTE)
    states = trained(400.0, LARGER, budget, step=0.1)
    assert states.bytes_beyond <= 4 * MEGABYTE
    assert states.bytes_beyond > MEGABYTE
    assert states.seconds_apart > REPLAY_SECONDS


def test_many_runs_together_stay_within_the_budget_and_each_has_its_own_part() -> None:
    budget = SharedBudget(4 * MEGABYTE)
    runs = [trained(60.0, LARGER, budget) for _ in range(6)]
    assert sum(run.bytes_beyond for run in runs) <= 4 * MEGABYTE
    for run in runs:
        assert run.nbytes >= MOST_BYTES // 2


def test_an_early_run_shrinks_when_others_come() -> None:
    budget = SharedBudget(8 * MEGABYTE)
    early = trained(60.0, LARGER, budget)
    before = early.bytes_beyond
    others = [trained(60.0, LARGER, budget) for _ in range(6)]
    early.offer(state_at(10_000, LARGER), 10_000.0)
    assert early.bytes_beyond < before
    assert early.bytes_beyond + sum(other.bytes_beyond for other in others) <= 8 * MEGABYTE


def test_deleted_checkpoints_free_their_budget() -> None:
    budget = SharedBudget(8 * MEGABYTE)
    dropped, stays = trained(60.0, LARGER, budget), Checkpoints(state_at(0), budget)
    assert budget.available_to(stays) < 4 * MEGABYTE
    del dropped
    gc.collect()
    assert budget.available_to(stays) == 4 * MEGABYTE


def test_the_largest_network_has_a_few_states_without_a_budget() -> None:
    states = trained(100.0, LARGEST, SharedBudget(0), slots=2)
    assert FEWEST // 2 <= len(states) <= FEWEST
    assert states.bytes_beyond == 0


def test_restored_states_over_budget_are_thinned() -> None:
    stored = trained(100.0, LARGER, SharedBudget(64 * MEGABYTE))
    again = Checkpoints(state_at(0, LARGER), SharedBudget(2 * MEGABYTE))
    again.restore(stored.about(), stored)
    assert MOST_BYTES < again.nbytes <= 2 * MEGABYTE
    assert longest_replay(again, 100.0) <= 4.0
    again.offer(state_at(99_999, LARGER), 101.0 + again.seconds_apart)
    assert again.before(10**9).step == 99_999


def test_a_copy_holds_the_same_states_and_counts_for_itself() -> None:
    budget = SharedBudget(64 * MEGABYTE)
    states = trained(60.0, LARGER, budget)
    twin = states.copy()
    assert [state.step for state in twin] == [state.step for state in states]
    assert (twin.about(), twin.nbytes) == (states.about(), states.nbytes)
    assert (
        budget.available_to(Checkpoints(state_at(0), budget))
        == (64 * MEGABYTE - 2 * states.bytes_beyond) // 2
    )
    twin.offer(state_at(99_999, LARGER), 1e6)
    assert states.before(99_999).step < 99_999


def test_the_latest_states_are_kept_for_examinations_and_the_earliest_make_room() -> None:
    """Examinations are further apart the later they are, so replays to early ones are short."""
    kept = KeptStates()
    for step in range(2_000):
        kept.offer(state_at(step))
        assert kept.nbytes <= RECENT_BYTES
    count = RECENT_BYTES // state_bytes(state_at(0))
    assert 100 < count < 2_000
    assert [step for step in range(2_000) if kept.at(step) is not None] == list(range(2_000 - count, 2_000))
    kept.drop(0, 1_998)
    assert kept.nbytes == state_bytes(state_at(1_999))


def test_a_state_that_alone_is_too_large_is_kept_until_the_next() -> None:
    kept = KeptStates()
    for step in (1, 2):
        kept.offer(state_at(step, parameters=RECENT_BYTES))
        assert kept.at(step) is not None
    assert kept.at(1) is None
