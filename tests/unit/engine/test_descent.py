"""The objective and its gradient: penalties and clipping, alone and in PyTorch's order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.methods.terms import clip, penalty, penalty_gradient
from fallline.engine.problem import build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, Recipe, RunRecipe
from fallline.vocabulary.run_settings import RunSettings
from support.aliases import Array, Json
from support.problems import problem_of, series, small_problem, train

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "optimizers.json").read_text())["descents"]
PLAIN = RunSettings("sgd", 0.1, None, "shuffle")


@pytest.mark.parametrize("kernel", [NUMPY, COMPILED], ids=["numpy", "compiled"])
@pytest.mark.parametrize("golden", GOLDEN, ids=range(len(GOLDEN)))
def test_a_whole_descent_is_pytorchs(golden: Json, kernel: Kernel) -> None:
    """Loss and penalties through PyTorch's differentiation, then clipping, optimizer, schedule."""
    recipe = Recipe.model_validate(golden["recipe"])
    problem = problem_of(recipe)
    state = begin(problem)
    for n, (expected, objective) in enumerate(zip(golden["parameters"], golden["objective"], strict=True)):
        records = advance(problem, state, recipe.runs[0], 1, kernel)
        assert np.allclose(state.parameters, expected, rtol=1e-9, atol=1e-12), n
        if recipe.runs[0].settings.penalised:
            assert series(records, "objective")[0] == pytest.approx(objective, rel=1e-10)


def test_the_gradient_of_penalties_is_the_slope_of_their_value() -> None:
    settings = replace(PLAIN, l1=0.3, l2=0.7)
    weights, h = np.array([1.5, -0.25, 3.0, -2.0]), 1e-6

    def priced(w: Array) -> float:
        price: float = penalty(np.abs(w).sum(keepdims=True), (w * w).sum(keepdims=True), settings)[0]
        return price

    slope = [(priced(weights + h * unit) - priced(weights - h * unit)) / (2 * h) for unit in np.eye(4)]
    assert np.allclose(penalty_gradient(weights, settings), slope, rtol=1e-9)


def test_penalties_have_no_gradient_at_a_weight_of_0() -> None:
    assert penalty_gradient(np.zeros(3), replace(PLAIN, l1=0.3, l2=0.7)).tolist() == [0.0] * 3


def test_ridge_regression_is_found() -> None:
    """Full-batch GD on a linear model with l2 ends at the solution of the normal equations, the bias unpenalised."""
    problem = build_problem(DataSettings(name="linear", samples=40, features=3, noise=0.5), LINEAR, "mse")
    state, _ = train(problem, RunRecipe(name="r", learning_rate=0.3, l2=0.2), 600)
    X, y = problem.X - problem.X.mean(axis=0), problem.y - problem.y.mean()
    expected = np.linalg.solve(X.T @ X / 40 + 0.2 * np.eye(3), X.T @ y / 40)
    assert np.allclose(problem.named(state.parameters)["W1"], expected, rtol=1e-10)


def test_the_lasso_is_found_and_sets_weights_to_0() -> None:
    """At the end the gradient of the loss lies in [-l1, l1], on the boundary for nonzero weights."""
    problem = build_problem(DataSettings(name="linear", samples=40, features=3, noise=0.5), LINEAR, "mse")
    rate = 1e-3
    state, _ = train(problem, RunRecipe(name="r", learning_rate=rate, l1=0.8), 12_000)
    W = problem.named(state.parameters)["W1"]
    b = problem.named(state.parameters)["b1"]
    pulled = problem.X.T @ (problem.X @ W + b - problem.y) / 40
    is_0 = np.abs(W) < 5 * rate
    assert 0 < is_0.sum() < 3
    assert np.allclose(pulled[~is_0], -0.8 * np.sign(W[~is_0]), atol=0.01)
    assert (np.abs(pulled[is_0]) < 0.81).all()


LINEAR = NetworkSettings(layers=[])


def test_biases_have_no_penalties() -> None:
    problem = small_problem((4, "tanh"))
    plain, penal = begin(problem), begin(problem)
    advance(problem, plain, RunRecipe(name="r"), 1)
    advance(problem, penal, RunRecipe(name="r", l1=0.5, l2=0.5), 1)
    one, other = problem.named(plain.parameters), problem.named(penal.parameters)
    for name in problem.layout.names:
        assert np.array_equal(one[name], other[name]) == name.startswith("b"), name


def test_a_gradient_within_the_bounds_is_unchanged() -> None:
    gradient = np.array([3.0, -4.0])
    gradient.setflags(write=False)
    assert clip(gradient, PLAIN, np.empty(2)) is gradient
    clipped_gradient = clip(gradient, replace(PLAIN, clip_norm=5.1, clip_value=4.0), np.empty(2))
    assert clipped_gradient.tolist() == [3.0, -4.0]


def test_a_long_gradient_keeps_its_direction_under_a_bound_of_its_norm() -> None:
    shortened = clip(np.array([30.0, -40.0]), replace(PLAIN, clip_norm=5.0), np.empty(2))
    assert np.allclose(shortened, [3.0, -4.0], rtol=1e-6)
    assert np.linalg.norm(shortened) < 5.0


def test_entries_are_cut_after_the_norm_so_that_both_bounds_hold() -> None:
    cut = clip(np.array([30.0, -40.0]), replace(PLAIN, clip_norm=5.0, clip_value=3.5), np.empty(2))
    assert np.allclose(cut, [3.0, -3.5], rtol=1e-6)


@pytest.mark.parametrize("kernel", [NUMPY, COMPILED], ids=["numpy", "compiled"])
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_recorded_gradient_is_the_one_before_it_is_clipped(
    kernel: Kernel, batch_size: int | None
) -> None:
    problem = small_problem((4, "tanh"))
    run = RunRecipe(name="r", learning_rate=0.1, batch_size=batch_size)
    bound = run.model_copy(update={"clip_norm": 1e-3})
    free, clipped_state = begin(problem), begin(problem)
    whole, clipped = advance(problem, free, run, 1, kernel), advance(problem, clipped_state, bound, 1, kernel)
    for name in problem.layout.names:
        actual, expected = (series(records, f"grad_l2/{name}")[0] for records in (clipped, whole))
        assert actual == pytest.approx(expected, rel=1e-14)
        assert series(clipped, f"ratio/{name}")[0] < series(whole, f"ratio/{name}")[0]
    assert np.linalg.norm(clipped_state.parameters - problem.initial_parameters) == pytest.approx(
        1e-4, rel=1e-2
    )


@pytest.mark.parametrize("kernel", [NUMPY, COMPILED], ids=["numpy", "compiled"])
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_clipping_hides_no_gradient_that_is_not_finite(kernel: Kernel, batch_size: int | None) -> None:
    problem = small_problem((4, "tanh"))
    run = RunRecipe(name="r", batch_size=batch_size)
    for bound in ({"clip_value": 0.1}, {"clip_norm": 0.1}):
        state = begin(problem)
        state.parameters[-1] = np.inf
        records = advance(problem, state, run.model_copy(update=bound), 3, kernel)
        assert (len(records), state.diverged_at) == (0, 0)
