"""What a network predicts beside what is true, in numbers that a picture can be made of: residuals, which class was
taken for which, and the plane of two inputs.

Must not step a network or keep anything.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.evaluation import predict
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]
Json = dict[str, Any]

SIDE = 48
"""Places of a side of the decision map."""

MARGIN = 0.06
MOST_DOTS = 600
"""Samples that are laid over the map, evenly taken."""


def split_of(problem: Problem) -> tuple[str, NDArray[np.int64]]:
    """Name and rows: of the test samples, or of the training samples when there is no test split."""
    tested = len(problem.test_rows) > 0
    return ("test", problem.test_rows) if tested else ("train", problem.train_rows)


def residuals(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """True less predicted, by sample; null where classes are told apart."""
    split, rows = split_of(problem)
    told: Json = {"split": split, "rows": rows.tolist()}
    if problem.classes:
        return {**told, "y_pred": None, "residuals": None, "mean": None, "sd": None}
    y_pred = predict(problem, state.parameters, problem.X[rows])[:, 0]
    with np.errstate(all="ignore"):
        left = problem.y[rows, 0] - y_pred
        return {
            **told,
            "y_pred": [_finite(value) for value in y_pred.tolist()],
            "residuals": [_finite(value) for value in left.tolist()],
            "mean": _finite(float(left.mean())),
            "sd": _finite(float(left.std())),
        }


def confusion(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """How many samples of each true class (rows) were taken for each class (columns); null in a regression."""
    split, rows = split_of(problem)
    if not problem.classes:
        return {"split": split, "classes": [], "counts": None, "right": None}
    guesses = problem.loss.decide(predict(problem, state.parameters, problem.X[rows]).T)
    counts = np.zeros((len(problem.classes), len(problem.classes)), dtype=np.int64)
    np.add.at(counts, (problem.y[rows, 0].astype(np.int64), guesses), 1)
    return {
        "split": split,
        "classes": list(problem.classes),
        "counts": counts.tolist(),
        "right": int(np.trace(counts)) / len(rows),
    }


def decision(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Over the plane of two inputs the class that would be predicted and, of two classes, the probability of the
    second; null where there are no classes, or not two inputs.
    """
    told: Json = {"inputs": list(problem.features), "classes": list(problem.classes)}
    if not problem.classes or problem.X.shape[1] != 2:
        return {**told, "x": None, "y": None, "predicted": None, "score": None, "samples": None}
    x, y = (_side(problem.X[:, place]) for place in (0, 1))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    outputs = predict(problem, state.parameters, grid).T
    predicted = problem.loss.decide(outputs).reshape(SIDE, SIDE)
    return {
        **told,
        "x": x.tolist(),
        "y": y.tolist(),
        "predicted": predicted.tolist(),
        "score": _score(problem, outputs, predicted),
        "samples": _samples(problem),
    }


def _side(values: Array) -> Array:
    low, high = float(values.min()), float(values.max())
    around = MARGIN * (high - low or 1.0)
    return np.linspace(low - around, high + around, SIDE)


def _score(problem: Problem, outputs: Array, predicted: NDArray[np.int64]) -> list[list[float | None]]:
    """Between 0, the first class, and 1, the last."""
    last = len(problem.classes) - 1
    scores = predicted / max(last, 1)
    if last == 1 and problem.loss.probabilities is not None:
        with np.errstate(all="ignore"):
            scores = problem.loss.probabilities(outputs)[1].reshape(SIDE, SIDE)
    return [[_finite(score) for score in row] for row in scores.tolist()]


def _samples(problem: Problem) -> list[dict[str, list[float]]]:
    """Class by class, where samples lie."""
    rows = np.arange(len(problem.X))[:: -(-len(problem.X) // MOST_DOTS)]
    X, y = problem.X[rows], problem.y[rows, 0]
    return [
        {"x": X[y == place, 0].tolist(), "y": X[y == place, 1].tolist()}
        for place in range(len(problem.classes))
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
