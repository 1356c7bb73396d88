"""Second derivatives of activations and losses, one row for each of theirs.

No step needs them, so they are not part of those tables. A test compares each row with central differences of the
first derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fallline.engine.methods.losses import Loss

Array = NDArray[np.float64]


def _none(z: Array, a: Array) -> Array:
    """Piecewise linear: 0 everywhere, by convention also at the kink."""
    return np.zeros_like(z)


def _elu(z: Array, a: Array) -> Array:
    return np.where(z < 0.0, np.exp(np.minimum(z, 0.0)), 0.0)


def _gelu(z: Array, a: Array) -> Array:
    """(2 - z**2) times the normal density."""
    near = np.clip(z, -40.0, 40.0)  # beyond, the density is 0 in floating point
    return (2.0 - near * near) * np.exp(-0.5 * near * near) * math.sqrt(0.5 / math.pi)


def _softplus(z: Array, a: Array) -> Array:
    small = np.exp(-np.abs(z))
    return np.asarray(small / (1.0 + small) ** 2)


def _tanh(z: Array, a: Array) -> Array:
    return -2.0 * a * (1.0 - a * a)


def _sigmoid(z: Array, a: Array) -> Array:
    return a * (1.0 - a) * (1.0 - 2.0 * a)


ACTIVATION_BENDS: dict[str, Callable[[Array, Array], Array]] = {
    "relu": _none,
    "leaky_relu": _none,
    "elu": _elu,
    "gelu": _gelu,
    "softplus": _softplus,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "identity": _none,
}
"""The second derivative at the pre-activations z with the outputs a, of the same shape."""


def _of_mse(loss: Loss, y_pred: Array, y: Array, moved: Array) -> Array:
    return moved


def _of_huber(loss: Loss, y_pred: Array, y: Array, moved: Array) -> Array:
    return np.where(np.abs(y_pred - y) < loss.own["delta"], moved, 0.0)


def _of_binary(loss: Loss, y_pred: Array, y: Array, moved: Array) -> Array:
    small = np.exp(-np.abs(y_pred))
    return np.asarray(moved * small / (1.0 + small) ** 2)


def _of_softmax(loss: Loss, y_pred: Array, y: Array, moved: Array) -> Array:
    e = np.exp(y_pred - y_pred.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return np.asarray(p * (moved - (p * moved).sum(axis=-1, keepdims=True)))


LOSS_BENDS: dict[str, Callable[[Loss, Array, Array, Array], Array]] = {
    "mse": _of_mse,
    "huber": _of_huber,
    "binary_cross_entropy": _of_binary,
    "softmax_cross_entropy": _of_softmax,
}
"""m times the change of the objective's dy_pred if y_pred moves by `moved` (..., m, outputs)."""
