"""The table of activations: each a function of the pre-activation z, and its derivative told by z and the output a.

Must not know layers or losses. Most derivatives are written in the output, which costs least; where the output does not
tell it, or has lost the digits that would, they are written in z. Adding a row touches this file only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.parameters import Parameter

Array = NDArray[np.float64]

LEAK = 0.01
"""Slope of leaky_relu left of 0 (Maas, Hannun, Ng 2013)."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation.

    `apply(z, out)` writes the outputs into `out`; z stays as it is, unless it is `out`. `slope(z, a, out)` writes the
    derivative at the pre-activations z, whose outputs are a; z may be `out`, a may not. All shapes are equal. `dies`
    says that a unit can be off: output and slope exactly 0 whatever the input. `steepest` is the largest slope of one
    that flattens on both sides, where a unit can be saturated. `source` is a short reference.
    """

    name: str
    help: str
    apply: Callable[[Array, Array], object]
    slope: Callable[[Array, Array, Array], object]
    source: str
    dies: bool = False
    steepest: float | None = None
    parameters: tuple[Parameter, ...] = ()

    def __call__(self, z: Array) -> Array:
        """The outputs in a fresh array; z stays as it is."""
        out = z.copy()
        self.apply(out, out)
        return out

    def derivative(self, z: Array, a: Array) -> Array:
        """The derivative at the pre-activations z with the outputs a, in a fresh array."""
        out = np.empty_like(a)
        self.slope(z, a, out)
        return out


def _relu(z: Array, out: Array) -> None:
    np.maximum(z, 0.0, out=out)


def _relu_slope(z: Array, a: Array, out: Array) -> None:
    # As a number, never as a bool mask: NumPy would cast it at every product (measured: +1 us at 900 samples).
    np.sign(a, out)


def _leaky(z: Array, out: Array) -> None:
    np.maximum(z, LEAK * z, out=out)


def _leaky_slope(z: Array, a: Array, out: Array) -> None:
    np.sign(a, out)
    np.maximum(out, LEAK, out=out)


def _elu(z: Array, out: Array) -> None:
    """z + 0 on the right; on the left 0 + expm1(z), which keeps the digits of small outputs."""
    low = np.minimum(z, 0.0)
    np.expm1(low, low)
    np.maximum(z, 0.0, out=out)
    np.add(out, low, out)


def _elu_slope(z: Array, a: Array, out: Array) -> None:
    # exp(z) on the left, not a + 1: next to the floor of -1 the output has no digits left to tell it.
    np.minimum(z, 0.0, out=out)
    np.exp(out, out)


def _gelu(z: Array, out: Array) -> None:
    np.multiply(z, _normal_below(z), out)


def _normal_below(z: Array) -> Array:
    """The probability that a standard normal number is below z: erfc(-z / sqrt 2) / 2, which keeps small ones' digits.

    NumPy has no erf; the C library's, number by number, takes about 50 nanoseconds.
    """
    turned = (z * -math.sqrt(0.5)).ravel()
    found = np.fromiter(map(math.erfc, turned.tolist()), np.float64, turned.size)
    return 0.5 * found.reshape(z.shape)


DENSITY_GONE = 40.0
"""From here on the normal density is 0 in floating point."""

SMALLEST_TOLD = 1e-300
"""A quotient a / z of a smaller z may have lost its digits."""


def _gelu_slope(z: Array, a: Array, out: Array) -> None:
    """below(z) + z density(z), where below(z) is a / z: the costly part of the output is not computed again."""
    below = np.full_like(a, 0.5)
    np.divide(a, z, out=below, where=np.abs(z) > SMALLEST_TOLD)
    density = np.clip(z, -DENSITY_GONE, DENSITY_GONE)
    np.multiply(density, density, density)
    np.multiply(density, -0.5, density)
    np.exp(density, density)
    np.multiply(density, math.sqrt(0.5 / math.pi), density)
    np.multiply(density, z, out)
    np.add(out, below, out)


def _softplus(z: Array, out: Array) -> None:
    """max(z, 0) + log(1 + exp(-|z|)): no large exponential, and small outputs keep all their digits."""
    rest = np.abs(z)
    np.negative(rest, rest)
    np.exp(rest, rest)
    np.log1p(rest, rest)
    np.maximum(z, 0.0, out=out)
    np.add(out, rest, out)


def _softplus_slope(z: Array, a: Array, out: Array) -> None:
    _sigmoid(z, out)


def _tanh_slope(z: Array, a: Array, out: Array) -> None:
    np.multiply(a, a, out)
    np.subtract(1.0, out, out)


def _sigmoid(z: Array, out: Array) -> None:
    """exp(min(z, 0)) / (1 + exp(-|z|)): neither exponential can overflow, and small outputs keep all their digits."""
    below = np.minimum(z, 0.0)
    np.exp(below, below)
    np.abs(z, out)
    np.negative(out, out)
    np.exp(out, out)
    np.add(out, 1.0, out)
    np.divide(below, out, out)


def _sigmoid_slope(z: Array, a: Array, out: Array) -> None:
    np.subtract(1.0, a, out)
    np.multiply(out, a, out)


def _identity(z: Array, out: Array) -> None:
    if z is not out:
        np.copyto(out, z)


def _identity_slope(z: Array, a: Array, out: Array) -> None:
    out.fill(1.0)


ACTIVATIONS: dict[str, Activation] = {
    row.name: row
    for row in (
        Activation(
            "relu",
            "max(z, 0): zero for every negative input, so a unit can die",
            _relu,
            _relu_slope,
            "Nair and Hinton 2010, Rectified linear units improve restricted Boltzmann machines",
            dies=True,
        ),
        Activation(
            "leaky_relu",
            "z where positive, 0.01 z elsewhere: never quite off",
            _leaky,
            _leaky_slope,
            "Maas, Hannun and Ng 2013, Rectifier nonlinearities improve neural network acoustic models",
        ),
        Activation(
            "elu",
            "z where positive, exp(z) - 1 elsewhere: a smooth bend down to -1",
            _elu,
            _elu_slope,
            "Clevert, Unterthiner and Hochreiter 2016, Fast and accurate deep network learning by ELUs",
        ),
        Activation(
            "gelu",
            "z times the share of a normal distribution below z, exact (by erf): a smooth relu that dips below 0",
            _gelu,
            _gelu_slope,
            "Hendrycks and Gimpel 2016, Gaussian error linear units, arXiv:1606.08415",
        ),
        Activation(
            "softplus",
            "log(1 + exp(z)): a relu without a corner, its slope is the sigmoid",
            _softplus,
            _softplus_slope,
            "Dugas et al. 2001, Incorporating second-order functional knowledge",
        ),
        Activation(
            "tanh",
            "hyperbolic tangent, between -1 and 1",
            np.tanh,
            _tanh_slope,
            "LeCun, Bottou, Orr and Müller 1998, Efficient backprop",
            steepest=1.0,
        ),
        Activation(
            "sigmoid",
            "1 / (1 + exp(-z)), between 0 and 1",
            _sigmoid,
            _sigmoid_slope,
            "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
            steepest=0.25,
        ),
        Activation(
            "identity",
            "z itself: a linear layer",
            _identity,
            _identity_slope,
            "Widrow and Hoff 1960, Adaptive switching circuits",
        ),
    )
}
