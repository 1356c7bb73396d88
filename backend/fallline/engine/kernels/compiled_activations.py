"""Compiled rows of the table of activations: a code for each, and its branches.

*Straight* activations choose between two lines. They are applied to vectors in registers (`straight_vector`), and the
output determines the slope. *Curved* ones need a second pass over the outputs (`apply_curved`). It stores the slopes
in place of the later deltas, since both share an exponential and not every output determines its slope.

NumPy computes a row without a code (see `compiled.CompiledKernel`). Codes are tested once per layer and tile, never
inside a loop over samples (measured: as fast as code for one activation only).
"""

from __future__ import annotations

from typing import Any

from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place
from fallline.engine.kernels.compiled_curves import elu, gelu, sigmoid, softplus, tanh
from fallline.engine.kernels.compiled_vectors import filled, times, where_positive
from fallline.engine.methods.activations import LEAK

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

# These comparisons let NaN through: a hidden NaN must reach the loss, which is checked.


@compiled_in_place
def straight_vector(code: int, z: Any) -> Any:
    """A straight activation of a vector; curved ones are left to `apply_curved`."""
    if code == RELU:
        return where_positive(z, z, filled(z, 0.0))
    if code == LEAKY_RELU:
        return where_positive(z, z, times(LEAK, z))
    return z


@compiled
def apply_curved(code: int, outputs: Array, slopes: Array) -> None:
    """Apply a curved activation to a row in place, and store its slopes."""
    n = len(outputs)
    # One loop each: the compiler vectorizes these, but not a loop with the choice inside.
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
def times_slope(code: int, d: Any, source: Any) -> Any:
    """d times the slope.

    `source` is the output of a straight activation, the slope of a curved one.
    """
    if code == RELU:
        return times(d, where_positive(source, filled(source, 1.0), filled(source, 0.0)))
    if code == LEAKY_RELU:
        return times(d, where_positive(source, filled(source, 1.0), filled(source, LEAK)))
    if code == IDENTITY:
        return d
    return times(d, source)


@compiled_in_place
def straight_number(code: int, z: float) -> float:
    """A straight activation of one number."""
    if code == RELU:
        return 0.0 if z <= 0.0 else z
    if code == LEAKY_RELU:
        return LEAK * z if z <= 0.0 else z
    return z


@compiled_in_place
def slope_number(code: int, source: float) -> float:
    """The slope of one number, as in `times_slope`."""
    if code == RELU:
        return 0.0 if source <= 0.0 else 1.0
    if code == LEAKY_RELU:
        return LEAK if source <= 0.0 else 1.0
    if code == IDENTITY:
        return 1.0
    return source
