"""The table of initializers: how the first weights and biases are drawn.

Weights have the shape (fan_in, fan_out). All normal initializers scale the same stream of standard normal numbers, so
recipes that differ only in the initializer start in the same direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.parameters import Parameter

Array = NDArray[np.float64]
Shape = tuple[int, int]
Spread = Callable[[float, int, int], float]
"""Factor of a unit draw, as a function of (scale, fan_in, fan_out)."""


@dataclass(frozen=True, slots=True)
class Initializer:
    """One initializer: `unit` draws an array of a shape, `spread` scales it.

    `draws` lists the kinds of parameters that it can draw, `source` is a short reference. `same_as` names the row of
    which this is an alias, so that lists offer it once.
    """

    name: str
    help: str
    source: str
    unit: Callable[[np.random.Generator, Shape], Array]
    spread: Spread
    draws: tuple[str, ...] = ("weights",)
    parameters: tuple[Parameter, ...] = ()
    same_as: str | None = None

    def draw(
        self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, scale: float | None
    ) -> Array:
        """A new array of that shape; scale None is the default."""
        return self.unit(rng, shape) * self.spread(1.0 if scale is None else scale, fan_in, fan_out)


def _normal(rng: np.random.Generator, shape: Shape) -> Array:
    return rng.standard_normal(shape)


def _uniform(rng: np.random.Generator, shape: Shape) -> Array:
    """Between -1 and 1."""
    return rng.uniform(-1.0, 1.0, shape)


def _orthogonal(rng: np.random.Generator, shape: Shape) -> Array:
    """A uniformly random matrix with orthonormal columns, or rows if fewer.

    The Q of a normal matrix, with its columns' signs chosen so that R's diagonal is positive. LAPACK's own Q favours
    some directions (Mezzadri 2007, How to generate random matrices from the classical compact groups).
    """
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(rng.standard_normal(shape[::-1] if wide else shape))
    q *= np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return np.ascontiguousarray(q.T if wide else q)


def _as_set(scale: float, fan_in: int, fan_out: int) -> float:
    return scale


def _by_inputs(gain: float) -> Spread:
    """A standard deviation of sqrt(gain / fan_in), or that bound for a uniform draw."""
    return lambda scale, fan_in, fan_out: math.sqrt(gain / fan_in)


def _by_both(gain: float) -> Spread:
    return lambda scale, fan_in, fan_out: math.sqrt(gain / (fan_in + fan_out))


HE = "He, Zhang, Ren and Sun 2015, Delving deep into rectifiers"
GLOROT = "Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks"
ALL = ("weights", "biases")

INITIALIZERS: dict[str, Initializer] = {
    row.name: row
    for row in (
        Initializer(
            "normal",
            "N(0, scale**2), as in the notebook",
            "the notebook",
            _normal,
            _as_set,
            ALL,
            (Parameter("scale", 1.0, 0.0, 1e6, help="standard deviation"),),
        ),
        Initializer(
            "uniform",
            "uniform between -scale and scale",
            "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
            _uniform,
            _as_set,
            ALL,
            (Parameter("scale", 1.0, 0.0, 1e6, help="largest weight or bias"),),
        ),
        Initializer(
            "he",
            "N(0, 2 / fan_in): keeps the size of signals through relu layers; also called he_normal",
            HE,
            _normal,
            _by_inputs(2.0),
        ),
        Initializer(
            "xavier",
            "N(0, 2 / (fan_in + fan_out)): for tanh and sigmoid; also called xavier_normal",
            GLOROT,
            _normal,
            _by_both(2.0),
        ),
        Initializer("he_normal", "N(0, 2 / fan_in): same as he", HE, _normal, _by_inputs(2.0), same_as="he"),
        Initializer(
            "he_uniform",
            "uniform between -b and b, b = sqrt(6 / fan_in): the uniform form of he",
            HE,
            _uniform,
            _by_inputs(6.0),
        ),
        Initializer(
            "xavier_normal",
            "N(0, 2 / (fan_in + fan_out)): same as xavier",
            GLOROT,
            _normal,
            _by_both(2.0),
            same_as="xavier",
        ),
        Initializer(
            "xavier_uniform",
            "uniform between -b and b, b = sqrt(6 / (fan_in + fan_out)): the uniform form of xavier",
            GLOROT,
            _uniform,
            _by_both(6.0),
        ),
        Initializer(
            "lecun",
            "N(0, 1 / fan_in): keeps the size of signals through linear layers",
            "LeCun, Bottou, Orr and Müller 1998, Efficient backprop",
            _normal,
            _by_inputs(1.0),
        ),
        Initializer(
            "orthogonal",
            "a random rotation: a linear layer keeps the length of signals",
            "Saxe, McClelland and Ganguli 2014, Exact solutions to the nonlinear dynamics of learning",
            _orthogonal,
            lambda scale, fan_in, fan_out: 1.0,
        ),
        Initializer(
            "zeros",
            "all 0; as weights, the units of a layer stay equal",
            "the notebook",
            _normal,
            lambda scale, fan_in, fan_out: 0.0,
            ALL,
        ),
    )
}
