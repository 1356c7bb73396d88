"""The compiled rows of the table of activations: a code, and a branch in `bend` or `bent_vector`, in `sloped_vector`,
`bent` and `slope_at`, for every activation that has one.

A row of the table that has no code here is served by NumPy (`compiled.CompiledKernel` sees to that). Codes are tested
once a layer and tile, never inside a loop over samples (measured: no difference to code that knows only one
activation). Must not know layers or the loop.
"""

from __future__ import annotations

from typing import Any

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
