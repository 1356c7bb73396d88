"""The table of optimizers: how a gradient becomes a change of the parameters.

An optimizer's memory is plain arrays (`slots`), made afresh when a run changes to it; nothing hides in
objects, so a state can be copied, stored, and handed to another method between two steps. Must not know the
loop or the network.
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

    `update(parameters, gradient, slots, learning_rate, own, work)` changes parameters and slots in place and
    leaves the gradient alone; all arrays are flat with one entry per parameter, `work` is (2, parameters) of
    scratch, `own` holds every parameter of the method. `start(n)` makes the slots of n parameters.
    """

    name: str
    help: str
    update: Update
    start: Callable[[int], Slots]
    parameters: tuple[Parameter, ...] = ()

    def filled(self, own: dict[str, float]) -> dict[str, float]:
        """The method's parameters, defaults where `own` names none."""
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
    """v = momentum * v + g; P -= learning_rate * v: PyTorch's convention, where the rate scales the whole velocity."""
    velocity, change = slots["velocity"], work[0]
    np.multiply(velocity, own["momentum"], velocity)
    np.add(velocity, gradient, velocity)
    np.multiply(velocity, learning_rate, change)
    np.subtract(parameters, change, parameters)


def _adam(
    parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float], work: Array
) -> None:
    """Kingma and Ba 2015, Algorithm 1; epsilon is added to the corrected root, as PyTorch does."""
    beta1, beta2 = own["beta1"], own["beta2"]
    mean, square, count = slots["mean"], slots["square"], slots["count"]
    first, second = work
    count += 1.0
    steps = float(count[0])
    np.multiply(mean, beta1, mean)
    np.multiply(gradient, 1.0 - beta1, first)
    np.add(mean, first, mean)
    np.multiply(square, beta2, square)
    np.multiply(gradient, gradient, first)
    np.multiply(first, 1.0 - beta2, first)
    np.add(square, first, square)
    np.sqrt(square, second)
    np.divide(second, math.sqrt(1.0 - beta2**steps), second)
    np.add(second, own["epsilon"], second)
    np.multiply(mean, learning_rate / (1.0 - beta1**steps), first)
    np.divide(first, second, first)
    np.subtract(parameters, first, parameters)


def _nothing(count: int) -> Slots:
    return {}


def _velocity(count: int) -> Slots:
    return {"velocity": np.zeros(count)}


def _moments(count: int) -> Slots:
    return {"mean": np.zeros(count), "square": np.zeros(count), "count": np.zeros(1)}


OPTIMIZERS: dict[str, Optimizer] = {
    row.name: row
    for row in (
        Optimizer("sgd", "plain gradient descent: P -= learning_rate * g", _sgd, _nothing),
        Optimizer(
            "momentum",
            "heavy ball: v = momentum * v + g, then P -= learning_rate * v",
            _momentum,
            _velocity,
            (
                Parameter(
                    "momentum",
                    0.9,
                    0.0,
                    1.0,
                    open_maximum=True,
                    help="share of the velocity kept from step to step",
                ),
            ),
        ),
        Optimizer(
            "adam",
            "Adam: steps scaled by running means of the gradient and of its square, both bias-corrected",
            _adam,
            _moments,
            (
                Parameter(
                    "beta1",
                    0.9,
                    0.0,
                    1.0,
                    open_maximum=True,
                    help="decay of the running mean of the gradient",
                ),
                Parameter(
                    "beta2",
                    0.999,
                    0.0,
                    1.0,
                    open_maximum=True,
                    help="decay of the running mean of its square",
                ),
                Parameter(
                    "epsilon",
                    1e-8,
                    0.0,
                    1.0,
                    open_minimum=True,
                    help="added to the root, so that nothing divides by 0",
                ),
            ),
        ),
    )
}
