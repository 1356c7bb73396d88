"""The table of optimizers: how a gradient becomes a change of the parameters.

Each row has one plain function of arrays. The NumPy kernel calls it, exported programs contain its text, and the step
inspector shows its assignments as lines (`inspection.formulas`). The order of its arithmetic fixes the last digit of
every result. Conventions are PyTorch's, which most published rates use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.parameters import Parameter

Array = NDArray[np.float64]
Slots = dict[str, Array]
Slot = Any
"""A slot in a function: an array like P, or the number with which it starts."""


Own = Mapping[str, float]
"""The parameters of a method, by name."""


@dataclass(frozen=True, slots=True)
class Stability:
    """The largest curvature at which full-batch steps stay stable: a / (b * learning rate).

    `terms(own)` returns a and b; `formula` is the limit as text. With a `divisor`, every entry of a step is divided by
    an entry of `divisor(slots, own)`, which needs the slots of at least one step.
    """

    formula: str
    terms: Callable[[Own], tuple[float, float]]
    divisor: Callable[[Slots, Own], Array] | None = None


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One method.

    `step(P, dP, lr, *slots, **own)` returns the new P and the new slots; it changes no array. P, dP and the `vectors`
    have one entry per parameter. With `counts`, a last slot `count` is the number of steps so far. `own` holds every
    parameter of the method. The slots are the optimizer's whole state, and start at 0. `stability` is for
    `measures.edge`, `source` is the publication.
    """

    name: str
    help: str
    step: Callable[..., tuple[Any, ...]]
    stability: Stability
    vectors: tuple[str, ...] = ()
    counts: bool = False
    parameters: tuple[Parameter, ...] = ()
    source: str = ""

    def filled(self, own: dict[str, float]) -> dict[str, float]:
        """The method's parameters; `own` overrides the defaults."""
        return {row.name: float(own.get(row.name, row.default)) for row in self.parameters}

    def start(self, count: int) -> Slots:
        """The slots of that many parameters before the first step."""
        slots = {name: np.zeros(count) for name in self.vectors}
        return slots | {"count": np.zeros(1)} if self.counts else slots

    def update(
        self, parameters: Array, gradient: Array, slots: Slots, learning_rate: float, own: dict[str, float]
    ) -> None:
        """Make one step: change the parameters in place, and replace the slots. All arrays are flat."""
        before: list[Slot] = [slots[name] for name in self.vectors]
        if self.counts:
            before.append(float(slots["count"][0]))
        new, *after = self.step(parameters, gradient, learning_rate, *before, **own)
        np.copyto(parameters, new)
        slots.update(zip(self.vectors, after, strict=False))
        if self.counts:
            slots["count"] = np.array([after[-1]])


def sgd(P: Array, dP: Array, lr: float) -> tuple[Slot, ...]:
    """Plain gradient descent."""
    P = P - lr * dP
    return (P,)


def momentum(P: Array, dP: Array, lr: float, velocity: Slot = 0.0, *, momentum: float) -> tuple[Slot, ...]:
    """Heavy ball, as in PyTorch: the rate scales the whole velocity."""
    velocity = momentum * velocity + dP
    P = P - lr * velocity
    return P, velocity


def nesterov(P: Array, dP: Array, lr: float, velocity: Slot = 0.0, *, momentum: float) -> tuple[Slot, ...]:
    """Momentum with look-ahead, as in PyTorch: P is one step ahead of Nesterov's."""
    velocity = momentum * velocity + dP
    P = P - lr * (dP + momentum * velocity)
    return P, velocity


def adagrad(P: Array, dP: Array, lr: float, square: Slot = 0.0, *, epsilon: float) -> tuple[Slot, ...]:
    """Steps divided by the root of the sum of squared gradients."""
    square = square + dP**2
    P = P - lr * dP / (np.sqrt(square) + epsilon)
    return P, square


def rmsprop(
    P: Array, dP: Array, lr: float, square: Slot = 0.0, *, decay: float, epsilon: float
) -> tuple[Slot, ...]:
    """Steps divided by the root of a running mean of squared gradients; not centred."""
    square = decay * square + (1 - decay) * dP**2
    P = P - lr * dP / (np.sqrt(square) + epsilon)
    return P, square


def adam(
    P: Array,
    dP: Array,
    lr: float,
    mean: Slot = 0.0,
    square: Slot = 0.0,
    count: float = 0,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> tuple[Slot, ...]:
    """Steps scaled by bias-corrected running means of gradient and squared gradient."""
    count = count + 1
    mean = beta1 * mean + (1 - beta1) * dP
    square = beta2 * square + (1 - beta2) * dP**2
    P = P - lr / (1 - beta1**count) * mean / (np.sqrt(square) / np.sqrt(1 - beta2**count) + epsilon)
    return P, mean, square, count


def adamw(
    P: Array,
    dP: Array,
    lr: float,
    mean: Slot = 0.0,
    square: Slot = 0.0,
    count: float = 0,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[Slot, ...]:
    """Adam with separate weight decay, which shrinks biases too."""
    P = P * (1 - lr * weight_decay)
    return adam(P, dP, lr, mean, square, count, beta1=beta1, beta2=beta2, epsilon=epsilon)


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


def _root(slots: Slots, own: Own) -> Array:
    return np.asarray(np.sqrt(slots["square"]) + own["epsilon"])


def _corrected_root(slots: Slots, own: Own) -> Array:
    """Bias correction of the mean lengthens early steps, so the divisor is smaller."""
    count = float(slots["count"][0])
    root = np.sqrt(slots["square"] / (1.0 - own["beta2"] ** count)) + own["epsilon"]
    return np.asarray(root * (1.0 - own["beta1"] ** count))


DESCENT = Stability("2 / learning_rate", lambda own: (2.0, 1.0))
SCALED_DESCENT = Stability("2 / learning_rate", lambda own: (2.0, 1.0), _root)
HEAVY_BALL = Stability("2 (1 + momentum) / learning_rate", lambda own: (2.0 * (1.0 + own["momentum"]), 1.0))
LOOK_AHEAD = Stability(
    "2 (1 + momentum) / ((1 + 2 momentum) learning_rate)",
    lambda own: (2.0 * (1.0 + own["momentum"]), 1.0 + 2.0 * own["momentum"]),
)
SCALED_MEAN = Stability(
    "2 (1 + beta1) / ((1 - beta1) learning_rate)",
    lambda own: (2.0 * (1.0 + own["beta1"]), 1.0 - own["beta1"]),
    _corrected_root,
)

OPTIMIZERS: dict[str, Optimizer] = {
    row.name: row
    for row in (
        Optimizer(
            "sgd",
            "plain gradient descent: P -= learning_rate * g",
            sgd,
            DESCENT,
            source="Robbins and Monro 1951, A stochastic approximation method",
        ),
        Optimizer(
            "momentum",
            "heavy ball: v = momentum * v + g, then P -= learning_rate * v",
            momentum,
            HEAVY_BALL,
            ("velocity",),
            parameters=(_MOMENTUM,),
            source="Polyak 1964, Some methods of speeding up the convergence of iteration methods",
        ),
        Optimizer(
            "nesterov",
            "momentum with look-ahead: v = momentum * v + g, then P -= learning_rate * (g + momentum * v)",
            nesterov,
            LOOK_AHEAD,
            ("velocity",),
            parameters=(_MOMENTUM,),
            source="Nesterov 1983; Sutskever et al. 2013, On the importance of initialization and momentum",
        ),
        Optimizer(
            "adagrad",
            "steps divided by the root of the sum of squared gradients: s += g**2, then "
            "P -= learning_rate * g / (sqrt(s) + epsilon)",
            adagrad,
            SCALED_DESCENT,
            ("square",),
            parameters=(_epsilon(1e-10),),
            source="Duchi, Hazan and Singer 2011, Adaptive subgradient methods",
        ),
        Optimizer(
            "rmsprop",
            "steps divided by the root of a running mean of squared gradients: "
            "s = decay * s + (1 - decay) * g**2, then P -= learning_rate * g / (sqrt(s) + epsilon)",
            rmsprop,
            SCALED_DESCENT,
            ("square",),
            parameters=(
                _share("decay", 0.99, "decay of the running mean of the squared gradient"),
                _epsilon(1e-8),
            ),
            source="Tieleman and Hinton 2012, Neural networks for machine learning, lecture 6.5",
        ),
        Optimizer(
            "adam",
            "Adam: steps scaled by running means of the gradient and of its square, both bias-corrected",
            adam,
            SCALED_MEAN,
            ("mean", "square"),
            counts=True,
            parameters=(*_BETAS, _epsilon(1e-8)),
            source="Kingma and Ba 2015, Adam: a method for stochastic optimization, arXiv:1412.6980",
        ),
        Optimizer(
            "adamw",
            "Adam with separate weight decay: each step also shrinks P by learning_rate * weight_decay of itself, "
            "outside the gradient",
            adamw,
            SCALED_MEAN,
            ("mean", "square"),
            counts=True,
            parameters=(
                *_BETAS,
                _epsilon(1e-8),
                Parameter(
                    "weight_decay",
                    0.01,
                    0.0,
                    1e3,
                    help="share of the parameters lost per step, divided by the rate",
                ),
            ),
            source="Loshchilov and Hutter 2019, Decoupled weight decay regularization, arXiv:1711.05101",
        ),
    )
}
