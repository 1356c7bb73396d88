"""The engine and the notebook: the same loops, written independently, give the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fallline.engine.problem import Problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.arrays import Rows
from fallline.vocabulary.recipe import DataSettings, Recipe, RunRecipe
from support.aliases import Array
from support.problems import problem_of, series

RELATIVE = 1e-9


def relu(x: Array) -> Array:
    return (x > 0) * x


def one_change(p: dict[str, Array], X: Array, y: Array, rate: float) -> tuple[float, dict[str, float]]:
    """The notebook's loop body: changes the parameters in place, returns loss and the sums |dW|."""
    m = len(X)
    z1 = X @ p["W1"] + p["b1"]
    a1 = relu(z1)
    z2 = a1 @ p["W2"] + p["b2"]
    a2 = relu(z2)
    y_pred = a2 @ p["W3"] + p["b3"]
    loss = float(np.mean((y - y_pred) ** 2))
    d3 = (y_pred - y) / m
    d2 = (d3 @ p["W3"].T) * (z2 > 0)
    d1 = (d2 @ p["W2"].T) * (z1 > 0)
    gradients = {
        "W1": X.T @ d1,
        "b1": d1.sum(axis=0, keepdims=True),
        "W2": a1.T @ d2,
        "b2": d2.sum(axis=0, keepdims=True),
        "W3": a2.T @ d3,
        "b3": d3.sum(axis=0, keepdims=True),
    }
    for name, gradient in gradients.items():
        p[name] -= rate * gradient
    return loss, {name: np.abs(gradient).sum() for name, gradient in gradients.items()}


def notebook(
    problem: Problem, batches: Sequence[Rows | list[int]], rate: float
) -> tuple[Array, dict[str, Array], dict[str, Array]]:
    p = {name: values.copy() for name, values in problem.named(problem.initial_parameters).items()}
    actual = [one_change(p, problem.X[rows], problem.y[rows], rate) for rows in batches]
    return (
        np.array([loss for loss, _ in actual]),
        {name: np.array([sums[name] for _, sums in actual]) for name in p},
        p,
    )


def test_501_steps_of_gd_agree_with_the_notebooks_loop() -> None:
    recipe = Recipe()
    problem = problem_of(recipe)
    losses, sums, p = notebook(problem, [np.arange(900)] * 501, 0.1)
    state = begin(problem)
    records = advance(problem, state, recipe.runs[0], 501)
    assert np.allclose(series(records, "batch_loss"), losses, rtol=RELATIVE, atol=0)
    for name in p:
        assert np.allclose(series(records, f"grad_l1/{name}"), sums[name], rtol=RELATIVE, atol=0)
        assert np.allclose(problem.named(state.parameters)[name], p[name], rtol=RELATIVE, atol=0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sequential_sgd_agrees_with_the_notebooks_loop_step_for_step(seed: int) -> None:
    """Two passes over the samples in data order, one sample per step."""
    recipe = Recipe(data=DataSettings(seed=seed))
    problem = problem_of(recipe)
    run = RunRecipe(name="sgd", learning_rate=0.01, batch_size=1, order="sequential")
    losses, sums, _ = notebook(problem, [[k % 900] for k in range(1800)], 0.01)
    records = advance(problem, begin(problem), run, 1800)
    # A sample with error 0 has no relative precision, hence the absolute tolerance.
    assert np.allclose(series(records, "batch_loss"), losses, rtol=RELATIVE, atol=1e-14)
    for name, expected in sums.items():
        assert np.allclose(series(records, f"grad_l1/{name}"), expected, rtol=RELATIVE, atol=1e-12)
