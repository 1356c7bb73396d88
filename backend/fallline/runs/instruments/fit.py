"""The prediction over the only input: a curve beside the samples.

For classes it is the score between 0, the first class, and 1, the last. Changes and stores nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.engine.measures.probes import predict
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.instruments.predictions import MOST_DOTS, reach, scores_of
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.encoding import array_of, finite_or_none
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import RunRecipe

PLACES = 161
"""Number of places along the input."""


def fit(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return the curve and the samples of both splits; null unless there is exactly one input."""
    fields: Json = {"inputs": list(problem.features), "classes": list(problem.classes)}
    if problem.X.shape[1] != 1:
        return {**fields, "x": None, "y_pred": None, "train": None, "test": None}
    places = np.linspace(*reach(problem.X[:, 0]), PLACES)
    return {
        **fields,
        "x": places.tolist(),
        "y_pred": [finite_or_none(value) for value in _heights(problem, state, places).tolist()],
        "train": _samples(problem, problem.train_rows),
        "test": _samples(problem, problem.test_rows),
    }


def curve(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return the same curve, packed, for a page that draws it several times a second and has the samples."""
    if problem.X.shape[1] != 1:
        return {"edges": None, "y_pred": None}
    low, high = reach(problem.X[:, 0])
    heights = _heights(problem, state, np.linspace(low, high, PLACES))
    with np.errstate(all="ignore"):  # a value beyond float32 becomes infinite
        return {"edges": [low, high], "y_pred": array_of(heights.astype(np.float32))}


def _heights(problem: Problem, state: TrainingState, places: Array) -> Array:
    outputs: Array = predict(problem, state.parameters, places[:, None])
    return scores_of(problem, outputs.T) if problem.classes else outputs[:, 0]


def _samples(problem: Problem, rows: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return evenly chosen samples; classes have the height of their score."""
    some = rows[:: -(-len(rows) // MOST_DOTS) or 1]
    highest = max(len(problem.classes) - 1, 1)
    return {"x": problem.X[some, 0].tolist(), "y": (problem.y[some, 0] / highest).tolist()}
