"""The compiled rows of the tables: a code and a branch for every activation, loss and optimizer that has one.

A row of the engine's tables that has no code here is served by NumPy (`compiled.CompiledKernel` sees to that), so a new
row works at once and becomes fast when it gets its branches: an activation in `bend`, `slope`, `bent` and `slope_at`, a
loss in `measure` and `measure_one`, an optimizer in `change`. Codes are tested once a layer and tile, never inside a
loop over samples (measured: no difference to code that knows only one activation). Must not know the loop.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fallline.engine.activations import LEAK
from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place, sigmoid, tanh
from fallline.engine.kernels.compiled_vectors import alike, plus, times, where_positive

RELU, LEAKY_RELU, IDENTITY, TANH, SIGMOID = range(5)
ACTIVATION_CODES = {
    "relu": RELU,
    "leaky_relu": LEAKY_RELU,
    "identity": IDENTITY,
    "tanh": TANH,
    "sigmoid": SIGMOID,
}
CURVED = TANH
"""Codes from here on are no choice between two straight lines: `bent_vector` leaves them to `bend`."""

MSE = 0
LOSS_CODES = {"mse": MSE}

SGD, MOMENTUM, ADAM = range(3)


class OptimizerCode(NamedTuple):
    """An optimizer's code, its slots of one number a parameter (at most two), its own parameters in the order in which
    `change` reads them, and whether it counts its steps in a slot `count`.
    """

    code: int
    vectors: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    counts: bool = False


OPTIMIZER_CODES = {
    "sgd": OptimizerCode(SGD),
    "momentum": OptimizerCode(MOMENTUM, ("velocity",), ("momentum",)),
    "adam": OptimizerCode(ADAM, ("mean", "square"), ("beta1", "beta2", "epsilon"), counts=True),
}

# Comparisons below are turned so that NaN passes through: a hidden NaN must reach the loss, where it is looked for.


@compiled_in_place
def bent_vector(code: int, z: Any) -> Any:
    """The activation of a vector, where it is a choice between two; the rest is left to `bend`."""
    if code == RELU:
        return where_positive(z, z, alike(z, 0.0))
    if code == LEAKY_RELU:
        return where_positive(z, z, times(LEAK, z))
    return z


@compiled
def bend(code: int, A: Array, row: int, units: int, n: int) -> None:
    """The activation over the first n columns of `units` rows, in place, where `bent_vector` leaves it to this."""
    if code == TANH:
        for j in range(row, row + units):
            a = A[j, :n]
            for t in range(n):
                a[t] = tanh(a[t])
    elif code == SIGMOID:
        for j in range(row, row + units):
            a = A[j, :n]
            for t in range(n):
                a[t] = sigmoid(a[t])


@compiled_in_place
def sloped_vector(code: int, d: Any, a: Any) -> Any:
    """d times the derivative at the outputs a."""
    if code == RELU:
        return times(d, where_positive(a, alike(a, 1.0), alike(a, 0.0)))
    if code == LEAKY_RELU:
        return times(d, where_positive(a, alike(a, 1.0), alike(a, LEAK)))
    if code == TANH:
        return times(d, plus(alike(a, 1.0), times(-1.0, a), a))
    if code == SIGMOID:
        return times(d, plus(a, times(-1.0, a), a))
    return d


@compiled_in_place
def bent(code: int, z: float) -> float:
    """The activation of one number."""
    if code == RELU:
        return 0.0 if z <= 0.0 else z
    if code == LEAKY_RELU:
        return LEAK * z if z <= 0.0 else z
    if code == TANH:
        return tanh(z)
    if code == SIGMOID:
        return sigmoid(z)
    return z


@compiled_in_place
def slope_at(code: int, a: float) -> float:
    """The derivative at one output."""
    if code == RELU:
        return 0.0 if a <= 0.0 else 1.0
    if code == LEAKY_RELU:
        return LEAK if a <= 0.0 else 1.0
    if code == TANH:
        return 1.0 - a * a
    if code == SIGMOID:
        return (1.0 - a) * a
    return 1.0


@compiled
def measure(
    code: int, A: Array, D: Array, row: int, outputs: int, targets: int, n: int, share: float
) -> float:
    """The loss of n samples times their number, and dy_pred into D; `share` is 1 / the batch's samples. `row` is that
    of the predictions in A and D, `targets` that of the targets in A.
    """
    loss = 0.0
    for j in range(outputs):
        y_pred, y, d = A[row + j, :n], A[targets + j, :n], D[row + j, :n]
        for t in range(n):
            error = y_pred[t] - y[t]
            loss += error * error
            d[t] = error * share
    return loss


@compiled_in_place
def measure_one(code: int, y_pred: float, y: float) -> tuple[float, float]:
    """The loss of one sample, and its derivative by the prediction."""
    error = y_pred - y
    return error * error, error


@compiled
def corrections(code: int, hyper: Array, count: float) -> tuple[float, float]:
    """What an optimizer computes once a step, whatever the number of parameters."""
    if code == ADAM:
        return hyper[0] / (1.0 - hyper[1] ** count), 1.0 / math.sqrt(1.0 - hyper[2] ** count)
    return 0.0, 0.0


@compiled
def change(
    code: int, hyper: Array, once: tuple[float, float], P: Array, G: Array, S: Array, R: Array,
    first: int, stop: int, before: int, after: int,
) -> tuple[float, float, float, float]:  # fmt: skip
    """The change of the parameters first .. stop - 1, read in P, S, R from `before` on and written from `after` on.

    `hyper` is the rate and the optimizer's own; S and R are its memory. Returns the sum of |g|, and the sums of the
    squares of g, of the change, and of the parameters before it.
    """
    size = squares = moved = own = 0.0
    for k in range(first, stop):
        g, p = G[k], P[before + k]
        size += abs(g)
        squares += g * g
        own += p * p
    if code == SGD:
        for k in range(first, stop):
            step = hyper[0] * G[k]
            P[after + k] = P[before + k] - step
            moved += step * step
    elif code == MOMENTUM:
        for k in range(first, stop):
            velocity = hyper[1] * S[before + k] + G[k]
            S[after + k] = velocity
            step = hyper[0] * velocity
            P[after + k] = P[before + k] - step
            moved += step * step
    else:
        for k in range(first, stop):
            g = G[k]
            mean = hyper[1] * S[before + k] + (1.0 - hyper[1]) * g
            square = hyper[2] * R[before + k] + (1.0 - hyper[2]) * (g * g)
            S[after + k], R[after + k] = mean, square
            step = once[0] * mean / (math.sqrt(square) * once[1] + hyper[3])
            P[after + k] = P[before + k] - step
            moved += step * step
    return size, squares, moved, own


@compiled
def finite(numbers: Array) -> bool:
    """Whether no number is infinite or NaN."""
    for number in numbers:  # noqa: SIM110  Numba compiles loops, not generators
        if not abs(number) < np.inf:
            return False
    return True
