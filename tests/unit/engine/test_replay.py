"""Live with edits = straight replay = checkpoint plus the rest, bit for bit, for any slices."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit, ScheduleSettings
from support.aliases import Json
from support.problems import edit, joined, problem_of, same_bits, small_problem, train

STEPS = 200
SHORT: dict[str, dict[str, float]] = {
    "constant": {},
    "step": {"every": 30},
    "exponential": {"every": 30},
    "cosine": {"steps": 50},
    "cosine_restarts": {"steps": 7},
    "polynomial": {"steps": 50, "power": 2.0},
    "one_cycle": {"steps": 60},
    "plateau": {"every": 10, "patience": 1},
    "inverse_time": {"steps": 10},
    "warmup": {"steps": 40},
}
"""Schedules that change within a few steps."""
SCHEDULES = [ScheduleSettings.model_validate({"name": name, **own}) for name, own in SHORT.items()]


@st.composite
def changes(draw: st.DrawFn) -> Edit:
    change: Json = draw(
        st.sampled_from(
            [
                {"batch_size": None}, {"batch_size": 1}, {"batch_size": 7},
                {"order": "sequential"}, {"order": "replacement"}, {"order": "shuffle"},
                *({"optimizer": name} for name in OPTIMIZERS),
                *({"schedule": {"name": name, **own}} for name, own in SHORT.items()),
                {"schedule": {"name": "warmup", "steps": 20, "next": {"name": "cosine", "steps": 50}}},
                {"schedule": {"name": "warmup", "steps": 15, "next": {"name": "plateau", "every": 10, "patience": 0}}},
                {"l1": 0.01}, {"l2": 0.1}, {"l1": 0.0, "l2": 0.0},
                {"clip_norm": 0.1}, {"clip_value": 0.02}, {"clip_norm": None, "clip_value": None},
                {"learning_rate": 0.001}, {"learning_rate": 0.03}, {"learning_rate": 3.0}, {"learning_rate": 1e3},
                {"redraw": {"layers": [2]}}, {"redraw": {"layers": [3, 1], "weights": "normal"}, "optimizer": "adam"},
            ]
        )
    )  # fmt: skip
    return edit(draw(st.integers(0, STEPS)), **change)


@st.composite
def runs(draw: st.DrawFn) -> RunRecipe:
    """A run with edits in step order, at most one per step. Some diverge."""
    edits = {each.at_step: each for each in draw(st.lists(changes(), max_size=5))}
    return RunRecipe(
        name="r",
        optimizer=draw(st.sampled_from(sorted(OPTIMIZERS))),
        learning_rate=draw(st.sampled_from([0.003, 0.03, 0.3, 3.0])),
        batch_size=draw(st.sampled_from([None, 1, 7, 45])),
        schedule=draw(st.sampled_from([None, *SCHEDULES])),
        l2=draw(st.sampled_from([None, 0.05])),
        clip_norm=draw(st.sampled_from([None, 0.5])),
        edits=[edits[step] for step in sorted(edits)],
    )


slicings = st.lists(st.integers(1, 90), min_size=1, max_size=60)
PROBLEM = small_problem((4, "relu"), (3, "tanh"), test_fraction=0.25)


def live(problem: Problem, run: RunRecipe, slices: Sequence[int]) -> tuple[TrainingState, Records]:
    """Make each edit when the run reaches its step, so that the recipe grows."""
    state, pieces, waiting = begin(problem), [], list(run.edits)
    grown = run.model_copy(update={"edits": []})
    for steps in [*slices, STEPS]:
        stop = min(state.step + steps, STEPS)
        while state.step < stop:
            while waiting and waiting[0].at_step <= state.step:
                grown = grown.model_copy(update={"edits": [*grown.edits, waiting.pop(0)]})
            until = min([stop, *(each.at_step for each in waiting)])
            pieces.append(advance(problem, state, grown, until - state.step))
            if state.diverged_at is not None and not (waiting and waiting[0].at_step == state.step):
                return state, joined(pieces)
    return state, joined(pieces or [advance(problem, state, grown, 0)])


@given(run=runs(), slices=slicings)
def test_slices_with_edits_are_the_straight_replay(run: RunRecipe, slices: list[int]) -> None:
    straight, expected = train(PROBLEM, run, STEPS)
    sliced, records = live(PROBLEM, run, slices)
    assert sliced.fingerprint() == straight.fingerprint()
    assert records.values.tobytes() == expected.values.tobytes()
    assert records.samples_seen.tobytes() == expected.samples_seen.tobytes()


@settings(max_examples=settings().max_examples * 2 // 5)
@given(run=runs(), at=st.integers(0, STEPS))
def test_a_checkpoint_plus_the_rest_is_the_straight_replay(run: RunRecipe, at: int) -> None:
    straight, expected = train(PROBLEM, run, STEPS)
    first = begin(PROBLEM)
    head = advance(PROBLEM, first, run, at)
    checkpoint = first.copy()
    advance(PROBLEM, first, run, 3)
    if checkpoint.diverged_at is None:
        tail = advance(PROBLEM, checkpoint, run, STEPS - at)
        assert same_bits(joined([head, tail]).values, expected.values)
    assert checkpoint.fingerprint() == straight.fingerprint()


@cache
def in_one_go(name: str) -> tuple[Problem, RunRecipe, TrainingState, Records]:
    recipe = Recipe()
    (run,) = [run for run in recipe.runs if run.name == name]
    problem = problem_of(recipe)
    return problem, run, *train(problem, run, 3000)


@pytest.mark.parametrize("name", ["gd", "sgd"])
@pytest.mark.parametrize("slices", [(3000,), (1,) * 150 + (2850,), (64,) * 40 + (440,), (997, 1, 2, 2000)])
def test_the_notebooks_runs_do_not_depend_on_slices(name: str, slices: tuple[int, ...]) -> None:
    problem, run, one, expected = in_one_go(name)
    other, records = train(problem, run, *slices)
    assert one.fingerprint() == other.fingerprint()
    assert same_bits(expected.values, records.values)


def test_an_edit_takes_effect_at_the_step_it_names() -> None:
    plain = RunRecipe(name="r", learning_rate=0.01)
    edited = plain.model_copy(update={"edits": [edit(10, learning_rate=0.02)]})
    (before, _), (same, _) = train(PROBLEM, plain, 10), train(PROBLEM, edited, 10)
    assert before.fingerprint() == same.fingerprint()
    start = before.parameters.copy()
    advance(PROBLEM, before, plain, 1)
    advance(PROBLEM, same, edited, 1)
    assert (same.parameters - start) == pytest.approx(2 * (before.parameters - start), rel=1e-9)


def test_an_edit_that_changes_nothing_changes_nothing() -> None:
    """It only cuts a segment."""
    plain = RunRecipe(name="r", optimizer="adam", learning_rate=0.01, batch_size=7)
    same = plain.model_copy(
        update={"edits": [Edit(at_step=step, learning_rate=0.01) for step in (3, 50, 64, 65)]}
    )
    (one, expected), (other, records) = train(PROBLEM, plain, STEPS), train(PROBLEM, same, STEPS)
    assert one.fingerprint() == other.fingerprint()
    assert same_bits(expected.values, records.values)


def test_full_batch_in_the_middle_of_a_pass_and_back_keeps_counting_samples() -> None:
    run = RunRecipe(name="r", batch_size=7, edits=[edit(3, batch_size=None), edit(4, batch_size=7)])
    problem = small_problem(samples=60)
    _, records = train(problem, run, 11)
    assert records.samples_seen.tolist() == [7, 14, 21, 81, 88, 95, 102, 109, 116, 120, 127]


PROGRAM = """
from fallline.engine.problem import build_problem
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import Recipe
recipe = Recipe()
problem = build_problem(recipe.data, recipe.network, recipe.loss)
for run in recipe.runs:
    state = begin(problem)
    advance(problem, state, run, 1500)
    print(state.fingerprint())
"""


def test_the_same_recipe_gives_the_same_numbers_in_every_process() -> None:
    def digests(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
        ).stdout

    recipe = Recipe()
    problem = problem_of(recipe)
    here = [train(problem, run, 700, 800)[0].fingerprint() for run in recipe.runs]
    assert digests("1").split() == digests("2").split() == here
