"""The oracle's own numbers agree with the engine's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from doctor import numbers
from doctor.numbers import Numbers, replay
from fallline.engine.measures.noise import noise_of
from fallline.engine.measures.probes import units
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import Recipe

STEPS = 20
KINDS = [
    ("log_linear", "relu", "mse"),
    ("sine", "tanh", {"name": "huber", "delta": 0.5}),
    ("moons", "sigmoid", "binary_cross_entropy"),
    ("iris", "softplus", "softmax_cross_entropy"),
    ("plane", "leaky_relu", "mse"),
    ("xor", "elu", "binary_cross_entropy"),
]


def _recipe(data: str, activation: str, loss: Any) -> Recipe:
    features = {"log_linear": 5, "iris": 4}.get(data, 2)
    return Recipe.model_validate(
        {
            "data": {
                "name": data,
                "features": features,
                "samples": 90,
                "test_fraction": 0.3,
                "standardize": "both",
            },
            "network": {
                "layers": [{"units": 5, "activation": activation}] * 2,
                "weights": "he_normal",
                "seed": 2,
            },
            "loss": loss,
            "runs": [{"name": "run", "learning_rate": 0.1, "batch_size": 8}],
        }
    )


def _disagreement(recipe: Recipe) -> float:
    """The largest relative difference between the two, over everything that both compute."""
    run, problem = replay(recipe, STEPS), build_problem(recipe.data, recipe.network, recipe.loss)
    records = advance(problem, begin(problem), recipe.runs[0], STEPS)
    rows = {name: records.values[place] for place, name in enumerate(records.names)}
    pairs: list[tuple[Any, Any]] = [
        (run.train_loss[:STEPS], rows["train_loss"]),
        (run.test_loss[:STEPS], rows["test_loss"]),
    ]
    pairs += [
        (run.score[:STEPS], rows[f"train_{problem.score.name}"]),
        (run.baseline, problem.baseline["train"]),
    ]
    pairs += [(run.moved[:, k], rows[f"ratio/W{k + 1}"]) for k in range(run.network.layers)]
    pairs += list(_measured(run, problem, STEPS // 2))
    return max(float(np.max(np.abs(np.subtract(*pair)) / (1e-6 + np.abs(pair[1])))) for pair in pairs)


def _measured(run: Numbers, problem: Problem, step: int) -> Any:
    noise = noise_of(problem, run.parameters[step])
    yield run.squared[step], noise.whole.mean_squared
    yield run.trace[step], noise.whole.trace_covariance
    for layer, one in enumerate(units(problem, run.parameters[step])[:-1], start=1):
        if one.saturated_share is not None:
            yield run.saturated[layer][step], np.mean(one.saturated_share)
        if layer in run.dead:
            yield run.dead[layer][step].astype(float), np.array(one.dead, dtype=float)


@pytest.mark.parametrize(("data", "activation", "loss"), KINDS)
def test_both_compute_the_same_numbers(data: str, activation: str, loss: Any) -> None:
    assert _disagreement(_recipe(data, activation, loss)) < 1e-9


def test_a_wrong_slope_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(numbers._SLOPE, "tanh", lambda z: 1.0 - np.tanh(z))
    assert _disagreement(_recipe(*KINDS[1])) > 1e-3


def test_equal_units_have_the_number_of_the_first() -> None:
    recipe = _recipe(*KINDS[0])
    zeros = recipe.network.model_copy(update={"weights": "zeros", "biases": "zeros"})
    run = replay(recipe.model_copy(update={"network": zeros}), STEPS)
    assert (run.groups[1] == 0).all()
    assert (replay(recipe, STEPS).groups[1] == np.arange(5)).all()


def test_a_run_that_diverges_ends_at_its_last_finite_state() -> None:
    recipe = _recipe(*KINDS[0])
    run = recipe.runs[0].model_copy(update={"learning_rate": 1e6})
    ended = replay(recipe.model_copy(update={"runs": [run]}), STEPS)
    assert ended.diverged_at is not None
    assert len(ended.train_loss) == ended.diverged_at + 1
    assert np.isfinite(ended.parameters).all()
