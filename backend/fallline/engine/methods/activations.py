"""The table of activations: functions of the pre-activation z, with slopes.

The NumPy kernel calls these functions, and exported programs contain their text without `out`, an array for the
result as in NumPy. Most derivatives use the output a, which is cheapest. They use z if a does not determine the
derivative, or lacks the digits for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fallline.vocabulary.arrays import Array
from fallline.vocabulary.parameters import Parameter

Buffer = Array | None

LEAK = 0.01
"""Slope of leaky_relu left of 0 (Maas, Hannun, Ng 2013)."""

DENSITY_GONE = 40.0
"""The normal density is 0 in floating point from here on."""

SMALLEST_DIVISOR = 1e-300
"""The quotient a / z of a smaller z may have lost digits."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation; all arrays have the same shape.

    - `apply(z, out)` returns the outputs; z is unchanged unless it is `out`.
    - `slope(z, a, out)` is the derivative at the pre-activations z with the outputs a; `out` may be z but not a.
    - `bend(z, a)` is the second derivative; 0 at a kink, by convention.
    - `lines` are outputs and slope as expressions of `{z}` and `{a}` for readers: short, not accurate everywhere. The
      step inspector shows them. An empty slope is 1.

    With `dies` a unit can be off: output and slope exactly 0 for every input. The `steepest` is the largest slope
    of an activation that flattens on both sides, so that units can saturate. A `kinked` one bends sharply at 0; a
    `homogeneous` one keeps positive factors: f(c z) = c f(z). `source` is a short reference.
    """

    name: str
    help: str
    apply: Callable[[Array, Buffer], Array]
    slope: Callable[[Array, Array, Buffer], Array]
    bend: Callable[[Array, Array], Array]
    lines: tuple[str, str]
    source: str
    dies: bool = False
    steepest: float | None = None
    kinked: bool = False
    homogeneous: bool = False
    parameters: tuple[Parameter, ...] = ()

    def __call__(self, z: Array) -> Array:
        """The outputs in a new array."""
        return self.apply(z, None)

    def derivative(self, z: Array, a: Array) -> Array:
        """The derivative at the pre-activations z with the outputs a, in a new array."""
        return self.slope(z, a, None)


def relu(z: Array, out: Buffer = None) -> Array:
    """0 for every negative input."""
    return np.maximum(z, 0.0, out=out)


# A number, not a bool mask: NumPy would cast a mask at every product (measured: +1 us at 900 samples).
def relu_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    """1 where the unit is on, else 0."""
    return np.sign(a, out)


def leaky_relu(z: Array, out: Buffer = None) -> Array:
    """z where positive, LEAK z elsewhere."""
    return np.maximum(z, LEAK * z, out=out)


def leaky_relu_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    """1 or LEAK."""
    return np.maximum(np.sign(a, out), LEAK, out=out)


def elu(z: Array, out: Buffer = None) -> Array:
    """z + 0 on the right, 0 + expm1(z) on the left, accurate for small outputs."""
    high = np.maximum(z, 0.0)
    return np.add(high, np.expm1(np.minimum(z, 0.0, out=out), out), out)


def elu_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    """1 or exp(z), not a + 1: near -1 the output has no digits left for it."""
    return np.exp(np.minimum(z, 0.0, out=out), out)


def gelu(z: Array, out: Buffer = None) -> Array:
    """z times the share of a normal distribution below z."""
    return np.multiply(z, normal_below(z), out)


def normal_below(z: Array) -> Array:
    """Normal distribution below z, erfc(-z / sqrt 2) / 2; accurate for small values.

    NumPy has no erf. The C library's takes about 50 nanoseconds per number.
    """
    scaled = (z * -math.sqrt(0.5)).ravel()
    erfc = np.fromiter(map(math.erfc, scaled.tolist()), np.float64, scaled.size)
    return 0.5 * erfc.reshape(z.shape)


def gelu_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    """below(z) + z density(z), with below(z) = a / z, which avoids a second erfc."""
    below = np.full_like(a, 0.5)
    np.divide(a, z, out=below, where=np.abs(z) > SMALLEST_DIVISOR)
    near = np.clip(z, -DENSITY_GONE, DENSITY_GONE)
    density = np.exp(near * near * -0.5) * math.sqrt(0.5 / math.pi)
    return np.add(density * z, below, out)


def softplus(z: Array, out: Buffer = None) -> Array:
    """max(z, 0) + log(1 + exp(-|z|)): no overflow, accurate for small outputs."""
    high = np.maximum(z, 0.0)
    return np.add(high, np.log1p(np.exp(np.negative(np.abs(z, out), out), out), out), out)


def softplus_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    """The sigmoid."""
    return sigmoid(z, out)


def tanh(z: Array, out: Buffer = None) -> Array:
    """Between -1 and 1."""
    return np.tanh(z, out)


def tanh_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    """1 - a**2."""
    return np.subtract(1.0, np.multiply(a, a, out), out)


def sigmoid(z: Array, out: Buffer = None) -> Array:
    """exp(min(z, 0)) / (1 + exp(-|z|)): no overflow, accurate for small outputs."""
    below = np.exp(np.minimum(z, 0.0))
    return np.divide(below, np.add(np.exp(np.negative(np.abs(z, out), out), out), 1.0, out), out)


def sigmoid_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    """a (1 - a)."""
    return np.multiply(np.subtract(1.0, a, out), a, out)


def _identity(z: Array, out: Buffer = None) -> Array:
    """z itself; programs leave it out."""
    if out is None:
        return z.copy()
    np.copyto(out, z)
    return out


def _identity_slope(z: Array, a: Array, out: Buffer = None) -> Array:
    out = np.empty_like(a) if out is None else out
    out.fill(1.0)
    return out


def _no_bend(z: Array, a: Array) -> Array:
    return np.zeros_like(z)


def _elu_bend(z: Array, a: Array) -> Array:
    return np.where(z < 0.0, np.exp(np.minimum(z, 0.0)), 0.0)


def _gelu_bend(z: Array, a: Array) -> Array:
    """(2 - z**2) times the normal density."""
    near = np.clip(z, -DENSITY_GONE, DENSITY_GONE)
    return (2.0 - near * near) * np.exp(-0.5 * near * near) * math.sqrt(0.5 / math.pi)


def _softplus_bend(z: Array, a: Array) -> Array:
    small = np.exp(-np.abs(z))
    return np.asarray(small / (1.0 + small) ** 2)


def _tanh_bend(z: Array, a: Array) -> Array:
    return -2.0 * a * (1.0 - a * a)


def _sigmoid_bend(z: Array, a: Array) -> Array:
    return a * (1.0 - a) * (1.0 - 2.0 * a)


ACTIVATIONS: dict[str, Activation] = {
    row.name: row
    for row in (
        Activation(
            "relu",
            "max(z, 0): zero for every negative input, so a unit can die",
            relu,
            relu_slope,
            _no_bend,
            ("np.maximum({z}, 0)", "({z} > 0)"),
            "Nair and Hinton 2010, Rectified linear units improve restricted Boltzmann machines",
            dies=True,
            kinked=True,
            homogeneous=True,
        ),
        Activation(
            "leaky_relu",
            "z where positive, 0.01 z elsewhere: its slope is never 0",
            leaky_relu,
            leaky_relu_slope,
            _no_bend,
            ("np.maximum({z}, 0.01 * {z})", "np.where({z} > 0, 1, 0.01)"),
            "Maas, Hannun and Ng 2013, Rectifier nonlinearities improve neural network acoustic models",
            kinked=True,
            homogeneous=True,
        ),
        Activation(
            "elu",
            "z where positive, exp(z) - 1 elsewhere: a smooth bend down to -1",
            elu,
            elu_slope,
            _elu_bend,
            ("np.maximum({z}, 0) + np.expm1(np.minimum({z}, 0))", "np.exp(np.minimum({z}, 0))"),
            "Clevert, Unterthiner and Hochreiter 2016, Fast and accurate deep network learning by ELUs",
        ),
        Activation(
            "gelu",
            "z times the normal distribution at z, exact (by erf): a smooth relu that dips below 0",
            gelu,
            gelu_slope,
            _gelu_bend,
            (
                "{z} * erfc(-{z} / np.sqrt(2)) / 2",
                "(erfc(-{z} / np.sqrt(2)) / 2 + {z} * np.exp(-({z}**2) / 2) / np.sqrt(2 * np.pi))",
            ),
            "Hendrycks and Gimpel 2016, Gaussian error linear units, arXiv:1606.08415",
        ),
        Activation(
            "softplus",
            "log(1 + exp(z)): a smooth relu, its slope is the sigmoid",
            softplus,
            softplus_slope,
            _softplus_bend,
            ("np.logaddexp(0, {z})", "(1 / (1 + np.exp(-{z})))"),
            "Dugas et al. 2001, Incorporating second-order functional knowledge",
        ),
        Activation(
            "tanh",
            "hyperbolic tangent, between -1 and 1",
            tanh,
            tanh_slope,
            _tanh_bend,
            ("np.tanh({z})", "(1 - {a}**2)"),
            "LeCun, Bottou, Orr and Müller 1998, Efficient backprop",
            steepest=1.0,
        ),
        Activation(
            "sigmoid",
            "1 / (1 + exp(-z)), between 0 and 1",
            sigmoid,
            sigmoid_slope,
            _sigmoid_bend,
            ("1 / (1 + np.exp(-{z}))", "{a} * (1 - {a})"),
            "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
            steepest=0.25,
        ),
        Activation(
            "identity",
            "z itself: a linear layer",
            _identity,
            _identity_slope,
            _no_bend,
            ("{z}", ""),
            "Widrow and Hoff 1960, Adaptive switching circuits",
            homogeneous=True,
        ),
    )
}
