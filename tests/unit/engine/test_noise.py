"""The scatter of gradients against single samples, and against every possible batch."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from fallline.engine.measures.noise import Scatter, noise_of
from fallline.engine.network import backward, forward
from fallline.engine.problem import Problem, build_problem
from fallline.runs.checks.recipe import check_recipe
from fallline.vocabulary.recipe import Recipe


def problem_of(samples: int = 10, **more: Any) -> Problem:
    body = {
        "data": {"samples": samples, "features": 3},
        "network": {"layers": [{"units": 4, "activation": "tanh"}]},
    }
    recipe = check_recipe(Recipe.model_validate({**body, **more}))
    return build_problem(recipe.data, recipe.network, recipe.loss)


def of_each_sample(problem: Problem) -> Any:
    named = problem.named(problem.initial_parameters)
    actual = []
    for X, y in zip(problem.train.X[:, np.newaxis], problem.train.y[:, np.newaxis], strict=True):
        passed = forward(named, problem.activations, X)
        gradients = backward(named, problem.activations, passed, problem.loss.gradient(passed.y_pred, y))
        actual.append(np.concatenate([gradients[name].ravel() for name in problem.layout.names]))
    return np.array(actual)


@pytest.mark.parametrize(
    "more",
    [{}, {"data": {"name": "two_spirals", "samples": 30}, "loss": "softmax_cross_entropy"}],
    ids=["regression", "classes"],
)
def test_the_sums_are_those_of_all_single_gradients(more: Any) -> None:
    problem = problem_of(**more)
    each = of_each_sample(problem)
    start = 0
    parts = [slice(None)]
    for lengths in zip(problem.layout.lengths[0::2], problem.layout.lengths[1::2], strict=True):
        parts.append(slice(start, start + sum(lengths)))
        start += sum(lengths)
    noise = noise_of(problem, problem.initial_parameters)
    for scatter, part in zip([noise.whole, *noise.layers], parts, strict=True):
        own = each[:, part]
        mean = own.mean(axis=0)
        along = (own @ mean).var(ddof=1)
        apart = own - np.outer(own @ mean / (mean @ mean), mean)
        assert scatter.mean_squared == pytest.approx(mean @ mean, rel=1e-12)
        assert scatter.trace_covariance == pytest.approx(np.trace(np.cov(own.T)), rel=1e-12)
        assert scatter.along == pytest.approx(along, rel=1e-11)
        assert scatter.across == pytest.approx((apart**2).sum() / (len(own) - 1), rel=1e-11)
        assert scatter.noise_scale == pytest.approx(np.trace(np.cov(own.T)) / (mean @ mean), rel=1e-12)


@pytest.mark.parametrize("batch", [1, 3, 7, 10])
def test_a_batch_scatters_as_all_batches_of_its_size_do(batch: int) -> None:
    """Verification V5: every batch without replacement, enumerated."""
    problem = problem_of()
    each = of_each_sample(problem)
    mean = each.mean(axis=0)
    drawn = np.array([each[list(rows)].mean(axis=0) for rows in combinations(range(len(each)), batch)])
    noise = noise_of(problem, problem.initial_parameters).whole
    off = ((drawn - mean) ** 2).sum(axis=1).mean()
    assert noise.norm_test(batch) * (mean @ mean) == pytest.approx(off, rel=1e-11, abs=1e-15)
    along = (drawn @ mean).var()
    assert noise.inner_product_test(batch) * (mean @ mean) ** 2 == pytest.approx(along, rel=1e-10, abs=1e-15)
    apart = drawn - np.outer(drawn @ mean / (mean @ mean), mean)
    assert noise.orthogonality_test(batch) * (mean @ mean) == pytest.approx(
        (apart**2).sum(axis=1).mean(), rel=1e-10, abs=1e-15
    )


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_a_batch_with_replacement_scatters_as_all_such_batches_do(batch: int) -> None:
    """Every batch with replacement, enumerated."""
    problem = problem_of()
    each = of_each_sample(problem)
    mean = each.mean(axis=0)
    drawn = np.array([each[list(rows)].mean(axis=0) for rows in product(range(len(each)), repeat=batch)])
    noise = noise_of(problem, problem.initial_parameters).whole
    off = ((drawn - mean) ** 2).sum(axis=1).mean()
    assert noise.norm_test(batch, replaced=True) * (mean @ mean) == pytest.approx(off, rel=1e-11)
    along = (drawn @ mean).var()
    assert noise.inner_product_test(batch, replaced=True) * (mean @ mean) ** 2 == pytest.approx(
        along, rel=1e-10
    )
    apart = drawn - np.outer(drawn @ mean / (mean @ mean), mean)
    assert noise.orthogonality_test(batch, replaced=True) * (mean @ mean) == pytest.approx(
        (apart**2).sum(axis=1).mean(), rel=1e-10
    )


def test_a_gradient_of_exactly_zero_has_no_finite_scale_unless_all_are_zero() -> None:
    problem = problem_of(network={"layers": [{"units": 4, "activation": "relu"}]})
    parameters = problem.initial_parameters.copy()
    named = problem.named(parameters)
    named["b1"][:] = -1e6
    named["b2"][:] = problem.train.y.mean()
    noise = noise_of(problem, parameters)
    assert (noise.layers[0].mean_squared, noise.layers[0].noise_scale) == (0.0, 0.0)
    assert noise.layers[1].noise_scale > 1e6


def test_a_signal_without_scatter_is_infinitely_above_it_and_no_signal_is_not() -> None:
    assert Scatter(3, 4.0, 0.0, 0.0, 0.0).signal_to_noise == float("inf")
    assert Scatter(3, 0.0, 0.0, 0.0, 0.0).signal_to_noise == 0.0
    assert Scatter(3, 4.0, 0.5, 0.0, 0.0).signal_to_noise == 8.0
