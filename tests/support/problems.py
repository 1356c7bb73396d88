"""Small recipes, problems and runs for tests of everything that trains."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.row import Dataset, Raw
from fallline.engine.measures.curvature import HessianProducts
from fallline.engine.methods.losses import LOSSES
from fallline.engine.problem import Problem, build_problem
from fallline.engine.randomness import rng_for
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import (
    DataSettings,
    LayerSettings,
    LossSettings,
    NetworkSettings,
    Recipe,
    RunRecipe,
)
from fallline.vocabulary.run_settings import Edit
from support.aliases import Array


def problem_of(recipe: Recipe) -> Problem:
    return build_problem(recipe.data, recipe.network, recipe.loss)


def hessian(problem: Problem, parameters: Array, l2: float = 0.0) -> Array:
    """The whole Hessian of the loss (parameters, parameters), exactly symmetric."""
    raw = HessianProducts(problem, parameters, l2).products(np.eye(problem.layout.count))
    return np.asarray(0.5 * (raw + raw.T))


def data_for(loss: str) -> str:
    """Return the name of a data set that fits the loss."""
    row = LOSSES[loss]
    if row.fits(0):
        return "log_linear" if loss == "mse" else "linear"
    return "moons" if row.most_classes == 2 else "two_spirals"


def default_problem() -> Problem:
    """Return the notebook's problem: 900 samples of 5 features, 5-4-4-1 relu."""
    return problem_of(Recipe.model_validate({}))


def network(
    *layers: tuple[int, str],
    output: str = "identity",
    seed: int = 0,
    weights: str = "normal",
    biases: str = "normal",
) -> NetworkSettings:
    return NetworkSettings(
        layers=[LayerSettings(units=units, activation=activation) for units, activation in layers],
        output=output,
        weights=weights,
        biases=biases,
        seed=seed,
    )


def small_problem(
    *layers: tuple[int, str],
    samples: int = 60,
    test_fraction: float = 0.0,
    features: int = 3,
    seed: int = 1,
    weights: str = "normal",
    loss: str | LossSettings = "mse",
) -> Problem:
    """Return a small standardized problem (default: one tanh layer of 4)."""
    data = DataSettings(
        name="linear",
        samples=samples,
        features=features,
        test_fraction=test_fraction,
        standardize="both",
        seed=seed,
    )
    return build_problem(data, network(*(layers or ((4, "tanh"),)), seed=seed, weights=weights), loss)


def blobs(classes: int) -> Dataset:
    """Return round clouds around the origin, the first as large as all others."""
    names = tuple(f"cloud {place}" for place in range(classes))

    def make(settings: DataSettings) -> Raw:
        y = np.maximum(np.arange(settings.samples) % (2 * classes - 2) - classes + 2, 0).reshape(-1, 1)
        angle = 2 * np.pi * y / classes
        X = np.hstack([np.cos(angle), np.sin(angle)])
        X += 0.4 * rng_for(settings.seed, "inputs").standard_normal(X.shape)
        return Raw(X, y.astype(np.float64), ("x1", "x2"), names)

    return Dataset(
        f"blobs_{classes}", "clouds", "these tests", "classification", make, features=2, classes=names
    )


def classes_problem(
    loss: str | LossSettings,
    classes: int,
    *layers: tuple[int, str],
    samples: int = 60,
    test_fraction: float = 0.0,
    seed: int = 1,
    weights: str = "normal",
    net: NetworkSettings | None = None,
) -> Problem:
    """Return a problem of round clouds (default: one tanh layer of 4)."""
    row = blobs(classes)
    data = DataSettings(name=row.name, samples=samples, features=2, test_fraction=test_fraction, seed=seed)
    net = net or network(*(layers or ((4, "tanh"),)), seed=seed, weights=weights)
    with patch.dict(DATASETS, {row.name: row}):
        return build_problem(data, net, loss)


def train(problem: Problem, run: RunRecipe, *slices: int) -> tuple[TrainingState, Records]:
    """Advance from step 0 in slices of these lengths.

    Returns the state and the joined records.
    """
    state = begin(problem)
    return state, joined([advance(problem, state, run, steps) for steps in slices])


def joined(pieces: Sequence[Records]) -> Records:
    """Join consecutive records."""
    return Records(
        pieces[0].first,
        np.concatenate([piece.samples_seen for piece in pieces]),
        np.concatenate([piece.seconds for piece in pieces]),
        pieces[0].names,
        np.concatenate([piece.values for piece in pieces], axis=1),
    )


def series(records: Records, name: str) -> Array:
    values: Array = records.values[records.names.index(name)]
    return values


def edit(at_step: int, **change: object) -> Edit:
    return Edit.model_validate({"at_step": at_step, **change})


def same_bits(one: Array, other: Array) -> bool:
    """Return whether both are equal bit for bit, NaN included."""
    return one.shape == other.shape and one.tobytes() == other.tobytes()
