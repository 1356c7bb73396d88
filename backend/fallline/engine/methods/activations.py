"""The table of activations: functions of the pre-activation z, with slopes.

Most derivatives use the output a, which is cheapest. They use z if a does not determine the derivative, or lacks the
digits for it.
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
    """One activation; all arrays have the same shape.

    `apply(z, out)` writes the outputs into `out`; z is unchanged unless it is `out`. `slope(z, a, out)` writes the
    derivative at the pre-activations z with the outputs a; `out` may be z but not a. With `dies` a unit can be off:
    output and slope exactly 0 for every input. `steepest` is the largest slope of an activation that flattens on both
    sides, so that units can saturate. `source` is a short reference.
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
        """The outputs in a new array."""
        out = z.copy()
        self.apply(out, out)
        return out

    def derivative(self, z: Array, a: Array) -> Array:
        """The derivative at the pre-activations z with the outputs a, in a new array."""
        out = np.empty_like(a)
        self.slope(z, a, out)
        return out


def _relu(z: Array, out: Array) -> None:
    np.maximum(z, 0.0, out=out)


def _relu_slope(z: Array, a: Array, out: Array) -> None:
    # A number, not a bool mask: NumPy would cast a mask at every product (measured: +1 us at 900 samples).
    np.sign(a, out)


def _leaky(z: Array, out: Array) -> None:
    np.maximum(z, LEAK * z, out=out)


def _leaky_slope(z: Array, a: Array, out: Array) -> None:
    np.sign(a, out)
    np.maximum(out, LEAK, out=out)


def _elu(z: Array, out: Array) -> None:
    """z + 0 on the right, 0 + expm1(z) on the left, accurate for small outputs."""
    low = np.minimum(z, 0.0)
    np.expm1(low, low)
    np.maximum(z, 0.0, out=out)
    np.add(out, low, out)


def _elu_slope(z: Array, a: Array, out: Array) -> None:
    # exp(z) on the left, not a + 1: near -1 the output has no digits left for it.
    np.minimum(z, 0.0, out=out)
    np.exp(out, out)


def _gelu(z: Array, out: Array) -> None:
    np.multiply(z, _normal_below(z), out)


def _normal_below(z: Array) -> Array:
    """Normal distribution below z, erfc(-z / sqrt 2) / 2; accurate for small values.

    NumPy has no erf. The C library's takes about 50 nanoseconds per number.
    """
    scaled = (z * -math.sqrt(0.5)).ravel()
    erfc = np.fromiter(map(math.erfc, scaled.tolist()), np.float64, scaled.size)
    return 0.5 * erfc.reshape(z.shape)


DENSITY_GONE = 40.0
"""The normal density is 0 in floating point from here on."""

SMALLEST_TOLD = 1e-300
"""The quotient a / z of a smaller z may have lost digits."""


def _gelu_slope(z: Array, a: Array, out: Array) -> None:
    """below(z) + z density(z), with below(z) = a / z, which avoids a second erfc."""
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
    """max(z, 0) + log(1 + exp(-|z|)): no overflow, accurate for small outputs."""
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
    """exp(min(z, 0)) / (1 + exp(-|z|)): no overflow, accurate for small outputs."""
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
            "z where positive, 0.01 z elsewhere: its slope is never 0",
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
            "z times the normal distribution at z, exact (by erf): a smooth relu that dips below 0",
            _gelu,
            _gelu_slope,
            "Hendrycks and Gimpel 2016, Gaussian error linear units, arXiv:1606.08415",
        ),
        Activation(
            "softplus",
            "log(1 + exp(z)): a smooth relu, its slope is the sigmoid",
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
