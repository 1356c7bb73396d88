"""The loss of each sample: one row for each row of `engine.methods.losses`.

No step needs it, so it is not part of that table. A test compares each row with the loss of one sample.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fallline.engine.methods.losses import Loss

Array = NDArray[np.float64]


def _of_mse(loss: Loss, y_pred: Array, y: Array) -> Array:
    return np.asarray(((y_pred - y) ** 2).mean(axis=1))


def _of_huber(loss: Loss, y_pred: Array, y: Array) -> Array:
    error = y_pred - y
    cut = np.clip(error, -loss.own["delta"], loss.own["delta"])
    return np.asarray((cut * (error - 0.5 * cut)).mean(axis=1))


def _of_binary(loss: Loss, y_pred: Array, y: Array) -> Array:
    wrong = ((1.0 - 2.0 * y) * y_pred)[:, 0]
    return np.asarray(np.maximum(wrong, 0.0) + np.log1p(np.exp(-np.abs(wrong))))


def _of_softmax(loss: Loss, y_pred: Array, y: Array) -> Array:
    under = y_pred - y_pred.max(axis=1, keepdims=True)
    own = np.take_along_axis(under, y.astype(np.int64), axis=1)[:, 0]
    return np.asarray(np.log(np.exp(under).sum(axis=1)) - own)


LOSS_OF_EACH: dict[str, Callable[[Loss, Array, Array], Array]] = {
    "mse": _of_mse,
    "huber": _of_huber,
    "binary_cross_entropy": _of_binary,
    "softmax_cross_entropy": _of_softmax,
}
"""The reported loss (m,) of m predictions (m, outputs) with targets (m, 1)."""
