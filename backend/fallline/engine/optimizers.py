"""The table of optimizers: how a gradient becomes a change of the parameters.

An optimizer's state is plain arrays (`slots`), which start at 0 when a run switches to it. So a state can be copied,
stored, and given another method between two steps. Conventions are PyTorch's, which most published rates use.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.parameters import Parameter

Array = NDArray[np.float64]
Slots = dict[str, Array]
Update = Callable[[Array, Array, Slots, float, dict[str, float], Array], None]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One method.

    `update(parameters, gradient, slots, learning_rate, own, work)` changes parameters and slots in place and leaves
    the gradient unchanged. All arrays are flat with one entry per parameter; `work` is scratch of (2, parameters);
    `own` holds every parameter of the method. `start(n)` makes the slots of n parameters. `source` is the
    publication.
    """

    name: str
    help: str
    update: Update
    start: Callable[[int], Slots]
    parameters: tuple[Parameter, ...] = ()
    source: str = ""

    def filled(self, own: dict[str, float]) -> dict[str, float]:
        """The method's parameters; `own` overrides the defaults."""
        return {row.name: float(own.get(row.name, row.default)) for row in self.parameters}


def _sgd(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    change = work[0]
    np.multiply(gradient, learning_rate, change)
    np.subtract(parameters, change, parameters)


def _momentum(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    """v = momentum * v + g; P -= learning_rate * v, as in PyTorch."""
    velocity, change = slots["velocity"], work[0]
    np.multiply(velocity, own["momentum"], velocity)
    np.add(velocity, gradient, velocity)
    np.multiply(velocity, learning_rate, change)
    np.subtract(parameters, change, parameters)


def _nesterov(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    """v = momentum * v + g; P -= learning_rate * (g + momentum * v), as in PyTorch.

    There is no dampening. The gradient is taken at P, which is one momentum step ahead of the path in Nesterov's
    notation.
    """
    velocity, change = slots["velocity"], work[0]
    np.multiply(velocity, own["momentum"], velocity)
    np.add(velocity, gradient, velocity)
    np.multiply(velocity, own["momentum"], change)
    np.add(change, gradient, change)
    np.multiply(change, learning_rate, change)
    np.subtract(parameters, change, parameters)


def _adagrad(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    """s += g**2; P -= learning_rate * g / (sqrt(s) + epsilon)."""
    square, (first, second) = slots["square"], work
    np.multiply(gradient, gradient, first)
    np.add(square, first, square)
    _scaled_change(parameters, gradient, square, learning_rate, own["epsilon"], first, second)


def _rmsprop(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    """s = decay * s + (1 - decay) * g**2; P -= learning_rate * g / (sqrt(s) + epsilon).

    Not centred, which is PyTorch's default.
    """
    square, (first, second) = slots["square"], work
    _remember(square, gradient, own["decay"], first)
    _scaled_change(parameters, gradient, square, learning_rate, own["epsilon"], first, second)


def _adam(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    """Kingma and Ba 2015, Algorithm 1; epsilon is added to the corrected root as in PyTorch."""
    beta1, beta2 = own["beta1"], own["beta2"]
    mean, square, count = slots["mean"], slots["square"], slots["count"]
    first, second = work
    count += 1.0
    steps = float(count[0])
    np.multiply(mean, beta1, mean)
    np.multiply(gradient, 1.0 - beta1, first)
    np.add(mean, first, mean)
    _remember(square, gradient, beta2, first)
    np.sqrt(square, second)
    np.divide(second, math.sqrt(1.0 - beta2**steps), second)
    np.add(second, own["epsilon"], second)
    np.multiply(mean, learning_rate / (1.0 - beta1**steps), first)
    np.divide(first, second, first)
    np.subtract(parameters, first, parameters)


def _adamw(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    """Shrink every parameter by learning_rate * weight_decay of itself, then apply Adam.

    Loshchilov and Hutter 2019, Algorithm 2, with the rate in the decay as in PyTorch. Biases shrink too.
    """
    np.multiply(parameters, 1.0 - learning_rate * own["weight_decay"], parameters)
    _adam(parameters, gradient, slots, learning_rate, own, work)


def _remember(square: Array, gradient: Array, decay: float, scratch: Array) -> None:
    """square = decay * square + (1 - decay) * gradient**2, in place."""
    np.multiply(square, decay, square)
    np.multiply(gradient, gradient, scratch)
    np.multiply(scratch, 1.0 - decay, scratch)
    np.add(square, scratch, square)


def _scaled_change(
    parameters: Array,
    gradient: Array,
    square: Array,
    learning_rate: float,
    epsilon: float,
    first: Array,
    second: Array,
) -> None:
    """P -= learning_rate * g / (sqrt(square) + epsilon)."""
    np.sqrt(square, second)
    np.add(second, epsilon, second)
    np.multiply(gradient, learning_rate, first)
    np.divide(first, second, first)
    np.subtract(parameters, first, parameters)


def _nothing(count: int) -> Slots:
    return {}


def _velocity(count: int) -> Slots:
    return {"velocity": np.zeros(count)}


def _square(count: int) -> Slots:
    return {"square": np.zeros(count)}


def _moments(count: int) -> Slots:
    return {"mean": np.zeros(count), "square": np.zeros(count), "count": np.zeros(1)}


def _share(name: str, default: float, help: str) -> Parameter:
    return Parameter(name, default, 0.0, 1.0, open_maximum=True, help=help)


def _epsilon(default: float) -> Parameter:
    help = "added to the root to avoid division by 0"
    return Parameter("epsilon", default, 0.0, 1.0, open_minimum=True, help=help)


_MOMENTUM = _share("momentum", 0.9, "share of the velocity that each step keeps")
_BETAS = (
    _share("beta1", 0.9, "decay of the running mean of the gradient"),
    _share("beta2", 0.999, "decay of the running mean of its square"),
)

OPTIMIZERS: dict[str, Optimizer] = {
    row.name: row
    for row in (
        Optimizer(
            "sgd",
            "plain gradient descent: P -= learning_rate * g",
            _sgd,
            _nothing,
            source="Robbins and Monro 1951, A stochastic approximation method",
        ),
        Optimizer(
            "momentum",
            "heavy ball: v = momentum * v + g, then P -= learning_rate * v",
            _momentum,
            _velocity,
            (_MOMENTUM,),
            source="Polyak 1964, Some methods of speeding up the convergence of iteration methods",
        ),
        Optimizer(
            "nesterov",
            "momentum with look-ahead: v = momentum * v + g, then P -= learning_rate * (g + momentum * v)",
            _nesterov,
            _velocity,
            (_MOMENTUM,),
            source="Nesterov 1983; Sutskever et al. 2013, On the importance of initialization and momentum",
        ),
        Optimizer(
            "adagrad",
            "steps divided by the root of the sum of squared gradients: s += g**2, then "
            "P -= learning_rate * g / (sqrt(s) + epsilon)",
            _adagrad,
            _square,
            (_epsilon(1e-10),),
            source="Duchi, Hazan and Singer 2011, Adaptive subgradient methods",
        ),
        Optimizer(
            "rmsprop",
            "steps divided by the root of a running mean of squared gradients: "
            "s = decay * s + (1 - decay) * g**2, then P -= learning_rate * g / (sqrt(s) + epsilon)",
            _rmsprop,
            _square,
            (_share("decay", 0.99, "decay of the running mean of the squared gradient"), _epsilon(1e-8)),
            source="Tieleman and Hinton 2012, Neural networks for machine learning, lecture 6.5",
        ),
        Optimizer(
            "adam",
            "Adam: steps scaled by running means of the gradient and of its square, both bias-corrected",
            _adam,
            _moments,
            (*_BETAS, _epsilon(1e-8)),
            source="Kingma and Ba 2015, Adam: a method for stochastic optimization, arXiv:1412.6980",
        ),
        Optimizer(
            "adamw",
            "Adam with separate weight decay: each step also shrinks P by learning_rate * weight_decay of itself, "
            "outside the gradient",
            _adamw,
            _moments,
            (
                *_BETAS,
                _epsilon(1e-8),
                Parameter(
                    "weight_decay", 0.01, 0.0, 1e3, help="share of P lost per step, divided by the rate"
                ),
            ),
            source="Loshchilov and Hutter 2019, Decoupled weight decay regularization, arXiv:1711.05101",
        ),
    )
}
