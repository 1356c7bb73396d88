"""Small recipes, problems and runs for tests of everything that trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import DataSettings, LayerSettings, NetworkSettings, Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit

Array = NDArray[np.float64]


def problem_of(recipe: Recipe) -> Problem:
    return build_problem(recipe.data, recipe.network, recipe.loss)


def default_problem() -> Problem:
    """The notebook's: 900 samples of 5 features, 5-4-4-1 relu."""
    return problem_of(Recipe())


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
) -> Problem:
    """A small standardized data set under the layers asked for (default: one tanh layer of 4)."""
    data = DataSettings(
        name="linear",
        samples=samples,
        features=features,
        test_fraction=test_fraction,
        standardize="both",
        seed=seed,
    )
    return build_problem(data, network(*(layers or ((4, "tanh"),)), seed=seed, weights=weights), "mse")


def train(problem: Problem, run: RunRecipe, *slices: int) -> tuple[TrainingState, Records]:
    """Advance from step 0 in slices of these lengths; the records joined."""
    state = begin(problem)
    return state, joined([advance(problem, state, run, steps) for steps in slices])


def joined(pieces: Sequence[Records]) -> Records:
    """Consecutive records as one."""
    return Records(
        pieces[0].first,
        np.concatenate([piece.samples_seen for piece in pieces]),
        np.concatenate([piece.seconds for piece in pieces]),
        pieces[0].names,
        np.concatenate([piece.values for piece in pieces], axis=1),
    )


def series(records: Records, name: str) -> Array:
    return records.values[records.names.index(name)]


def edit(at_step: int, **change: object) -> Edit:
    return Edit.model_validate({"at_step": at_step, **change})


def same_bits(one: Array, other: Array) -> bool:
    """Equal bit for bit, NaN included."""
    return one.shape == other.shape and one.tobytes() == other.tobytes()
