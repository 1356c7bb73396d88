"""The Hessian against finite differences of the gradient, and its spectrum against NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.measures import curvature
from fallline.engine.measures.curvature import HessianProducts, estimated_trace, spectrum
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.losses import LOSSES
from fallline.engine.network import backward, forward
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe
from fallline.vocabulary.recipe import Recipe
from support.problems import data_for, hessian


def problem_of(loss: str = "mse", activation: str = "tanh", **more: Any) -> Problem:
    output = "identity" if LOSSES[loss].logits else more.pop("output", "identity")
    body = {
        "data": {"name": data_for(loss), "samples": 30, "seed": 2},
        "network": {
            "layers": [{"units": 4, "activation": activation}, {"units": 3, "activation": "tanh"}],
            "output": output,
            "weights": "xavier",
            "seed": 4,
        },
        "loss": loss,
        **more,
    }
    recipe = check_recipe(Recipe.model_validate(body))
    return build_problem(recipe.data, recipe.network, recipe.loss)


def gradient(problem: Problem, flat: Any) -> Any:
    named = problem.named(flat)
    passed = forward(named, problem.activations, problem.train.X)
    dy_pred = problem.loss.gradient(passed.y_pred, problem.train.y)
    gradients = backward(named, problem.activations, passed, dy_pred)
    return np.concatenate([gradients[name].ravel() for name in problem.layout.names])


def differenced(problem: Problem, flat: Any, h: float = 1e-5) -> Any:
    moves = h * np.eye(len(flat))
    return np.array(
        [(gradient(problem, flat + move) - gradient(problem, flat - move)) / (2 * h) for move in moves]
    )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_second_derivatives_are_central_differences_of_the_first(name: str) -> None:
    row, h = ACTIVATIONS[name], 1e-5
    z = np.array([[-30.0, -3.1, -0.7, -1e-3, 1e-3, 0.4, 2.2, 30.0]])

    def slope(z: Any) -> Any:
        return row.derivative(z, row(z))

    np.testing.assert_allclose(row.bend(z, row(z)), (slope(z + h) - slope(z - h)) / (2 * h), atol=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "gelu", "softplus", "elu", "relu"])
def test_the_hessian_is_that_of_finite_differences(loss: str, activation: str) -> None:
    problem = problem_of(loss, activation)
    flat = problem.initial_parameters
    exact = hessian(problem, flat)
    np.testing.assert_allclose(exact, differenced(problem, flat), atol=2e-8 * np.abs(exact).max() + 1e-9)


def test_a_bent_output_and_the_penalty_are_in_it() -> None:
    problem = problem_of("mse", "tanh", output="sigmoid")
    flat = problem.initial_parameters
    np.testing.assert_allclose(hessian(problem, flat), differenced(problem, flat), atol=1e-8)
    weights = np.concatenate(
        [
            np.full(length, name[0] == "W")
            for name, length in zip(problem.layout.names, problem.layout.lengths, strict=True)
        ]
    )
    difference = hessian(problem, flat, l2=0.3) - hessian(problem, flat)
    np.testing.assert_allclose(difference, 0.3 * np.diag(weights.astype(float)), atol=1e-14)


def test_lanczos_finds_the_ends_that_the_whole_matrix_has(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of("softmax_cross_entropy", "tanh")
    flat = problem.initial_parameters
    whole = spectrum(problem, flat)
    assert whole.whole
    np.testing.assert_allclose(
        whole.eigenvalues, np.linalg.eigvalsh(hessian(problem, flat))[::-1], atol=1e-13
    )
    monkeypatch.setattr(curvature, "MOST_PARAMETERS", 0)
    ends = spectrum(problem, flat)
    assert not ends.whole
    assert ends.settled
    assert ends.products < whole.products
    np.testing.assert_allclose(ends.eigenvalues[[0, -1]], whole.eigenvalues[[0, -1]], rtol=1e-8)
    assert abs(ends.top @ whole.top) == pytest.approx(1.0, abs=1e-6)


def test_lanczos_stops_early_if_it_costs_too_much_and_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of("mse", "tanh")
    whole = spectrum(problem, problem.initial_parameters)
    monkeypatch.setattr(curvature, "MOST_PARAMETERS", 0)
    monkeypatch.setattr(curvature, "MOST_WORK", 0.0)
    monkeypatch.setattr(curvature, "FEWEST_TURNS", 3)
    early = spectrum(problem, problem.initial_parameters)
    assert (early.settled, early.products) == (False, 3)
    assert 0.5 * whole.eigenvalues[0] < early.eigenvalues[0] < whole.eigenvalues[0]


def test_directions_taken_in_parts_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of()
    directions = np.eye(problem.layout.count)
    bending = HessianProducts(problem, problem.initial_parameters)
    together = bending.products(directions)
    monkeypatch.setattr(curvature, "MOST_AT_ONCE", 400)
    np.testing.assert_allclose(bending.products(directions), together, atol=1e-15)


def test_the_trace_is_the_sum_of_the_diagonal_whatever_the_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of("mse", "tanh")
    flat, scale = problem.initial_parameters, np.linspace(0.01, 3.0, problem.layout.count)
    expected = pytest.approx(np.trace(differenced(problem, flat)), rel=1e-6)
    assert spectrum(problem, flat).trace == expected
    assert spectrum(problem, flat, scale=scale).trace == expected
    scale[:3] = 0.0
    assert spectrum(problem, flat, scale=scale).trace == expected
    monkeypatch.setattr(curvature, "MOST_PARAMETERS", 0)
    assert spectrum(problem, flat).trace is None


@pytest.mark.parametrize("loss", LOSSES)
def test_an_estimated_trace_is_within_its_error_which_falls_with_the_number_of_signs(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_of(loss, "tanh")
    flat = problem.initial_parameters
    exact = np.trace(hessian(problem, flat, l2=0.1))
    few, few_error = estimated_trace(problem, flat, l2=0.1)
    monkeypatch.setattr(curvature, "MOST_SIGNS", 3_200)
    many, many_error = estimated_trace(problem, flat, l2=0.1)
    assert abs(few - exact) < 4 * few_error
    assert abs(many - exact) < 4 * many_error < 0.8 * few_error


def test_a_hessian_that_is_not_finite_raises() -> None:
    problem = problem_of("mse", "relu")
    with pytest.raises(FloatingPointError, match="not finite"):
        spectrum(problem, np.full(problem.layout.count, 1e200))


def test_full_batch_descent_ends_at_the_edge_of_stability() -> None:
    """Cohen et al. 2021, arXiv:2103.00065, on a small network: sharpness times rate over 2 goes to 1."""
    rate = 0.2
    body = {
        "data": {"name": "chebyshev", "samples": 20, "degree": 4},
        "network": {
            "layers": [{"units": 20, "activation": "tanh"}, {"units": 20, "activation": "tanh"}],
            "weights": {"name": "lecun"},
            "biases": "zeros",
            "seed": 0,
        },
        "runs": [{"learning_rate": rate}],
    }
    recipe = check_recipe(Recipe.model_validate(body))
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    state = begin(problem)
    advance(problem, state, recipe.runs[0], 5_600)
    sharpness_ratios = []
    for _ in range(8):
        advance(problem, state, recipe.runs[0], 300)
        sharpness_ratios.append(spectrum(problem, state.parameters).eigenvalues[0] * rate / 2.0)
    assert np.mean(sharpness_ratios) == pytest.approx(1.0, abs=0.02)


def test_lanczos_ends_after_as_many_turns_as_there_are_eigenvalues() -> None:
    diagonal = np.repeat([3.0, 1.0], [2, 4])
    found = curvature._lanczos(lambda directions: directions * diagonal, 6, 5)
    assert found.products == 2
    assert found.eigenvalues == pytest.approx([3.0, 1.0])
    for vector, eigenvalue in ((found.top, 3.0), (found.second, 1.0)):
        np.testing.assert_allclose(diagonal * vector, eigenvalue * vector, atol=1e-12)
