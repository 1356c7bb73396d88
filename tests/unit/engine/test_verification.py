"""Theoretical claims that the engine meets: V1, V2, V7, V7b, V9, V17 and V18.

V3 is in test_step_length.py, V5 in test_noise.py, V16 in test_plane.py, V17b in test_curvature.py; V4, V10, V11, V13
and V14 are beside their subjects.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from fallline.engine.batches import order_of_pass
from fallline.engine.measures.curvature import spectrum
from fallline.engine.measures.edge import edge_of
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.problem import Problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe
from fallline.vocabulary.recipe import Recipe
from support.problems import problem_of


def more(*cases: Any) -> list[Any]:
    """Further cases for long test runs."""
    return [pytest.param(*case, marks=pytest.mark.long) for case in cases]


CURVATURES = np.array([0.01, 0.1, 1.0])


def descended(optimizer: str, rate: float, own: dict[str, float], curvature: Any, steps: int) -> Any:
    """Position of the optimizer after that many steps on sum(curvature x**2) / 2 from 1."""
    row = OPTIMIZERS[optimizer]
    x = np.ones_like(curvature)
    slots = row.start(len(x))
    for _ in range(steps):
        row.update(x, curvature * x, slots, rate, row.filled(own))
    return x


def test_descent_of_a_parabola_is_the_closed_form_and_the_best_rate_is_that_of_its_ends() -> None:
    """V1."""
    rate = 2.0 / (CURVATURES[0] + CURVATURES[-1])
    x = descended("sgd", rate, {}, CURVATURES, 500)
    np.testing.assert_allclose(x, (1.0 - rate * CURVATURES) ** 500, atol=1e-12, rtol=1e-10)
    factor = abs(x[0]) ** (1 / 500)
    assert factor == pytest.approx(99 / 101, abs=1e-12)
    for other in (0.99 * rate, 1.01 * rate):
        assert max(abs(1.0 - other * CURVATURES)) > factor


@pytest.mark.parametrize(("curvature", "rate", "beta"), [(1.0, 0.1, 0.9), (0.3, 0.5, 0.5), (2.0, 0.2, 0.99)])
def test_heavy_ball_is_the_matrix_of_its_recurrence(curvature: float, rate: float, beta: float) -> None:
    """V2: R advances (velocity, x) by a step; its determinant is beta, complex roots have modulus sqrt(beta)."""
    turn = np.array([[beta, curvature], [-rate * beta, 1.0 - rate * curvature]])
    assert np.linalg.det(turn) == pytest.approx(beta, abs=1e-12)
    roots = np.linalg.eigvals(turn)
    assert np.iscomplexobj(roots)
    np.testing.assert_allclose(np.abs(roots), np.sqrt(beta), atol=1e-12)
    expected = np.linalg.matrix_power(turn, 60) @ np.array([0.0, 1.0])
    x = descended("momentum", rate, {"momentum": beta}, np.array([curvature]), 60)
    assert x[0] == pytest.approx(expected[1], abs=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_heavy_ball_is_stable_just_below_its_limit_and_not_just_above(beta: float) -> None:
    """V2: the spectral radius crosses 1 at rate * curvature = 2 + 2 beta, as `edge` states."""
    run = Recipe.model_validate(
        {"runs": [{"optimizer": "momentum", "momentum": beta, "learning_rate": 0.2}]}
    ).runs[0]
    problem = problem_of(Recipe())
    limit = edge_of(run.settings_at(0), begin(problem)).limit
    for factor, stable in ((0.999, True), (1.001, False)):
        h = factor * limit
        turn = np.array([[beta, h], [-0.2 * beta, 1.0 - 0.2 * h]])
        assert bool(np.abs(np.linalg.eigvals(turn)).max() < 1.0) == stable


def chains(rate: float, batches: Any) -> Any:
    """SGD estimates a mean: column of `batches` (steps, chains) by column, one batch mean per step."""
    x = np.zeros(batches.shape[1])
    row = OPTIMIZERS["sgd"]
    for batch_means in batches:
        row.update(x, x - batch_means, {}, rate, {})
    return x


@pytest.mark.parametrize(
    ("batch", "rate"), [(1, 0.1), (4, 0.5), (16, 0.1), *more((1, 0.5), (4, 0.1), (16, 0.5))]
)
def test_the_noise_floor_of_independent_batches(batch: int, rate: float) -> None:
    """V7: rate / (2 - rate) of a batch's variance."""
    rng = np.random.default_rng(batch)
    samples = rng.standard_normal((300, 4_000 * 16, batch)).mean(axis=2) if batch == 1 else None
    means = rng.standard_normal((300, 64_000)) / np.sqrt(batch) if samples is None else samples
    floor = rate / (2.0 - rate) / batch
    assert chains(rate, means).var() == pytest.approx(floor, rel=0.02)


def test_passes_in_a_new_order_have_a_floor_of_their_own() -> None:
    """V7b: at a pass's end, with the orders of runs; independent draws would give a fifth more."""
    samples, rate, passes = 100, 0.1, 6_000
    values = np.random.default_rng(0).standard_normal(samples)
    values = (values - values.mean()) / values.std(ddof=1)
    orders = [order_of_pass("shuffle", 3, number, samples) for number in range(passes)]
    weights = (1.0 - rate) ** (samples - 1.0 - np.arange(samples))
    expected = rate**2 * (samples * (weights**2).sum() - weights.sum() ** 2) / (samples - 1) * values.var()
    # hardly anything of a pass's start remains at its end: passes are independent chains
    ends = chains(rate, values[np.array(orders)].T)
    assert (1.0 - rate) ** samples < 1e-4
    assert (ends**2).mean() == pytest.approx(expected, rel=0.06)
    assert (ends**2).mean() < 0.9 * rate / (2.0 - rate)


def test_he_weights_keep_the_size_of_what_goes_through_relu_layers() -> None:
    """V9: E z**2 stays constant; weights of variance 1 / n halve it at each layer."""
    for name, ratio in (("he_normal", 1.0), ("lecun", 0.5)):
        row, draws = INITIALIZERS[name], 40_000
        rng = np.random.default_rng(1)
        sizes = []
        a = np.abs(rng.standard_normal((draws, 4)))
        for _ in range(3):
            W = row.draw(rng, (4, 4 * draws), 4, 4).reshape(4, draws, 4)
            z = np.einsum("ki,iko->ko", a, W)
            sizes.append((z**2).mean())
            a = np.maximum(z, 0.0)
        for before, after in pairwise(sizes):
            assert after / before == pytest.approx(ratio, rel=0.05), name


def standard(seed: int, **run: Any) -> tuple[Problem, Any]:
    """STD: 100 standardised samples, 5-4-4-1 tanh, weights N(0, 1 / fan-in), zero biases."""
    body = {
        "data": {"name": "log_linear", "samples": 100, "standardize": "targets", "seed": seed},
        "network": {
            "layers": [{"units": 4, "activation": "tanh"}] * 2,
            "weights": "lecun",
            "biases": "zeros",
            "seed": seed,
        },
        "runs": [run],
    }
    recipe = check_recipe(Recipe.model_validate(body))
    return problem_of(recipe), recipe.runs[0]


def settled(problem: Problem, run: Any, steps: int, share: float = 0.3) -> float:
    """Mean of sharpness over its limit in the last share of the steps."""
    state = begin(problem)
    advance(problem, state, run, round(steps * (1.0 - share)))
    sharpness = []
    for _ in range(30):
        advance(problem, state, run, round(steps * share / 30))
        assert state.diverged_at is None
        edge = edge_of(run.settings_at(state.step), state)
        sharpness.append(spectrum(problem, state.parameters, scale=edge.scale).eigenvalues[0] / edge.limit)
    return float(np.mean(sharpness))


def in_turn(settings: Sequence[tuple[float, ...]], quick: set[tuple[float, ...]]) -> list[Any]:
    """Ten seeds of each setting; a few run always, the others in long test runs."""
    return [
        pytest.param(seed, *each, marks=() if (seed, *each) in quick else pytest.mark.long)
        for each in settings
        for seed in range(10)
    ]


@pytest.mark.parametrize(
    ("seed", "rate"),
    in_turn([(0.4,), (0.2,)], {(0, 0.4), (1, 0.2)}),
)
def test_full_batch_descent_ends_at_the_edge_of_stability(seed: int, rate: float) -> None:
    """V17: Cohen et al. 2021, arXiv:2103.00065."""
    assert settled(*standard(seed, learning_rate=rate), steps=20_000) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("seed", "beta", "rate"), in_turn([(0.5, 0.2)], {(0, 0.5, 0.2)}))
def test_momentum_ends_at_an_edge_of_its_own(seed: int, beta: float, rate: float) -> None:
    """V18: (2 + 2 beta) / rate."""
    problem, run = standard(seed, optimizer="momentum", momentum=beta, learning_rate=rate)
    assert settled(problem, run, steps=20_000) == pytest.approx(1.0, abs=0.03)


ARRIVED = {(seed, 0.9, 0.2) for seed in (5, 6, 9)} | {(seed, 0.9, 0.4) for seed in (0, 2, 3, 6)}
"""Seeds, of ten, that reach the edge within 20,000 steps.

With more momentum the edge is farther, and some arrive later.
"""


@pytest.mark.parametrize(
    ("seed", "beta", "rate"),
    in_turn([(0.9, 0.2), (0.9, 0.4)], {(6, 0.9, 0.2), (0, 0.9, 0.4), (2, 0.9, 0.4)}),
)
def test_more_momentum_comes_to_its_edge_from_below_and_not_beyond(
    seed: int, beta: float, rate: float
) -> None:
    """V18, widened: a run at the edge stays there, and no run exceeds it."""
    problem, run = standard(seed, optimizer="momentum", momentum=beta, learning_rate=rate)
    sharpness = settled(problem, run, steps=20_000)
    assert sharpness < 1.01
    if (seed, beta, rate) in ARRIVED:
        assert sharpness > 0.97
