"""Scores that experiments share: R2 for a regression, accuracy for classes.

Predictions are (outputs, m) and targets (1, m), as in `losses`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.methods.losses import Loss

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """A score.

    `tally(y_pred, y)` is a number over a whole split; None if the loss itself is that number. `of(tallies, variance)`
    turns tallies into scores; `variance` is of the split's targets.
    """

    name: str
    tally: Callable[[Array, Array], float] | None
    of: Callable[[Array, float], Array]


def score_of(loss: Loss, classes: int) -> Score:
    """The score of a problem with that loss and number of classes (0: a regression)."""
    if classes:
        return Score("accuracy", lambda y_pred, y: float((loss.decide(y_pred) == y[0]).mean()), _share)
    return Score("r2", None if loss.name == "mse" else _mean_square, _r2)


def _mean_square(y_pred: Array, y: Array) -> float:
    error = (y_pred - y).reshape(-1)
    return float(error.dot(error)) / error.size


def _r2(squares: Array, variance: float) -> Array:
    """1 - SS_res / SS_tot; not finite if all targets are equal."""
    return 1.0 - squares / np.float64(variance)


def _share(right: Array, variance: float) -> Array:
    return right
