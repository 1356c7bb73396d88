"""The compiled rows of the table of activations: a code for every one that has one, and its branches.

Some are *straight*, a choice between two lines: they are applied to vectors while these are in registers
(`bent_vector`), and their slope is told by the output. The rest are *curved*: a second pass over the outputs applies
them (`bend`) and leaves the slopes where the deltas will be written, because there they share their
exponential, and because not every output tells its slope.

A row of the table that has no code here is served by NumPy (`compiled.CompiledKernel` sees to that). Codes are tested
once a layer and tile, never inside a loop over samples (measured: no difference to code that knows only one
activation). Must not know layers or the loop.
"""

from __future__ import annotations

from typing import Any

from fallline.engine.activations import LEAK
from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place
from fallline.engine.kernels.compiled_curves import elu, gelu, sigmoid, softplus, tanh
from fallline.engine.kernels.compiled_vectors import alike, times, where_positive

RELU, LEAKY_RELU, IDENTITY, TANH, SIGMOID, ELU, GELU, SOFTPLUS = range(8)
ACTIVATION_CODES = {
    "relu": RELU,
    "leaky_relu": LEAKY_RELU,
    "identity": IDENTITY,
    "tanh": TANH,
    "sigmoid": SIGMOID,
    "elu": ELU,
    "gelu": GELU,
    "softplus": SOFTPLUS,
}
CURVED = TANH
"""Codes from here on are curved."""

# Comparisons below are turned so that NaN passes through: a hidden NaN must reach the loss, where it is looked for.


@compiled_in_place
def bent_vector(code: int, z: Any) -> Any:
    """A straight activation of a vector; what is curved is left as it is, to `bend`."""
    if code == RELU:
        return where_positive(z, z, alike(z, 0.0))
    if code == LEAKY_RELU:
        return where_positive(z, z, times(LEAK, z))
    return z


@compiled
def bend(code: int, outputs: Array, slopes: Array) -> None:
    """A curved activation of a row of numbers: in place, and its slopes beside it."""
    n = len(outputs)
    # A loop for each: the compiler turns them into vectors, which it would not do with the choice inside.
    if code == TANH:
        for t in range(n):
            outputs[t], slopes[t] = tanh(outputs[t])
    elif code == SIGMOID:
        for t in range(n):
            outputs[t], slopes[t] = sigmoid(outputs[t])
    elif code == ELU:
        for t in range(n):
            outputs[t], slopes[t] = elu(outputs[t])
    elif code == GELU:
        for t in range(n):
            outputs[t], slopes[t] = gelu(outputs[t])
    else:
        for t in range(n):
            outputs[t], slopes[t] = softplus(outputs[t])


@compiled_in_place
def sloped_vector(code: int, d: Any, told: Any) -> Any:
    """d times the slope that `told` tells: the output of a straight activation, the slope itself of a curved one."""
    if code == RELU:
        return times(d, where_positive(told, alike(told, 1.0), alike(told, 0.0)))
    if code == LEAKY_RELU:
        return times(d, where_positive(told, alike(told, 1.0), alike(told, LEAK)))
    if code == IDENTITY:
        return d
    return times(d, told)


@compiled_in_place
def straight(code: int, z: float) -> float:
    """A straight activation of one number."""
    if code == RELU:
        return 0.0 if z <= 0.0 else z
    if code == LEAKY_RELU:
        return LEAK * z if z <= 0.0 else z
    return z


@compiled_in_place
def slope_at(code: int, told: float) -> float:
    """The slope that one number tells, as in `sloped_vector`."""
    if code == RELU:
        return 0.0 if told <= 0.0 else 1.0
    if code == LEAKY_RELU:
        return LEAK if told <= 0.0 else 1.0
    if code == IDENTITY:
        return 1.0
    return told
