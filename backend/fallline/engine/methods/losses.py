"""The table of losses: the reported value, and the gradient of the objective.

Predictions are (outputs, m), one column per sample, and targets (1, m): values, or indices of classes. By the
notebook's convention mse *reports* mean((y - y_pred)**2) and training *minimises* half of it.
So dy_pred = (y_pred - y) / m for m samples. Every other loss is minimised as it is reported, as the mean over
samples.

The NumPy kernel calls these functions, and exported programs contain their text without `out`, an array for dy_pred
as in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.arrays import Array
from fallline.vocabulary.parameters import Parameter

Buffer = Array | None
Lines = tuple[tuple[str, str], ...]
Measured = tuple[float, Array]


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss, as functions from plain arrays to plain arrays. Its own parameters are keyword arguments of all.

    - `measure(y_pred, y, out)` returns the reported loss and dy_pred, of the same shape; `out` may be y_pred.
    - `measure_one(y_pred, y)` is the same for one sample with one output, in plain floats; None if there is one
      output per class.
    - `each(y_pred, y)` is the reported loss (m,) of each sample, with samples as rows: (m, outputs) and (m, 1).
    - `bend(y_pred, y, moved)` is m times the change of dy_pred if y_pred moves by `moved` (..., m, outputs), with
      samples as rows.
    - `lines` are names and expressions from `y_pred` and `y` to `loss` and `dy_pred`, with samples as rows. They are
      for readers: short, not accurate everywhere. The step inspector shows them.
    - `constant(y, classes)` is the best constant prediction (outputs, 1) for the targets y.
    - `decide(y_pred)` is the index (m,) of each sample's predicted class; a tie goes to the first class.
    - `probabilities(y_pred)` is (classes, m); None if the loss has no probabilities.

    The objective is `objective_share` times the reported loss. `task` is the kind of problem; `most_classes` limits the
    number of classes (None: no limit).
    """

    name: str
    help: str
    source: str
    task: Literal["regression", "classification"]
    most_classes: int | None
    measure: Callable[..., Measured]
    measure_one: Callable[..., tuple[float, float]] | None
    each: Callable[..., Array]
    bend: Callable[..., Array]
    lines: Lines
    constant: Callable[[Array, int], Array]
    decide: Callable[[Array], NDArray[np.int64]]
    probabilities: Callable[[Array], Array] | None = None
    parameters: tuple[Parameter, ...] = ()
    own: Mapping[str, float] = field(default_factory=dict)
    objective_share: float = 1.0

    def __call__(self, y_pred: Array, y: Array) -> float:
        """The reported loss of predictions (m, outputs) and targets (m, 1)."""
        return self.measure(y_pred.T, y.T)[0]

    def gradient(self, y_pred: Array, y: Array) -> Array:
        """dy_pred of the objective, (m, outputs), in a new array."""
        out = np.empty_like(y_pred)
        self.measure(y_pred.T, y.T, out.T)
        return out

    @property
    def logits(self) -> bool:
        """Return whether predictions are logits, which need an identity output."""
        return self.probabilities is not None

    def outputs(self, classes: int) -> int:
        """Number of network outputs for that many classes (0: a regression)."""
        return 1 if self.measure_one is not None else classes

    def fits(self, classes: int) -> bool:
        """Return whether the loss fits that many classes (0: a regression)."""
        if not classes:
            return self.task == "regression"
        return self.most_classes is None or classes <= self.most_classes

    def with_parameters(self, own: Mapping[str, float]) -> Loss:
        """This loss with its own parameters bound; `own` overrides the defaults."""
        if not self.parameters:
            return self
        values = {each.name: own.get(each.name, each.default) for each in self.parameters}
        return replace(
            self,
            own=values,
            measure=partial(self.measure, **values),
            measure_one=self.measure_one and partial(self.measure_one, **values),
            each=partial(self.each, **values),
            bend=partial(self.bend, **values),
        )


def default_loss(classes: int) -> str:
    """The default loss for that many classes."""
    return {0: "mse", 2: "binary_cross_entropy"}.get(classes, "softmax_cross_entropy")


def mse(y_pred: Array, y: Array, out: Buffer = None) -> Measured:
    """mean((y_pred - y)**2), and the gradient of half of it: (y_pred - y) / m."""
    error = np.subtract(y_pred, y, out)
    flat, share = error.reshape(-1), 1.0 / error.size
    return float(flat.dot(flat)) * share, np.multiply(error, share, out)


def mse_one(y_pred: float, y: float) -> tuple[float, float]:
    """The same for one sample."""
    error = y_pred - y
    return error * error, error


def _mse_each(y_pred: Array, y: Array) -> Array:
    return np.asarray(((y_pred - y) ** 2).mean(axis=1))


def _mse_bend(y_pred: Array, y: Array, moved: Array) -> Array:
    return moved


def huber(y_pred: Array, y: Array, out: Buffer = None, *, delta: float) -> Measured:
    """c (error - c / 2) with c the error limited to +-delta; the derivative is c."""
    error = y_pred - y
    cut = np.clip(error, -delta, delta)
    share = 1.0 / error.size
    return float((cut * (error - 0.5 * cut)).sum()) * share, np.multiply(cut, share, out)


def huber_one(y_pred: float, y: float, delta: float) -> tuple[float, float]:
    """The same for one sample."""
    error = y_pred - y
    cut = min(max(error, -delta), delta)  # in this order NaN stays NaN
    return cut * (error - 0.5 * cut), cut


def _huber_each(y_pred: Array, y: Array, delta: float) -> Array:
    error = y_pred - y
    cut = np.clip(error, -delta, delta)
    return np.asarray((cut * (error - 0.5 * cut)).mean(axis=1))


def _huber_bend(y_pred: Array, y: Array, moved: Array, delta: float) -> Array:
    return np.where(np.abs(y_pred - y) < delta, moved, 0.0)


def binary_cross_entropy(y_pred: Array, y: Array, out: Buffer = None) -> Measured:
    """softplus of the logit's distance on the wrong side, for any size of logit."""
    side = 1.0 - 2.0 * y
    wrong = side * y_pred
    small = np.exp(-np.abs(wrong))
    loss = np.maximum(wrong, 0.0) + np.log1p(small)
    share = 1.0 / wrong.size
    dy = np.multiply(side * share, np.where(wrong >= 0.0, 1.0, small) / (1.0 + small), out)
    return float(loss.sum()) * share, dy


def binary_cross_entropy_one(y_pred: float, y: float) -> tuple[float, float]:
    """The same for one sample; exp of the C library may differ from NumPy's."""
    side = 1.0 - 2.0 * y
    wrong = side * y_pred
    small = math.exp(-abs(wrong))
    return max(wrong, 0.0) + math.log1p(small), side * (1.0 if wrong >= 0.0 else small) / (1.0 + small)


def _binary_cross_entropy_each(y_pred: Array, y: Array) -> Array:
    wrong = ((1.0 - 2.0 * y) * y_pred)[:, 0]
    return np.asarray(np.maximum(wrong, 0.0) + np.log1p(np.exp(-np.abs(wrong))))


def _binary_cross_entropy_bend(y_pred: Array, y: Array, moved: Array) -> Array:
    small = np.exp(-np.abs(y_pred))
    return np.asarray(moved * small / (1.0 + small) ** 2)


def softmax_cross_entropy(y_pred: Array, y: Array, out: Buffer = None) -> Measured:
    """log-sum-exp with the largest logit taken out of the sum as a 1.

    With e = exp(logit - largest) and `rest` the sum of e over all classes but the largest, a sample's loss is
    log1p(rest) - (own logit - largest). The derivative by its own logit is minus the share of all others.
    """
    true = y.astype(np.int64)
    under = y_pred - y_pred.max(axis=0)
    e = np.exp(under)
    smaller = under < 0.0
    rest = np.sum(e, axis=0, where=smaller) + (np.count_nonzero(~smaller, axis=0) - 1.0)
    own, own_e = np.take_along_axis(under, true, axis=0), np.take_along_axis(e, true, axis=0)
    share = 1.0 / y.size
    dy = np.multiply(e, share / (1.0 + rest), out)
    np.put_along_axis(dy, true, -share * (rest + (1.0 - own_e)) / (1.0 + rest), axis=0)
    return float((np.log1p(rest) - own).sum()) * share, dy


def _softmax_cross_entropy_each(y_pred: Array, y: Array) -> Array:
    under = y_pred - y_pred.max(axis=1, keepdims=True)
    own = np.take_along_axis(under, y.astype(np.int64), axis=1)[:, 0]
    return np.asarray(np.log(np.exp(under).sum(axis=1)) - own)


def _softmax_cross_entropy_bend(y_pred: Array, y: Array, moved: Array) -> Array:
    e = np.exp(y_pred - y_pred.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return np.asarray(p * (moved - (p * moved).sum(axis=-1, keepdims=True)))


def _mean(y: Array, classes: int) -> Array:
    return np.array([[y.mean()]])


def _log_odds(y: Array, classes: int) -> Array:
    with np.errstate(divide="ignore"):
        return np.array([[np.log(y.mean()) - np.log1p(-y.mean())]])


def _log_shares(y: Array, classes: int) -> Array:
    counts = np.bincount(y.reshape(-1).astype(np.int64), minlength=classes)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(counts / y.size))[:, np.newaxis]


def _above(threshold: float) -> Callable[[Array], NDArray[np.int64]]:
    return lambda y_pred: (y_pred[0] > threshold).astype(np.int64)


def _largest(y_pred: Array) -> NDArray[np.int64]:
    return np.asarray(y_pred.argmax(axis=0), np.int64)


def _logistic(y_pred: Array) -> Array:
    small = np.exp(-np.abs(y_pred))
    more, less = 1.0 / (1.0 + small), small / (1.0 + small)
    second = y_pred >= 0.0
    return np.vstack([np.where(second, less, more), np.where(second, more, less)])


def _softmax(y_pred: Array) -> Array:
    e = np.exp(y_pred - y_pred.max(axis=0))
    return np.asarray(e / e.sum(axis=0))


_ROWS: tuple[Loss, ...] = (
    Loss(
        name="mse",
        help="mean squared error, mean((y - y_pred)**2); training minimises half of it, so dy_pred = (y_pred - y) / m",
        source="Gauss 1809, Theoria motus, section 179",
        task="regression",
        most_classes=2,
        measure=mse,
        measure_one=mse_one,
        each=_mse_each,
        bend=_mse_bend,
        lines=(("loss", "np.mean((y - y_pred)**2)"), ("dy_pred", "(y_pred - y) / m")),
        constant=_mean,
        decide=_above(0.5),
        objective_share=0.5,
    ),
    Loss(
        name="huber",
        help="half the squared error up to delta, linear beyond: limits the effect of outliers",
        source="Huber 1964, Robust estimation of a location parameter",
        task="regression",
        most_classes=2,
        measure=huber,
        measure_one=huber_one,
        each=_huber_each,
        bend=_huber_bend,
        lines=(
            ("error", "y_pred - y"),
            ("cut", "np.clip(error, -delta, delta)"),
            ("loss", "np.mean(cut * (error - cut / 2))"),
            ("dy_pred", "cut / m"),
        ),
        constant=_mean,
        decide=_above(0.5),
        parameters=(
            Parameter(
                "delta",
                1.0,
                0.0,
                1e6,
                open_minimum=True,
                unit="units of y",
                help="error at which the linear part begins",
            ),
        ),
    ),
    Loss(
        name="binary_cross_entropy",
        help="mean of -log(probability of the true class); the output is a logit, log(p / (1 - p))",
        source="Cox 1958, The regression analysis of binary sequences",
        task="classification",
        most_classes=2,
        measure=binary_cross_entropy,
        measure_one=binary_cross_entropy_one,
        each=_binary_cross_entropy_each,
        bend=_binary_cross_entropy_bend,
        lines=(
            ("side", "1 - 2 * y"),
            ("wrong", "side * y_pred"),
            ("loss", "np.mean(np.logaddexp(0, wrong))"),
            ("dy_pred", "side / (1 + np.exp(-wrong)) / m"),
        ),
        constant=_log_odds,
        decide=_above(0.0),
        probabilities=_logistic,
    ),
    Loss(
        name="softmax_cross_entropy",
        help="mean of -log(probability of the true class); p = softmax of the outputs, one per class",
        source="Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
        task="classification",
        most_classes=None,
        measure=softmax_cross_entropy,
        measure_one=None,
        each=_softmax_cross_entropy_each,
        bend=_softmax_cross_entropy_bend,
        lines=(
            ("one_hot", "(y == np.arange({classes})) * 1.0"),
            ("shifted", "y_pred - y_pred.max(axis=1, keepdims=True)"),
            ("e", "np.exp(shifted)"),
            ("p", "e / e.sum(axis=1, keepdims=True)"),
            ("loss", "np.mean(np.log(e.sum(axis=1)) - (shifted * one_hot).sum(axis=1))"),
            ("dy_pred", "(p - one_hot) / m"),
        ),
        constant=_log_shares,
        decide=_largest,
        probabilities=_softmax,
    ),
)

LOSSES: dict[str, Loss] = {row.name: row.with_parameters({}) for row in _ROWS}
