"""Predictions and true values for figures.

Changes and stores nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.measures.classification import calibration_of, class_scores, log_odds
from fallline.engine.measures.probes import predict
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.encoding import array_of, finite_or_none
from fallline.vocabulary.errors import invalid
from fallline.vocabulary.recipe import RunRecipe

Json = dict[str, Any]

SIDE = 48
"""Number of places along a side of the decision map."""

MARGIN = 0.06
MOST_DOTS = 600
"""Most samples on the map, taken evenly."""

SURE = 255
"""The byte for a probability of 1."""

NONE = 255
"""The byte of a class whose prediction is not finite; there are at most 32 classes."""


def split_of(problem: Problem) -> tuple[str, NDArray[np.int64]]:
    """Return name and rows of the test split, or else of the training split."""
    tested = len(problem.test_rows) > 0
    return ("test", problem.test_rows) if tested else ("train", problem.train_rows)


def residuals(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return true minus predicted values by sample; null in a classification."""
    split, rows = split_of(problem)
    fields: Json = {"split": split, "rows": rows.tolist()}
    if problem.classes:
        return {**fields, **dict.fromkeys(("y_pred", "residuals", "mean", "sd", "rmse", "mae"))}
    y_pred = predict(problem, state.parameters, problem.X[rows])[:, 0]
    with np.errstate(all="ignore"):
        left = problem.y[rows, 0] - y_pred
        return {
            **fields,
            "y_pred": [finite_or_none(value) for value in y_pred.tolist()],
            "residuals": [finite_or_none(value) for value in left.tolist()],
            "mean": finite_or_none(float(left.mean())),
            "sd": finite_or_none(float(left.std())),
            **_errors(left),
        }


def _errors(left: Array) -> Json:
    """Return root mean square and mean size of the residuals."""
    root, mean = float(np.sqrt((left * left).mean())), float(np.abs(left).mean())
    return {"rmse": finite_or_none(root), "mae": finite_or_none(mean)}


def confusion(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return counts by true class (rows) and predicted class (columns)."""
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


def metrics(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return RMSE and MAE of a regression, or the scores of each class."""
    split, rows = split_of(problem)
    outputs = predict(problem, state.parameters, problem.X[rows])
    fields: Json = {"split": split, "samples": len(rows), "classes": list(problem.classes)}
    with np.errstate(all="ignore"):
        if not problem.classes:
            errors = _errors(problem.y[rows] - outputs)
            return {**fields, **errors, "accuracy": None, "per_class": None}
        true, guesses = problem.y[rows, 0].astype(np.int64), problem.loss.decide(outputs.T)
        scores = class_scores(true, guesses, log_odds(outputs.T))
    named = zip(problem.classes, scores, strict=True)
    return {
        **fields,
        "rmse": None,
        "mae": None,
        "accuracy": float((true == guesses).mean()),
        "per_class": [{"class": name, **asdict(each)} for name, each in named],
    }


def calibration(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return reliability bins; null without probabilities, or if one is not finite."""
    split, rows = split_of(problem)
    fields: Json = {"split": split, "samples": len(rows)}
    measured = None
    if problem.loss.probabilities is not None:
        with np.errstate(all="ignore"):
            outputs = predict(problem, state.parameters, problem.X[rows]).T
            right = problem.loss.decide(outputs) == problem.y[rows, 0]
            measured = calibration_of(problem.loss.probabilities(outputs).max(axis=0), right)
    if measured is None:
        return {**fields, "bins": None, "expected_error": None, "largest_error": None}
    return {**fields, **asdict(measured)}


@dataclass(frozen=True, slots=True)
class _Plane:
    """A grid over two inputs (`columns` of X); the others are at their mean over the training samples."""

    columns: tuple[int, int]
    sides: tuple[Array, Array]
    points: Array

    def fields(self, problem: Problem) -> Json:
        """Return the names of the two inputs, and the values of the others."""
        means = zip(problem.features, problem.train.X.mean(axis=0).tolist(), strict=True)
        others = {name: mean for place, (name, mean) in enumerate(means) if place not in self.columns}
        return {"inputs": [problem.features[place] for place in self.columns], "others": others}


def _plane(problem: Problem, x: str | None, y: str | None) -> _Plane | None:
    """Return the plane over the named inputs, or over the only two; None without classes.

    Raises InvalidRequest for names that are not two inputs.
    """
    columns = _columns(problem, x, y)
    if columns is None or not problem.classes:
        return None
    first, second = (_side(problem.X[:, place]) for place in columns)
    points = np.tile(problem.train.X.mean(axis=0), (SIDE * SIDE, 1))
    points[:, columns] = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    return _Plane(columns, (first, second), points)


def _columns(problem: Problem, x: str | None, y: str | None) -> tuple[int, int] | None:
    if x is None and y is None:
        return (0, 1) if problem.X.shape[1] == 2 else None
    for pointer, name in (("/x", x), ("/y", y)):
        if name not in problem.features:
            raise invalid(pointer, f"must be one of the inputs: {', '.join(problem.features)}")
    if x == y:
        raise invalid("/y", "must be another input than x")
    return problem.features.index(str(x)), problem.features.index(str(y))


def decision(
    problem: Problem,
    state: TrainingState,
    recipe: RunRecipe,
    *,
    x: str | None = None,
    y: str | None = None,
) -> Json:
    """Return the predicted class over the plane of two inputs, and a score.

    For two classes the score is the probability of the second. Null without classes, and without two inputs if none
    are named.
    """
    classes, plane = list(problem.classes), _plane(problem, x, y)
    if plane is None:
        fields: Json = {"inputs": list(problem.features), "others": {}, "classes": classes}
        return {**fields, "x": None, "y": None, "predicted": None, "score": None, "samples": None}
    outputs = predict(problem, state.parameters, plane.points).T
    predicted = problem.loss.decide(outputs).reshape(SIDE, SIDE)
    across, down = plane.sides
    return {
        **plane.fields(problem),
        "classes": classes,
        "x": across.tolist(),
        "y": down.tolist(),
        "predicted": predicted.tolist(),
        "score": _score(problem, outputs, predicted),
        "samples": _samples(problem, plane.columns),
    }


def decision_map(
    problem: Problem,
    state: TrainingState,
    recipe: RunRecipe,
    *,
    x: str | None = None,
    y: str | None = None,
) -> Json:
    """Return the same plane for a page that draws it several times a second.

    Cells are bytes. The predictions of a split's samples at the same step are added, as counts and one by one.
    """
    split, rows = split_of(problem)
    plane = _plane(problem, x, y)
    if plane is None:
        fields: Json = {"inputs": list(problem.features), "others": {}}
        none = {"counts": None, "right": None, "edges": None, "cells": None, "samples": None}
        return {**fields, "split": split, "classes": list(problem.classes), **none}
    X, true = problem.X[rows], problem.y[rows, 0].astype(np.int64)
    guesses = problem.loss.decide(predict(problem, state.parameters, X).T)
    every = -(-len(rows) // MOST_DOTS)
    across, down = plane.columns
    return {
        **plane.fields(problem),
        **_counted(problem, split, true, guesses),
        "edges": [
            [side[0] - half, side[-1] + half] for side in plane.sides for half in [(side[1] - side[0]) / 2]
        ],
        "cells": _cells(problem, predict(problem, state.parameters, plane.points).T),
        "samples": {
            "x": array_of(X[::every, across].astype(np.float32)),
            "y": array_of(X[::every, down].astype(np.float32)),
            "true": array_of(true[::every].astype(np.uint8)),
            "predicted": array_of(guesses[::every].astype(np.uint8)),
        },
    }


def _cells(problem: Problem, outputs: Array) -> Json:
    """Return classes and their probabilities by row, the lowest first."""
    finite = np.isfinite(outputs).all(axis=0)
    predicted = np.where(finite, problem.loss.decide(outputs), NONE)
    fields: Json = {
        "predicted": array_of(predicted.astype(np.uint8).reshape(SIDE, SIDE)),
        "probability": None,
    }
    if problem.loss.probabilities is not None:
        with np.errstate(all="ignore"):
            largest = np.nan_to_num(problem.loss.probabilities(outputs).max(axis=0))
        fields["probability"] = array_of(np.rint(SURE * largest).astype(np.uint8).reshape(SIDE, SIDE))
    return fields


def _side(values: Array) -> Array:
    low, high = float(values.min()), float(values.max())
    around = MARGIN * (high - low or 1.0)
    return np.linspace(low - around, high + around, SIDE)


def _score(problem: Problem, outputs: Array, predicted: NDArray[np.int64]) -> list[list[float | None]]:
    """Return scores between 0, the first class, and 1, the last."""
    last = len(problem.classes) - 1
    scores = predicted / max(last, 1)
    if last == 1 and problem.loss.probabilities is not None:
        with np.errstate(all="ignore"):
            scores = problem.loss.probabilities(outputs)[1].reshape(SIDE, SIDE)
    return [[finite_or_none(score) for score in row] for row in scores.tolist()]


def _samples(problem: Problem, columns: tuple[int, int]) -> list[dict[str, list[float]]]:
    """Return the positions of samples, class by class."""
    rows = np.arange(len(problem.X))[:: -(-len(problem.X) // MOST_DOTS)]
    X, y = problem.X[rows][:, columns], problem.y[rows, 0]
    return [
        {"x": X[y == place, 0].tolist(), "y": X[y == place, 1].tolist()}
        for place in range(len(problem.classes))
    ]
