"""The chosen steps of a path are the run's own states, and depend on the step numbers only."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.engine.kernels.interface import Kernel, Slice
from fallline.engine.kernels.numpy_kernels import NUMPY, NumpyKernel
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.runs.past import sampled_path
from fallline.runs.past.sampled_path import (
    LATEST,
    MOST_IN_A_DOUBLING,
    PATH_BYTES,
    Course,
    SampledPath,
    in_a_doubling,
    next_chosen,
)
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.recipe import RunRecipe
from support.problems import small_problem

RECIPE = RunRecipe(name="sgd", batch_size=1, learning_rate=0.01)
PLENTY = 1e9


def states(problem: Problem, steps: int) -> list[TrainingState]:
    """Return the state at each step."""
    state = begin(problem)
    copies = [state.copy()]
    for _ in range(steps):
        advance(problem, state, RECIPE, 1)
        copies.append(state.copy())
    return copies


def course(
    state: TrainingState, checkpoints: tuple[TrainingState, ...] = (), kernel: Kernel = NUMPY
) -> Course:
    return Course("sgd", 0, RECIPE, kernel, state.copy(), state.step, checkpoints, diverged=False)


class Counting(NumpyKernel):
    """NumPy's kernel, which counts its calls."""

    calls = 0

    def run(self, problem: Problem, state: TrainingState, request: Slice) -> int:
        self.calls += 1
        return super().run(problem, state, request)


def parameters(sampled: SampledPath, one: Course) -> dict[int, Array]:
    path = sampled.path(one)
    return dict(zip(path.steps.tolist(), path.away, strict=True))


def test_the_points_are_the_states_of_the_run_to_the_bit() -> None:
    problem = small_problem()
    by_step = states(problem, 700)
    sampled = SampledPath(problem, 0)
    sampled.extend(course(by_step[700]), PLENTY)
    points = parameters(sampled, course(by_step[700]))
    for step, away in points.items():
        np.testing.assert_array_equal(away, by_step[step].parameters - problem.initial_parameters)
    assert [*points][:129] == [*range(129)]
    assert [*points][-LATEST:] == [*range(701 - LATEST, 701)]
    assert all(step % 2 == 0 for step in points if 128 < step < 256)
    assert 256 + 4 in points
    assert 256 + 6 not in points


def test_steps_that_are_all_stored_take_one_call() -> None:
    """A class asks for its paths twice a second: thirty calls each took a tenth of the server."""
    problem, kernel = small_problem(), Counting()
    by_step = states(problem, 530)
    sampled = SampledPath(problem, 0)
    for step in (500, 530):
        kernel.calls = 0
        sampled.extend(course(by_step[step], kernel=kernel), PLENTY)
    assert kernel.calls == 1
    points = parameters(sampled, course(by_step[530]))
    assert [*points][-LATEST:] == [*range(501, 531)]
    for step, away in points.items():
        np.testing.assert_array_equal(away, by_step[step].parameters - problem.initial_parameters)


def test_a_long_way_of_a_small_network_takes_one_call_too() -> None:
    """With many pages, hundreds of steps lie between two requests: a call for each chosen one took long."""
    problem, kernel = small_problem(), Counting()
    by_step = states(problem, 900)
    sampled = SampledPath(problem, 0)
    sampled.extend(course(by_step[900], kernel=kernel), PLENTY)
    assert kernel.calls == 1
    points = parameters(sampled, course(by_step[900]))
    chosen = {step for step in range(1, 901) if step == next_chosen(step - 1, MOST_IN_A_DOUBLING)}
    assert {*points} == {0, *chosen, *range(901 - LATEST, 901)}


def test_a_call_stores_no_more_than_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, kernel = small_problem(), Counting()
    monkeypatch.setattr(sampled_path, "BLOCK_BYTES", 5 * problem.initial_parameters.nbytes)
    by_step = states(problem, 20)
    sampled = SampledPath(problem, 0)
    sampled.extend(course(by_step[20], kernel=kernel), PLENTY)
    assert kernel.calls == 4
    assert [*parameters(sampled, course(by_step[20]))] == [*range(21)]


@pytest.mark.parametrize("cuts", [(1, 2, 3, 50, 129, 130, 400), (399, 400), (31, 62, 93, 124, 155, 186, 400)])
def test_a_path_extended_in_parts_is_that_extended_at_once(cuts: tuple[int, ...]) -> None:
    problem = small_problem()
    by_step = states(problem, 400)
    whole, parts = SampledPath(problem, 0), SampledPath(problem, 0)
    whole.extend(course(by_step[400]), PLENTY)
    for step in cuts:
        parts.extend(course(by_step[step]), PLENTY)
    one, other = parameters(whole, course(by_step[400])), parameters(parts, course(by_step[400]))
    assert [*one] == [*other]
    for step in one:
        np.testing.assert_array_equal(one[step], other[step])


def test_a_replay_that_is_too_dear_stops_and_checkpoints_stand_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampled_path, "replay_seconds", lambda *of: (0.01, 0.0))
    problem = small_problem()
    by_step = states(problem, 900)
    checkpoints = tuple(by_step[step] for step in (50, 200, 500, 850))
    late = course(by_step[900], checkpoints)
    sampled = SampledPath(problem, 0)
    sampled.extend(late, 1.0001)
    points = parameters(sampled, late)
    assert [*points] == [*range(101), 200, 500, 850, 900]
    for step, away in points.items():
        np.testing.assert_array_equal(away, by_step[step].parameters - problem.initial_parameters)
    sampled.extend(late, 0.0)
    assert [*parameters(sampled, late)] == [*points]
    # later requests continue where it stopped
    sampled.extend(late, PLENTY)
    whole = SampledPath(problem, 0)
    whole.extend(late, PLENTY)
    assert [*parameters(sampled, late)] == [*parameters(whole, late)]


def test_a_path_to_a_past_step_ends_there() -> None:
    problem = small_problem()
    by_step = states(problem, 300)
    sampled = SampledPath(problem, 0)
    sampled.extend(course(by_step[300]), PLENTY)
    past = course(by_step[211])
    sampled.extend(past, PLENTY)
    points = parameters(sampled, past)
    assert max(points) == 211
    np.testing.assert_array_equal(points[211], by_step[211].parameters - problem.initial_parameters)


def test_a_replay_arrives_at_the_step_of_the_course() -> None:
    problem = small_problem()
    by_step = states(problem, 60)
    late = Course("sgd", 0, RECIPE, NUMPY, by_step[20].copy(), 57, (), diverged=False)
    late.arrive(problem)
    np.testing.assert_array_equal(late.state.parameters, by_step[57].parameters)


def test_the_bytes_of_a_trail_stay_near_their_bound_for_any_network_and_a_million_steps() -> None:
    for count in (2, 49, 1_000, 10_000, 30_000):
        many, chosen, step = in_a_doubling(count), 0, 0
        while step < 1_000_000:
            step, chosen = next_chosen(step, many), chosen + 1
        assert 1 <= many <= MOST_IN_A_DOUBLING
        assert many & (many - 1) == 0
        assert 8 * count * chosen <= 2 * PATH_BYTES


def test_each_doubling_has_as_many_chosen_steps() -> None:
    for many in (1, 4, 64):
        steps, step = [], 0
        while step < 5_000:
            step = next_chosen(step, many)
            steps.append(step)
        assert steps[: 2 * many] == [*range(1, 2 * many + 1)]
        for first in (256, 512, 1_024):
            assert sum(first <= one < 2 * first for one in steps) == many
