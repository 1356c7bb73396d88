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
from fallline.vocabulary.encoding import array_of
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]
Json = dict[str, Any]

SIDE = 48
"""Places of a side of the decision map."""

MARGIN = 0.06
MOST_DOTS = 600
"""Samples that are laid over the map, evenly taken."""

SURE = 255
"""What a byte holds of a probability of 1."""

NONE = 255
"""In the place of a class: nothing that is finite is predicted there. There are at most 32 classes."""


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
    return _counted(problem, split, problem.y[rows, 0].astype(np.int64), guesses)


def _counted(problem: Problem, split: str, true: NDArray[np.int64], guesses: NDArray[np.int64]) -> Json:
    counts = np.zeros((len(problem.classes), len(problem.classes)), dtype=np.int64)
    np.add.at(counts, (true, guesses), 1)
    return {
        "split": split,
        "classes": list(problem.classes),
        "counts": counts.tolist(),
        "right": int(np.trace(counts)) / len(true),
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


def decision_map(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """The same plane as a page draws it, several times a second: cells as bytes, and what is predicted of the
    samples of a split, counted and one by one, of the same step.
    """
    split, rows = split_of(problem)
    told: Json = {"inputs": list(problem.features)}
    if not problem.classes or problem.X.shape[1] != 2:
        none = {"counts": None, "right": None, "edges": None, "cells": None, "samples": None}
        return {**told, "split": split, "classes": list(problem.classes), **none}
    sides = [_side(problem.X[:, place]) for place in (0, 1)]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    X, true = problem.X[rows], problem.y[rows, 0].astype(np.int64)
    guesses = problem.loss.decide(predict(problem, state.parameters, X).T)
    every = -(-len(rows) // MOST_DOTS)
    return {
        **told,
        **_counted(problem, split, true, guesses),
        "edges": [[side[0] - half, side[-1] + half] for side in sides for half in [(side[1] - side[0]) / 2]],
        "cells": _cells(problem, predict(problem, state.parameters, grid).T),
        "samples": {
            "x": array_of(X[::every, 0].astype(np.float32)),
            "y": array_of(X[::every, 1].astype(np.float32)),
            "true": array_of(true[::every].astype(np.uint8)),
            "predicted": array_of(guesses[::every].astype(np.uint8)),
        },
    }


def _cells(problem: Problem, outputs: Array) -> Json:
    """Row by row, the lowest first: the class, and how probable it is where the loss knows of probabilities."""
    finite = np.isfinite(outputs).all(axis=0)
    predicted = np.where(finite, problem.loss.decide(outputs), NONE)
    told: Json = {"predicted": array_of(predicted.astype(np.uint8).reshape(SIDE, SIDE)), "probability": None}
    if problem.loss.probabilities is not None:
        with np.errstate(all="ignore"):
            largest = np.nan_to_num(problem.loss.probabilities(outputs).max(axis=0))
        told["probability"] = array_of(np.rint(SURE * largest).astype(np.uint8).reshape(SIDE, SIDE))
    return told


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
