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
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import RunRecipe

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
    """Return the plane over the named inputs, or over the only two; else None.

    Raises InvalidRequest for names that are not two inputs.
    """
    columns = _columns(problem, x, y)
    if columns is None:
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
    if plane is None or not classes:
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
        "score": [
            [finite_or_none(score) for score in row]
            for row in scores_of(problem, outputs).reshape(SIDE, SIDE).tolist()
        ],
        "samples": _samples(problem, plane.columns),
    }


def surface(
    problem: Problem,
    state: TrainingState,
    recipe: RunRecipe,
    *,
    x: str | None = None,
    y: str | None = None,
) -> Json:
    """Return the predicted value over the plane of two inputs, and the training samples.

    Null with classes, and without two inputs if none are named.
    """
    plane = _plane(problem, x, y)
    if plane is None or problem.classes:
        fields: Json = {"inputs": list(problem.features), "others": {}}
        return {**fields, "x": None, "y": None, "predicted": None, "samples": None}
    across, up = plane.sides
    rows = problem.train_rows[:: -(-len(problem.train_rows) // MOST_DOTS)]
    first, second = plane.columns
    return {
        **plane.fields(problem),
        "x": across.tolist(),
        "y": up.tolist(),
        "predicted": [
            [finite_or_none(value) for value in row] for row in _values(problem, state, plane).tolist()
        ],
        "samples": {
            "x": problem.X[rows, first].tolist(),
            "y": problem.X[rows, second].tolist(),
            "value": problem.y[rows, 0].tolist(),
        },
    }


def _values(problem: Problem, state: TrainingState, plane: _Plane) -> Array:
    values: Array = predict(problem, state.parameters, plane.points)[:, 0].reshape(SIDE, SIDE)
    return values


def decision_map(
    problem: Problem,
    state: TrainingState,
    recipe: RunRecipe,
    *,
    x: str | None = None,
    y: str | None = None,
) -> Json:
    """Return the same plane for a page that draws it several times a second: classes, or values of a regression.

    Cells are packed. The predictions of a split's samples at the same step are added one by one, of classes also as
    counts. The training samples' predictions are in `train`, null if they are the split's.
    """
    split, rows = split_of(problem)
    plane = _plane(problem, x, y)
    fields: Json = {"split": split, "classes": list(problem.classes)}
    if plane is None:
        none = {"counts": None, "right": None, "edges": None, "cells": None, "samples": None, "train": None}
        return {"inputs": list(problem.features), "others": {}, **fields, **none}
    counted: Json = {"counts": None, "right": None}
    if problem.classes:
        guesses = problem.loss.decide(predict(problem, state.parameters, problem.X[rows]).T)
        counted = _counted(problem, split, problem.y[rows, 0].astype(np.int64), guesses)
    return {
        **plane.fields(problem),
        **fields,
        **counted,
        "edges": [
            [side[0] - half, side[-1] + half] for side in plane.sides for half in [(side[1] - side[0]) / 2]
        ],
        "cells": _cells(problem, state, plane),
        "samples": _dots(problem, state, rows, plane),
        "train": None if split == "train" else _dots(problem, state, problem.train_rows, plane),
    }


def _dots(problem: Problem, state: TrainingState, rows: NDArray[np.int64], plane: _Plane) -> Json:
    """Return places, true and predicted classes or values of evenly chosen samples, packed."""
    rows = rows[:: -(-len(rows) // MOST_DOTS)]
    across, up = plane.columns
    outputs = predict(problem, state.parameters, problem.X[rows])
    guesses = problem.loss.decide(outputs.T) if problem.classes else outputs[:, 0]

    def packed(values: NDArray[Any]) -> Json:
        with np.errstate(all="ignore"):  # a value beyond float32 becomes infinite
            return array_of(values.astype(np.uint8) if problem.classes else values.astype(np.float32))

    return {
        "x": array_of(problem.X[rows, across].astype(np.float32)),
        "y": array_of(problem.X[rows, up].astype(np.float32)),
        "true": packed(problem.y[rows, 0]),
        "predicted": packed(guesses),
    }


def _cells(problem: Problem, state: TrainingState, plane: _Plane) -> Json:
    """Return classes and their probabilities, or values, by row, the lowest first."""
    if not problem.classes:
        with np.errstate(all="ignore"):
            values = _values(problem, state, plane).astype(np.float32)
        return {"predicted": array_of(values), "probability": None}
    outputs = predict(problem, state.parameters, plane.points).T
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
    low, high = reach(values)
    return np.linspace(low, high, SIDE)


def reach(values: Array) -> tuple[float, float]:
    """Return the range of an input with a margin on both sides."""
    low, high = float(values.min()), float(values.max())
    around = MARGIN * (high - low or 1.0)
    return low - around, high + around


def scores_of(problem: Problem, outputs: Array) -> Array:
    """Return scores (m,) of outputs (classes, m) between 0, the first class, and 1, the last."""
    last = len(problem.classes) - 1
    if last == 1 and problem.loss.probabilities is not None:
        with np.errstate(all="ignore"):
            probabilities: Array = problem.loss.probabilities(outputs)[1]
        return probabilities
    scores: Array = problem.loss.decide(outputs) / max(last, 1)
    return scores


def _samples(problem: Problem, columns: tuple[int, int]) -> list[dict[str, list[float]]]:
    """Return the positions of samples, class by class."""
    rows = np.arange(len(problem.X))[:: -(-len(problem.X) // MOST_DOTS)]
    X, y = problem.X[rows][:, columns], problem.y[rows, 0]
    return [
        {"x": X[y == place, 0].tolist(), "y": X[y == place, 1].tolist()}
        for place in range(len(problem.classes))
    ]
