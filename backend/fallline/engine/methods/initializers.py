"""The table of initializers: how the first weights and biases are drawn.

Weights have the shape (fan_in, fan_out). All normal initializers scale the same stream of standard normal numbers, so
recipes that differ only in the initializer start in the same direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fallline.vocabulary.arrays import Array
from fallline.vocabulary.parameters import Parameter

Shape = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Initializer:
    """One initializer.

    `function(rng, shape, fan_in, fan_out, **own)` returns a new array of that shape. Exported programs contain its
    text. `draws` lists the kinds of parameters that it can draw, `source` is a short reference. An alias names
    its row in `same_as`, so that lists offer it once.
    """

    name: str
    help: str
    source: str
    function: Callable[..., Array]
    draws: tuple[str, ...] = ("weights",)
    parameters: tuple[Parameter, ...] = ()
    same_as: str | None = None

    def filled(self, own: Mapping[str, float]) -> dict[str, float]:
        """The row's own parameters, with defaults."""
        return {row.name: own.get(row.name, row.default) for row in self.parameters}

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, **own: float) -> Array:
        """A new array of that shape; an own parameter that is left out has its default."""
        return self.function(rng, shape, fan_in, fan_out, **self.filled(own))


def normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, scale: float) -> Array:
    """N(0, scale**2)."""
    return rng.standard_normal(shape) * scale


def uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, scale: float) -> Array:
    """Evenly between -scale and scale."""
    return rng.uniform(-1.0, 1.0, shape) * scale


def he(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """N(0, 2 / fan_in), for relu layers."""
    return rng.standard_normal(shape) * math.sqrt(2.0 / fan_in)


def he_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """Evenly between -b and b, b = sqrt(6 / fan_in)."""
    return rng.uniform(-1.0, 1.0, shape) * math.sqrt(6.0 / fan_in)


def xavier(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """N(0, 2 / (fan_in + fan_out)), for tanh and sigmoid."""
    return rng.standard_normal(shape) * math.sqrt(2.0 / (fan_in + fan_out))


def xavier_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """Evenly between -b and b, b = sqrt(6 / (fan_in + fan_out))."""
    return rng.uniform(-1.0, 1.0, shape) * math.sqrt(6.0 / (fan_in + fan_out))


def lecun(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """N(0, 1 / fan_in), for linear layers."""
    return rng.standard_normal(shape) * math.sqrt(1.0 / fan_in)


def pytorch(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """Evenly between -b and b, b = 1 / sqrt(fan_in): PyTorch's Linear, for weights and biases."""
    return rng.uniform(-1.0, 1.0, shape) * math.sqrt(1.0 / fan_in)


def orthogonal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """A uniformly random matrix with orthonormal columns, or rows if fewer.

    The Q of a normal matrix, with its columns' signs chosen so that R's diagonal is positive. LAPACK's own Q favours
    some directions (Mezzadri 2007, How to generate random matrices from the classical compact groups).
    """
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(rng.standard_normal(shape[::-1] if wide else shape))
    q *= np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return np.ascontiguousarray(q.T if wide else q)


# The signs are part of a state's fingerprint, and stored runs have them.
def zeros(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
    """All 0, with the signs of normal numbers."""
    return rng.standard_normal(shape) * 0.0


def constant(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, value: float) -> Array:
    """All equal: PyTorch's init.constant_."""
    return np.full(shape, value)


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
            normal,
            ALL,
            (Parameter("scale", 1.0, 0.0, 1e6, help="standard deviation"),),
        ),
        Initializer(
            "uniform",
            "uniform between -scale and scale",
            "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
            uniform,
            ALL,
            (Parameter("scale", 1.0, 0.0, 1e6, help="largest weight or bias"),),
        ),
        Initializer(
            "he",
            "N(0, 2 / fan_in): keeps the size of signals through relu layers; also called he_normal",
            HE,
            he,
        ),
        Initializer(
            "xavier",
            "N(0, 2 / (fan_in + fan_out)): for tanh and sigmoid; also called xavier_normal",
            GLOROT,
            xavier,
        ),
        Initializer("he_normal", "N(0, 2 / fan_in): same as he", HE, he, same_as="he"),
        Initializer(
            "he_uniform",
            "uniform between -b and b, b = sqrt(6 / fan_in): the uniform form of he",
            HE,
            he_uniform,
        ),
        Initializer(
            "xavier_normal",
            "N(0, 2 / (fan_in + fan_out)): same as xavier",
            GLOROT,
            xavier,
            same_as="xavier",
        ),
        Initializer(
            "xavier_uniform",
            "uniform between -b and b, b = sqrt(6 / (fan_in + fan_out)): the uniform form of xavier",
            GLOROT,
            xavier_uniform,
        ),
        Initializer(
            "lecun",
            "N(0, 1 / fan_in): keeps the size of signals through linear layers",
            "LeCun, Bottou, Orr and Müller 1998, Efficient backprop",
            lecun,
        ),
        Initializer(
            "pytorch",
            "uniform between -b and b, b = 1 / sqrt(fan_in): PyTorch's default for weights and biases",
            "PyTorch's Linear: kaiming_uniform_ with a = sqrt(5), and biases by the same bound",
            pytorch,
            ALL,
        ),
        Initializer(
            "orthogonal",
            "a random rotation: a linear layer keeps the length of signals",
            "Saxe, McClelland and Ganguli 2014, Exact solutions to the nonlinear dynamics of learning",
            orthogonal,
        ),
        Initializer(
            "zeros",
            "all 0; as weights, the units of a layer stay equal",
            "the notebook",
            zeros,
            ALL,
        ),
        Initializer(
            "constant",
            "all biases equal; above 0 they keep relu units active at first",
            "Goodfellow, Bengio and Courville 2016, Deep learning, section 8.4; PyTorch's init.constant_",
            constant,
            ("biases",),
            (Parameter("value", 0.1, -1e6, 1e6, help="value of every bias"),),
        ),
    )
}
