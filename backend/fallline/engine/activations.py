"""The table of activations: each a function and its derivative, told by the function's *output*.

Must not know layers or losses. Every derivative here can be written in the output a: that is why the backward
pass needs no pre-activations. Adding a row touches this file only.
"""

from __future__ import annotations

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

    `apply(z, out)` writes the outputs into `out` and may use z up as scratch; `slope(a, out)` writes the
    derivative at the outputs a. All shapes are equal; z may be `out`, a may not. `dies` says that a unit can
    be off with slope exactly 0.
    """

    name: str
    help: str
    apply: Callable[[Array, Array], object]
    slope: Callable[[Array, Array], object]
    dies: bool = False
    parameters: tuple[Parameter, ...] = ()

    def __call__(self, z: Array) -> Array:
        """The outputs in a fresh array; z stays as it is."""
        out = z.copy()
        self.apply(out, out)
        return out

    def derivative(self, a: Array) -> Array:
        """The derivative at the outputs a, in a fresh array."""
        out = np.empty_like(a)
        self.slope(a, out)
        return out


def _relu(z: Array, out: Array) -> None:
    np.maximum(z, 0.0, out=out)


def _relu_slope(a: Array, out: Array) -> None:
    # As a number, never as a bool mask: NumPy would cast it at every product (measured: +1 us at 900 samples).
    np.sign(a, out)


def _leaky(z: Array, out: Array) -> None:
    np.maximum(z, LEAK * z, out=out)


def _leaky_slope(a: Array, out: Array) -> None:
    np.sign(a, out)
    np.maximum(out, LEAK, out=out)


def _tanh_slope(a: Array, out: Array) -> None:
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


def _sigmoid_slope(a: Array, out: Array) -> None:
    np.subtract(1.0, a, out)
    np.multiply(out, a, out)


def _identity(z: Array, out: Array) -> None:
    if z is not out:
        np.copyto(out, z)


def _identity_slope(a: Array, out: Array) -> None:
    out.fill(1.0)


ACTIVATIONS: dict[str, Activation] = {
    row.name: row
    for row in (
        Activation(
            "relu",
            "max(z, 0): zero for every negative input, so a unit can die",
            _relu,
            _relu_slope,
            dies=True,
        ),
        Activation("leaky_relu", "z where positive, 0.01 z elsewhere: never quite off", _leaky, _leaky_slope),
        Activation("tanh", "hyperbolic tangent, between -1 and 1", np.tanh, _tanh_slope),
        Activation("sigmoid", "1 / (1 + exp(-z)), between 0 and 1", _sigmoid, _sigmoid_slope),
        Activation("identity", "z itself: a linear layer", _identity, _identity_slope),
    )
}
