"""Loss and slope along a change against finite differences and known parabolas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fallline.engine.measures.probes import evaluate
from fallline.engine.measures.step_length import Line, Measurement, Parabola, parabola_of
from fallline.engine.methods.losses import LOSSES
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, RunRecipe
from fallline.vocabulary.run_settings import RunSettings
from support.problems import classes_problem, small_problem

PLAIN = RunSettings("sgd", 0.1, None, "shuffle")


def problem_of(loss: str, *layers: tuple[int, str]) -> Problem:
    if loss == "softmax_cross_entropy":
        return classes_problem(loss, 3, *layers)
    return classes_problem(loss, 2, *layers) if LOSSES[loss].logits else small_problem(*layers, loss=loss)


def change_of(problem: Problem, seed: int = 3) -> Any:
    return 0.1 * np.random.default_rng(seed).standard_normal(problem.layout.count)


def line_of(problem: Problem, settings: RunSettings = PLAIN, rows: Any = None) -> Line:
    rows = problem.train_rows if rows is None else rows
    return Line(problem, problem.initial_parameters, change_of(problem), rows, settings)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_of_each_sample_is_that_of_a_data_set_of_one(name: str) -> None:
    problem = problem_of(name)
    y_pred = 3.0 * np.random.default_rng(1).standard_normal((problem.train.count, problem.layout.sizes[-1]))
    each = problem.loss.each(y_pred, problem.train.y)
    alone = [
        problem.loss(one[np.newaxis], y[np.newaxis]) for one, y in zip(y_pred, problem.train.y, strict=True)
    ]
    np.testing.assert_allclose(each, alone, rtol=1e-12, atol=1e-14)
    assert each.mean() == pytest.approx(problem.loss(y_pred, problem.train.y), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("place", [0.0, 1.0, -0.5])
def test_slopes_are_central_differences_of_the_losses(name: str, place: float) -> None:
    problem = problem_of(name, (4, "tanh"), (3, "gelu"))
    for settings in (PLAIN, replace(PLAIN, l1=0.02, l2=0.3)):
        line, h = line_of(problem, settings), 1e-5
        below, above = line.losses([place - h, place + h])
        expected = (above - below) / (2 * h * line.length)
        assert line.measure(place).slope == pytest.approx(expected, rel=1e-7)


def test_the_loss_is_the_descended_one_half_of_what_mse_reports() -> None:
    problem = small_problem()
    here = evaluate(problem, problem.initial_parameters)["train_loss"]
    assert line_of(problem).losses([0.0]) == [pytest.approx(0.5 * here, rel=1e-14)]
    weights = np.concatenate(
        [problem.named(problem.initial_parameters)[name].ravel() for name in problem.layout.names[0::2]]
    )
    penalties = 0.02 * np.abs(weights).sum() + 0.5 * 0.3 * (weights**2).sum()
    actual = line_of(problem, replace(PLAIN, l1=0.02, l2=0.3)).losses([0.0])[0]
    assert actual == pytest.approx(0.5 * here + penalties, rel=1e-14)


def test_variances_are_those_of_single_samples_measured_one_by_one() -> None:
    problem = problem_of("softmax_cross_entropy")
    whole = line_of(problem).measure(0.0)
    alone = [line_of(problem, rows=problem.train_rows[k : k + 1]).measure(0.0) for k in range(60)]
    assert alone[0].loss_variance is alone[0].slope_variance is None
    assert whole.loss_variance == pytest.approx(np.var([one.loss for one in alone], ddof=1), rel=1e-10)
    assert whole.slope_variance == pytest.approx(np.var([one.slope for one in alone], ddof=1), rel=1e-10)


@pytest.mark.parametrize("times", [0.01, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("variance", [None, 0.0, 3.0])
def test_on_a_parabola_without_noise_alpha_is_rate_times_curvature_less_one(
    times: float, variance: float | None
) -> None:
    """Verification V3: alpha = eta lambda - 1, for any weights."""
    curvature, x = 0.7, 1.3
    rate = times / curvature
    length = rate * curvature * x

    def measure(at: float) -> Measurement:
        return Measurement(0.5 * curvature * at * at, -curvature * at, variance, variance)

    fitted = parabola_of(measure(x), measure(x - length), length)
    assert fitted is not None
    assert fitted.alpha == pytest.approx(times - 1.0, abs=1e-12)


@pytest.mark.parametrize("rate", [0.01, 0.5, 1.7, 2.5])
def test_of_a_linear_regression_alpha_is_rate_times_the_curvature_along_the_gradient_less_one(
    rate: float,
) -> None:
    data = DataSettings(name="linear", samples=60, features=3, noise=0.3, seed=1)
    problem = build_problem(data, NetworkSettings(layers=[], seed=2), "mse")
    state = begin(problem)
    start = state.parameters.copy()
    advance(problem, state, RunRecipe(name="gd", learning_rate=rate), 1)
    change = state.parameters - start
    line = Line(problem, start, change, problem.train_rows, PLAIN)
    fitted = parabola_of(line.measure(0.0), line.measure(1.0), line.length)
    assert fitted is not None
    # the Hessian of half the mse is X'X / m, with a column of ones for the bias
    outputs = problem.train.rows @ change
    curvature = outputs.dot(outputs) / problem.train.count / change.dot(change)
    assert fitted.alpha == pytest.approx(rate * curvature - 1.0, abs=1e-11)


def test_two_observations_that_disagree_are_weighed_by_their_noise() -> None:
    """Brute force: the minimum of the weighted squares over a grid of parabolas."""
    start, end, length = Measurement(1.0, -1.0, 0.2, 0.03), Measurement(0.9, -0.4, 0.5, 2.0), 0.8
    fitted = parabola_of(start, end, length)
    assert fitted is not None

    def cost(w0: float, w1: float, w2: float) -> float:
        return float(
            (w0 - 1.0) ** 2 / 0.2
            + (w0 + w1 + w2 - 0.9) ** 2 / 0.5
            + (w1 / length + 1.0) ** 2 / 0.03
            + ((w1 + 2 * w2) / length + 0.4) ** 2 / 2.0
        )

    least = cost(fitted.w0, fitted.w1, fitted.w2)
    for move in np.vstack([1e-3 * np.eye(3), -1e-3 * np.eye(3)]):
        assert cost(fitted.w0 + move[0], fitted.w1 + move[1], fitted.w2 + move[2]) > least


def test_where_the_loss_bends_down_or_begins_flat_there_is_no_lowest_point_to_measure_by() -> None:
    assert Parabola(1.0, -1.0, -0.5).alpha == -1.0
    assert Parabola(1.0, -1.0, 0.0).alpha == -1.0
    assert Parabola(1.0, 0.0, 0.5).alpha is None
    assert Parabola(1.0, -1.0, -0.5).lowest is Parabola(1.0, -1.0, 0.0).lowest is None
    assert (Parabola(1.0, 1.0, 0.25).alpha, Parabola(1.0, 1.0, 0.25).lowest) == (-1.5, -2.0)
    infinite = Measurement(float("inf"), 1.0, None, None)
    assert parabola_of(Measurement(1.0, -1.0, None, None), infinite, 1.0) is None
