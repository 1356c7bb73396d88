"""Batch sharpness against finite differences, and the edge at which SGD settles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fallline.engine.measures import batch_sharpness as module
from fallline.engine.measures.batch_sharpness import batch_sharpness
from fallline.engine.measures.curvature import spectrum
from fallline.engine.measures.probes import full_gradient
from fallline.engine.methods.losses import LOSSES
from fallline.engine.problem import Problem, Samples, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.arrays import Rows
from fallline.vocabulary.recipe import DataSettings, RunRecipe
from support.aliases import Array
from support.problems import classes_problem, hessian, network, small_problem, train

PROBLEM = small_problem((4, "tanh"), (3, "gelu"))


def among(problem: Problem, rows: Rows) -> Problem:
    """Return the problem with these rows as its training samples."""
    X, y = problem.X[rows], problem.y[rows]
    empty = np.empty((0, 0))
    return replace(problem, train=Samples(X, y, empty, empty, empty, 0.0), train_rows=rows)


def by_definition(problem: Problem, parameters: Array, run: RunRecipe, batches: list[Rows]) -> Array:
    """Return g H g / |g|**2 of each batch, with the whole Hessian."""
    values = []
    for rows in batches:
        part = among(problem, rows)
        named = full_gradient(part, parameters, run.settings)
        g = np.concatenate([each.ravel() for each in named.values()])
        values.append(g @ hessian(part, parameters, run.settings.l2) @ g / (g @ g))
    return np.array(values)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_it_is_the_mean_over_the_batches_of_a_pass(loss: str, l2: float) -> None:
    problem = (
        PROBLEM
        if LOSSES[loss].task == "regression"
        else classes_problem(loss, 3 if loss == "softmax_cross_entropy" else 2)
    )
    run = RunRecipe(batch_size=25, order="sequential", l2=l2)
    batches = [problem.train_rows[start : start + 25] for start in (0, 25, 50)]
    state = begin(problem)
    measured = batch_sharpness(problem, state, run)
    expected = by_definition(problem, state.parameters, run, batches)
    assert measured.mean == pytest.approx(expected.mean(), rel=1e-10)
    assert (measured.standard_error, measured.batches, measured.in_pass) == (0.0, 3, 3)


def test_it_is_of_the_pass_in_which_the_state_is() -> None:
    run = RunRecipe(batch_size=30, learning_rate=1e-9)
    first, last_of_first, second = (train(PROBLEM, run, steps)[0] for steps in (1, 2, 3))
    values = [batch_sharpness(PROBLEM, state, run).mean for state in (begin(PROBLEM), first)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    later = [batch_sharpness(PROBLEM, state, run).mean for state in (last_of_first, second)]
    assert later[0] == pytest.approx(later[1], rel=1e-6)
    assert later[0] != pytest.approx(values[0], rel=1e-3)


def test_of_a_full_batch_it_is_the_curvature_along_the_gradient() -> None:
    state, run = begin(PROBLEM), RunRecipe(batch_size=None)
    (expected,) = by_definition(PROBLEM, state.parameters, run, [PROBLEM.train_rows])
    measured = batch_sharpness(PROBLEM, state, run)
    assert measured.mean == pytest.approx(expected, rel=1e-12)
    assert (measured.batches, measured.in_pass) == (1, 1)


def test_a_part_of_the_batches_has_a_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    state, run = begin(PROBLEM), RunRecipe(batch_size=1)
    whole = batch_sharpness(PROBLEM, state, run)
    assert (whole.batches, whole.in_pass, whole.standard_error) == (60, 60, 0.0)
    monkeypatch.setattr(module, "MOST_BATCHES", 20)
    part = batch_sharpness(PROBLEM, state, run)
    assert (part.batches, part.in_pass) == (20, 60)
    assert whole.mean is not None
    assert part.mean is not None
    assert 0.0 < abs(part.mean - whole.mean) < 4 * part.standard_error


def test_batches_without_gradient_do_not_count() -> None:
    dead = small_problem((4, "relu"))
    state = begin(dead)
    for name, values in dead.named(state.parameters).items():
        values[:] = -1e3 if name == "b1" else 0.0
    assert batch_sharpness(dead, state, RunRecipe(batch_size=1)).mean is not None, "the last bias moves"
    dead = replace(dead, y=np.zeros_like(dead.y))
    assert batch_sharpness(dead, state, RunRecipe(batch_size=1)).mean is None


def test_sgd_ends_where_the_batch_sharpness_is_at_the_edge_and_the_sharpness_below() -> None:
    """Andreyev and Beneventano 2024, arXiv:2412.20553: batch sharpness times rate over 2 goes to 1."""
    data = DataSettings(name="chebyshev", samples=20, degree=4)
    layers = network((20, "tanh"), (20, "tanh"), weights="lecun", biases="zeros")
    problem, run = build_problem(data, layers, "mse"), RunRecipe(learning_rate=0.3, batch_size=5)
    state = begin(problem)
    advance(problem, state, run, 8_000)
    batches, whole = [], []
    for _ in range(40):
        advance(problem, state, run, 101)
        measured = batch_sharpness(problem, state, run)
        assert measured.mean is not None
        batches.append(0.15 * measured.mean)
        whole.append(0.15 * spectrum(problem, state.parameters).eigenvalues[0])
    assert np.mean(batches) == pytest.approx(1.0, abs=0.05)
    assert 0.8 < np.mean(whole) < 0.92
