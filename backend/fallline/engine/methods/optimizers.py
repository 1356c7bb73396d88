"""The table of optimizers: how a gradient becomes a change of the parameters.

Each row has one plain function of arrays. The NumPy kernel calls it, exported programs contain its text, and the step
inspector shows its assignments as lines (`inspection.sheet`). The order of its arithmetic fixes the last digit of
every result. Conventions are PyTorch's, which most published rates use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from fallline.vocabulary.arrays import Array
from fallline.vocabulary.parameters import Parameter

Slots = dict[str, Array]
Slot = Any
"""A slot in a function: an array like P, or the number with which it starts."""


Own = Mapping[str, float]
"""The parameters of a method, by name."""

PAIRS = 10
"""Rows of a table of slots."""

BIAS_DECAY = "bias_decay"
"""A parameter that makes the weight decay differ from entry to entry."""


@dataclass(frozen=True, slots=True)
class Stability:
    """The largest curvature at which full-batch steps stay stable: a / (b * learning rate).

    `terms(own)` returns a and b; `formula` is the limit as text. With a `divisor`, every entry of a step is divided
    by an entry of `divisor(slots, own)`. This needs the slots of at least one step. A divisor of None is unknown.
    """

    formula: str
    terms: Callable[[Own], tuple[float, float]]
    divisor: Callable[[Slots, Own], Array | None] | None = None


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One method.

    `step(P, dP, lr, *slots, **own)` returns the new P and the new slots; it changes no array. The slots are
    `vectors`, `tables`, then `numbers`. P, dP and the vectors have one entry per parameter, a table has `PAIRS`
    rows of them; `count` is the number of steps so far. The mapping `own` holds every parameter of the method. The
    slots are the optimizer's whole state, and start at 0. `stability` is for `measures.edge`, `source` is the
    publication.

    A method with tables mixes all entries in each step, and needs the gradient of all samples.
    """

    name: str
    help: str
    step: Callable[..., tuple[Any, ...]]
    stability: Stability
    vectors: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    source: str = ""
    tables: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers the slots have for each parameter."""
        return len(self.vectors) + PAIRS * len(self.tables)

    def filled(self, own: dict[str, float]) -> dict[str, float]:
        """The method's parameters; `own` overrides the defaults."""
        return {row.name: float(own.get(row.name, row.default)) for row in self.parameters}

    def start(self, count: int) -> Slots:
        """The slots of that many parameters before the first step."""
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(self.vectors, (count,))
        shapes |= dict.fromkeys(self.tables, (PAIRS, count)) | dict.fromkeys(self.numbers, (1,))
        return {name: np.zeros(shape) for name, shape in shapes.items()}

    def update(
        self,
        parameters: Array,
        gradient: Array,
        slots: Slots,
        learning_rate: float | Array,
        own: Mapping[str, float | Array],
    ) -> None:
        """Make one step: change the parameters in place, and replace the slots. All arrays are flat.

        The rate and a weight decay may differ from entry to entry.
        """
        arrays = (*self.vectors, *self.tables)
        before: list[Slot] = [slots[name] for name in arrays]
        before += [float(slots[name][0]) for name in self.numbers]
        new, *after = self.step(parameters, gradient, learning_rate, *before, **arguments_of(own))
        np.copyto(parameters, new)
        slots.update(zip(arrays, after, strict=False))
        for name, number in zip(self.numbers, after[len(arrays) :], strict=True):
            slots[name] = np.array([number])


def arguments_of(own: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a step takes: the share of biases is in the weight decay of its entries."""
    return {name: value for name, value in own.items() if name != BIAS_DECAY}


def sgd(P: Array, dP: Array, lr: float) -> tuple[Slot, ...]:
    """Plain gradient descent."""
    P = P - lr * dP
    return (P,)


def momentum(P: Array, dP: Array, lr: float, velocity: Slot = 0.0, *, momentum: float) -> tuple[Slot, ...]:
    """Heavy ball, as in PyTorch: the rate scales the whole velocity."""
    velocity = momentum * velocity + dP
    P = P - lr * velocity
    return P, velocity


def dampened_momentum(
    P: Array,
    dP: Array,
    lr: float,
    velocity: Slot = 0.0,
    count: float = 0,
    *,
    momentum: float,
    dampening: float,
) -> tuple[Slot, ...]:
    """Heavy ball that adds 1 - dampening of the gradient, but all of the first one, as in PyTorch."""
    count = count + 1
    velocity = momentum * velocity + np.where(count > 1, 1 - dampening, 1.0) * dP
    P = P - lr * velocity
    return P, velocity, count


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


def adadelta(
    P: Array,
    dP: Array,
    lr: float,
    square: Slot = 0.0,
    change_square: Slot = 0.0,
    *,
    decay: float,
    epsilon: float,
) -> tuple[Slot, ...]:
    """Steps as long as earlier changes, over the running root mean square of gradients."""
    square = decay * square + (1 - decay) * dP**2
    change = np.sqrt(change_square + epsilon) / np.sqrt(square + epsilon) * dP
    change_square = decay * change_square + (1 - decay) * change**2
    P = P - lr * change
    return P, square, change_square


def rmsprop(
    P: Array, dP: Array, lr: float, square: Slot = 0.0, *, decay: float, epsilon: float
) -> tuple[Slot, ...]:
    """Steps divided by the root of a running mean of squared gradients; not centred."""
    square = decay * square + (1 - decay) * dP**2
    P = P - lr * dP / (np.sqrt(square) + epsilon)
    return P, square


def rmsprop_momentum(
    P: Array,
    dP: Array,
    lr: float,
    square: Slot = 0.0,
    velocity: Slot = 0.0,
    *,
    decay: float,
    epsilon: float,
    momentum: float,
) -> tuple[Slot, ...]:
    """Momentum of scaled gradients, as in PyTorch."""
    square = decay * square + (1 - decay) * dP**2
    velocity = momentum * velocity + dP / (np.sqrt(square) + epsilon)
    P = P - lr * velocity
    return P, square, velocity


def rmsprop_centered(
    P: Array,
    dP: Array,
    lr: float,
    square: Slot = 0.0,
    mean: Slot = 0.0,
    velocity: Slot = 0.0,
    *,
    decay: float,
    epsilon: float,
    momentum: float,
) -> tuple[Slot, ...]:
    """As `rmsprop_momentum`, divided by a running standard deviation; rounding may not make a variance negative."""
    square = decay * square + (1 - decay) * dP**2
    mean = decay * mean + (1 - decay) * dP
    velocity = momentum * velocity + dP / (np.sqrt(np.maximum(square - mean**2, 0)) + epsilon)
    P = P - lr * velocity
    return P, square, mean, velocity


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
    """Adam with separate weight decay."""
    P = P * (1 - lr * weight_decay)
    return adam(P, dP, lr, mean, square, count, beta1=beta1, beta2=beta2, epsilon=epsilon)


def amsgrad(
    P: Array,
    dP: Array,
    lr: float,
    mean: Slot = 0.0,
    square: Slot = 0.0,
    largest: Slot = 0.0,
    count: float = 0,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[Slot, ...]:
    """AdamW with the largest running mean of squares so far, as in PyTorch: corrected after the maximum."""
    P = P * (1 - lr * weight_decay)
    count = count + 1
    mean = beta1 * mean + (1 - beta1) * dP
    square = beta2 * square + (1 - beta2) * dP**2
    largest = np.maximum(largest, square)
    P = P - lr / (1 - beta1**count) * mean / (np.sqrt(largest) / np.sqrt(1 - beta2**count) + epsilon)
    return P, mean, square, largest, count


def adamax(
    P: Array,
    dP: Array,
    lr: float,
    mean: Slot = 0.0,
    largest: Slot = 0.0,
    count: float = 0,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> tuple[Slot, ...]:
    """Adam with a decaying maximum of the gradient's size, as in PyTorch: epsilon is added to every size."""
    count = count + 1
    mean = beta1 * mean + (1 - beta1) * dP
    largest = np.maximum(beta2 * largest, np.abs(dP) + epsilon)
    P = P - lr / (1 - beta1**count) * mean / largest
    return P, mean, largest, count


def nadam(
    P: Array,
    dP: Array,
    lr: float,
    mean: Slot = 0.0,
    square: Slot = 0.0,
    count: float = 0,
    correction: float = 0.0,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    momentum_decay: float,
) -> tuple[Slot, ...]:
    """Adam with Nesterov's look-ahead and a momentum mu that rises to beta1, as in PyTorch.

    `correction` is 1 minus the product of all mu so far.
    """
    count = count + 1
    mu = beta1 * (1 - 0.5 * 0.96 ** (count * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((count + 1) * momentum_decay))
    correction = 1 - (1 - correction) * mu
    mean = beta1 * mean + (1 - beta1) * dP
    square = beta2 * square + (1 - beta2) * dP**2
    ahead = (1 - mu) / correction * dP + mu_next / (1 - (1 - correction) * mu_next) * mean
    P = P - lr * ahead / (np.sqrt(square / (1 - beta2**count)) + epsilon)
    return P, mean, square, count, correction


def radam(
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
    """Adam that divides only once the mean of squares has enough samples, by a rectified root, as in PyTorch.

    `length` is the paper's rho: about the number of samples in the mean, at most `longest`. Below a `longest` of 5 no
    step is divided, so the bound there changes nothing.
    """
    count = count + 1
    mean = beta1 * mean + (1 - beta1) * dP
    square = beta2 * square + (1 - beta2) * dP**2
    longest = np.maximum(2 / (1 - beta2) - 1, 5.0)
    length = longest - 2 * count * beta2**count / (1 - beta2**count)
    variance = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    rectifier = np.sqrt(np.maximum(variance, 0) * (1 - beta2**count))
    scaled = np.where(length > 5, rectifier / (np.sqrt(square) + epsilon), 1.0)
    P = P - lr / (1 - beta1**count) * mean * scaled
    return P, mean, square, count


def lion(
    P: Array, dP: Array, lr: float, mean: Slot = 0.0, *, beta1: float, beta2: float, weight_decay: float
) -> tuple[Slot, ...]:
    """Steps of the same size in every entry: the sign of a mean that weighs this gradient by 1 - beta1."""
    P = P * (1 - lr * weight_decay)
    P = P - lr * np.sign(beta1 * mean + (1 - beta1) * dP)
    mean = beta2 * mean + (1 - beta2) * dP
    return P, mean


def lbfgs(
    P: Array,
    dP: Array,
    lr: float,
    gradient: Slot = 0.0,
    change: Slot = 0.0,
    steps: Slot = 0.0,
    bends: Slot = 0.0,
    count: float = 0,
    *,
    history_size: float,
) -> tuple[Slot, ...]:
    """Newton's step, with an inverse Hessian from the last changes of parameters and gradient, as in PyTorch.

    It is PyTorch's with one gradient per step, no line search and no tolerance. The product with the inverse Hessian is
    in the compact form of Byrd, Nocedal and Schnabel 1994, equal to Nocedal's two loops. The newest pair is the last
    row of the tables; a row of 0 is no pair.
    """
    if count == 0:
        gradient, change = np.zeros_like(P), np.zeros_like(P)
        steps, bends = np.zeros((PAIRS, P.size)), np.zeros((PAIRS, P.size))
    count = count + 1
    bend = dP - gradient
    product = np.sum(bend * change)
    steps = np.where(product > 1e-10, np.vstack([steps[1:], change]), steps)
    bends = np.where(product > 1e-10, np.vstack([bends[1:], bend]), bends)
    S = steps[-int(history_size) :]
    Y = bends[-int(history_size) :]
    products = np.triu(S @ Y.T)
    D = products * np.eye(len(S))
    inverse = np.linalg.inv(products + np.eye(len(S)) * (D == 0))
    scale = (D[-1, -1] + (D[-1, -1] == 0)) / (np.sum(Y[-1] ** 2) + (D[-1, -1] == 0))
    shares = dP @ S.T @ inverse.T
    rest = scale * (dP - shares @ Y)
    direction = rest + (shares @ D - rest @ Y.T) @ inverse @ S
    first = np.where(count > 1, 1.0, 1 / np.maximum(np.sum(np.abs(dP)), 1.0))
    change = -lr * first * direction
    P = P + change
    gradient = dP.copy()
    return P, gradient, change, steps, bends, count


def _share(name: str, default: float, help: str) -> Parameter:
    return Parameter(name, default, 0.0, 1.0, open_maximum=True, help=help)


def _epsilon(default: float, help: str = "added to the root to avoid division by 0") -> Parameter:
    return Parameter("epsilon", default, 0.0, 1.0, open_minimum=True, help=help)


_MOMENTUM = _share("momentum", 0.9, "share of the velocity that each step keeps")
_DECAY = _share("decay", 0.99, "decay of the running mean of the squared gradient")
_BETAS = (
    _share("beta1", 0.9, "decay of the running mean of the gradient"),
    _share("beta2", 0.999, "decay of the running mean of the squared gradient"),
)


def _weight_decay(default: float) -> Parameter:
    help = "share of the parameters lost per step, divided by the rate"
    return Parameter("weight_decay", default, 0.0, 1e3, help=help)


_BIAS_DECAY = Parameter(
    BIAS_DECAY, 1.0, 0.0, 1.0, help="weight decay of biases, as a share of the decay of weights"
)


def _root(slots: Slots, own: Own) -> Array:
    return np.asarray(np.sqrt(slots["square"]) + own["epsilon"])


def _centered_root(slots: Slots, own: Own) -> Array:
    return np.asarray(np.sqrt(np.maximum(slots["square"] - slots["mean"] ** 2, 0.0)) + own["epsilon"])


def _ratio_of_roots(slots: Slots, own: Own) -> Array:
    roots = np.sqrt(slots["square"] + own["epsilon"]) / np.sqrt(slots["change_square"] + own["epsilon"])
    return np.asarray(roots)


def _corrected_root(slots: Slots, own: Own, square: str = "square") -> Array:
    """Bias correction of the mean lengthens early steps, so the divisor is smaller."""
    count = float(slots["count"][0])
    root = np.sqrt(slots[square] / (1.0 - own["beta2"] ** count)) + own["epsilon"]
    return np.asarray(root * (1.0 - own["beta1"] ** count))


def _corrected_largest(slots: Slots, own: Own) -> Array:
    return np.asarray(slots["largest"] * (1.0 - own["beta1"] ** float(slots["count"][0])))


def _rectified_root(slots: Slots, own: Own) -> Array:
    count, beta2 = float(slots["count"][0]), own["beta2"]
    share, longest = 1.0 - beta2**count, 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * count * beta2**count / share
    unbiased = 1.0 - own["beta1"] ** count
    if length <= 5.0:
        return np.full_like(slots["mean"], unbiased)
    variance = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length)
    return np.asarray((np.sqrt(slots["square"]) + own["epsilon"]) * (unbiased / math.sqrt(variance * share)))


def _look_ahead_root(slots: Slots, own: Own) -> Array:
    """The root, over the weights of gradient and mean in a step of `nadam` as its limit counts them."""
    count, correction, beta1 = float(slots["count"][0]), float(slots["correction"][0]), own["beta1"]
    mu, mu_next = (beta1 * (1.0 - 0.5 * 0.96 ** (n * own["momentum_decay"])) for n in (count, count + 1.0))
    of_mean = mu_next / (1.0 - (1.0 - correction) * mu_next)
    weight = (1.0 - mu) / correction * (1.0 + beta1) + of_mean * (1.0 - beta1)
    return np.asarray((np.sqrt(slots["square"] / (1.0 - own["beta2"] ** count)) + own["epsilon"]) / weight)


DESCENT = Stability("2 / learning_rate", lambda own: (2.0, 1.0))
SCALED_DESCENT = Stability("2 / learning_rate", lambda own: (2.0, 1.0), _root)
HEAVY_BALL = Stability("2 (1 + momentum) / learning_rate", lambda own: (2.0 * (1.0 + own["momentum"]), 1.0))
DAMPENED_BALL = Stability(
    "2 (1 + momentum) / ((1 - dampening) learning_rate)",
    lambda own: (2.0 * (1.0 + own["momentum"]), 1.0 - own["dampening"]),
)
LOOK_AHEAD = Stability(
    "2 (1 + momentum) / ((1 + 2 momentum) learning_rate)",
    lambda own: (2.0 * (1.0 + own["momentum"]), 1.0 + 2.0 * own["momentum"]),
)
SCALED_MEAN = Stability(
    "2 (1 + beta1) / ((1 - beta1) learning_rate)",
    lambda own: (2.0 * (1.0 + own["beta1"]), 1.0 - own["beta1"]),
    _corrected_root,
)
LOOK_AHEAD_MEAN = Stability(
    "2 (1 + beta1) / learning_rate", lambda own: (2.0 * (1.0 + own["beta1"]), 1.0), _look_ahead_root
)
ANY_CURVATURE = Stability("none", lambda own: (math.inf, 1.0), lambda slots, own: None)
"""Steps whose length does not follow the curvature along them by a fixed factor."""

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
            "dampened_momentum",
            "momentum that adds less of every gradient but the first: v = momentum * v + (1 - dampening) * g, then "
            "P -= learning_rate * v; with equal settings v is a running mean of the gradient",
            dampened_momentum,
            DAMPENED_BALL,
            ("velocity",),
            ("count",),
            (_MOMENTUM, _share("dampening", 0.9, "share of each gradient that the velocity leaves out")),
            "PyTorch's SGD with dampening; Polyak 1964",
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
            "adadelta",
            "steps in the unit of the parameters: g times the root of a running mean of squared changes, over the root "
            "of one of squared gradients; usual learning_rate 1",
            adadelta,
            Stability("2 / learning_rate", lambda own: (2.0, 1.0), _ratio_of_roots),
            ("square", "change_square"),
            parameters=(
                replace(_DECAY, default=0.9),
                _epsilon(1e-6, "added to both means before their roots"),
            ),
            source="Zeiler 2012, ADADELTA: an adaptive learning rate method, arXiv:1212.5701",
        ),
        Optimizer(
            "rmsprop",
            "steps divided by the root of a running mean of squared gradients: "
            "s = decay * s + (1 - decay) * g**2, then P -= learning_rate * g / (sqrt(s) + epsilon)",
            rmsprop,
            SCALED_DESCENT,
            ("square",),
            parameters=(_DECAY, _epsilon(1e-8)),
            source="Tieleman and Hinton 2012, Neural networks for machine learning, lecture 6.5",
        ),
        Optimizer(
            "rmsprop_momentum",
            "RMSProp with momentum: v = momentum * v + g / (sqrt(s) + epsilon), then P -= learning_rate * v",
            rmsprop_momentum,
            replace(HEAVY_BALL, divisor=_root),
            ("square", "velocity"),
            parameters=(_DECAY, _epsilon(1e-8), _MOMENTUM),
            source="PyTorch's RMSprop with momentum; Graves 2013, arXiv:1308.0850, without centering",
        ),
        Optimizer(
            "rmsprop_centered",
            "RMSProp with momentum, divided by a running standard deviation: sqrt(s - m**2), m the running mean of g",
            rmsprop_centered,
            replace(HEAVY_BALL, divisor=_centered_root),
            ("square", "mean", "velocity"),
            parameters=(_DECAY, _epsilon(1e-8), replace(_MOMENTUM, default=0.0)),
            source="Graves 2013, Generating sequences with recurrent neural networks, arXiv:1308.0850",
        ),
        Optimizer(
            "adam",
            "Adam: steps scaled by running means of the gradient and of its square, both bias-corrected",
            adam,
            SCALED_MEAN,
            ("mean", "square"),
            numbers=("count",),
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
            numbers=("count",),
            parameters=(*_BETAS, _epsilon(1e-8), _weight_decay(0.01), _BIAS_DECAY),
            source="Loshchilov and Hutter 2019, Decoupled weight decay regularization, arXiv:1711.05101",
        ),
        Optimizer(
            "amsgrad",
            "Adam or AdamW divided by the root of the largest running mean of squares so far",
            amsgrad,
            replace(SCALED_MEAN, divisor=partial(_corrected_root, square="largest")),
            ("mean", "square", "largest"),
            ("count",),
            (*_BETAS, _epsilon(1e-8), _weight_decay(0.0), _BIAS_DECAY),
            "Reddi, Kale and Kumar 2018, On the convergence of Adam and beyond, arXiv:1904.09237",
        ),
        Optimizer(
            "adamax",
            "Adam divided by a decaying maximum of the gradient's size, so no entry steps further than learning_rate",
            adamax,
            replace(SCALED_MEAN, divisor=_corrected_largest),
            ("mean", "largest"),
            ("count",),
            (
                _BETAS[0],
                _share("beta2", 0.999, "decay of the largest size of the gradient"),
                _epsilon(1e-8, "added to the gradient's size to avoid division by 0"),
            ),
            "Kingma and Ba 2015, Adam: a method for stochastic optimization, arXiv:1412.6980, section 7.1",
        ),
        Optimizer(
            "nadam",
            "Adam with Nesterov's look-ahead, and a momentum that rises from half of beta1 to beta1",
            nadam,
            LOOK_AHEAD_MEAN,
            ("mean", "square"),
            ("count", "correction"),
            (
                *_BETAS,
                _epsilon(1e-8),
                Parameter(
                    "momentum_decay",
                    0.004,
                    0.0,
                    1.0,
                    help="speed at which the momentum rises from half of beta1",
                ),
            ),
            "Dozat 2016, Incorporating Nesterov momentum into Adam",
        ),
        Optimizer(
            "radam",
            "Adam with a built-in warm-up: plain momentum for about five steps, then divided by a rectified root",
            radam,
            replace(SCALED_MEAN, divisor=_rectified_root),
            ("mean", "square"),
            ("count",),
            (*_BETAS, _epsilon(1e-8)),
            "Liu et al. 2020, On the variance of the adaptive learning rate and beyond, arXiv:1908.03265",
        ),
        Optimizer(
            "lion",
            "every entry moves by learning_rate, against the sign of a mean of gradients; use a tenth of Adam's rate",
            lion,
            ANY_CURVATURE,
            ("mean",),
            parameters=(
                _share("beta1", 0.9, "share of the running mean in the sign, beside the newest gradient"),
                _share("beta2", 0.99, "decay of the running mean of the gradient"),
                _weight_decay(0.0),
                _BIAS_DECAY,
            ),
            source="Chen et al. 2023, Symbolic discovery of optimization algorithms, arXiv:2302.06675",
        ),
        Optimizer(
            "lbfgs",
            "L-BFGS: Newton's step with an inverse Hessian estimated from the last changes of parameters and gradient; "
            "for full batches, with a fixed rate, usually 1 or less",
            lbfgs,
            ANY_CURVATURE,
            ("gradient", "change"),
            ("count",),
            (
                Parameter(
                    "history_size",
                    PAIRS,
                    1,
                    PAIRS,
                    integer=True,
                    unit="pairs",
                    help="how many of the last changes the estimate uses",
                ),
            ),
            "Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization",
            ("steps", "bends"),
        ),
    )
}
