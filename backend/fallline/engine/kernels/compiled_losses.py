"""Compiled rows of the table of losses, and the tallies of scores.

Every loss here has a code and a branch in `measure` and `measure_one`; NumPy computes the others. Predictions are
rows of a tile, one per output. Targets are a row of values or of class indices.
"""

from __future__ import annotations

from typing import NamedTuple

from fallline.engine.kernels.compiled_code import Array, compiled, compiled_as_written, compiled_in_place
from fallline.engine.kernels.compiled_curves import exp_below, log_one_plus, softplus
from fallline.engine.kernels.compiled_sums import squared_errors, sum_of
from fallline.engine.problem import Problem

MSE, HUBER, BINARY_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY = range(4)

THE_LOSS, SQUARES, RIGHT = range(3)
"""Kinds of tally: the loss itself, squared errors, or correctly classified samples."""

ROOM = 4
"""Rows of a tile below the layers: targets in one buffer, scratch of `measure` in the other."""


class LossCode(NamedTuple):
    """A loss's code, the name of its parameter, and the threshold between two classes."""

    code: int
    own: tuple[str, ...] = ()
    threshold: float = 0.0


LOSS_CODES = {
    "mse": LossCode(MSE, threshold=0.5),
    "huber": LossCode(HUBER, ("delta",), threshold=0.5),
    "binary_cross_entropy": LossCode(BINARY_CROSS_ENTROPY),
    "softmax_cross_entropy": LossCode(SOFTMAX_CROSS_ENTROPY),
}


class Criterion(NamedTuple):
    """The rule for predictions in the form that compiled code reads."""

    loss: int
    tally: int
    delta: float
    threshold: float


def criterion_of(problem: Problem) -> Criterion:
    """The criterion of a problem whose loss has a code."""
    row, own = LOSS_CODES[problem.loss.name], problem.loss.own
    tally = RIGHT if problem.classes else THE_LOSS if problem.score.tally is None else SQUARES
    return Criterion(row.code, tally, float(own.get("delta", 0.0)), row.threshold)


# Compiled as written: a reordered sum takes out the 1 or the largest logit too late, and rounds away small losses and
# slopes.


@compiled_as_written
def _huber(error: float, delta: float) -> tuple[float, float]:
    """Loss and slope at an error: see `losses`."""
    cut = min(max(error, -delta), delta)
    return cut * (error - 0.5 * cut), cut


@compiled_as_written
def _under(logit: float, largest: float) -> tuple[float, float]:
    """Distance of a logit below the largest, and its relative exponential."""
    under = logit - largest
    return under, exp_below(under)


@compiled_as_written
def _surprise(rest: float, own: float) -> float:
    """Loss of a sample, from its class's distance `own` and the other exponentials."""
    return log_one_plus(rest) - own


@compiled_as_written
def _slope(rest: float, e: float, own: bool) -> float:
    """Derivative by the logit with exponential e, times the sum of all exponentials."""
    return -(rest + (1.0 - e)) if own else e


@compiled
def measure(
    criterion: Criterion, A: Array, D: Array, row: int, outputs: int, to: int, n: int, share: float
) -> tuple[float, float]:
    """Sum of the losses of n samples, and their tally; writes dy_pred into D.

    `share` is 1 / batch size. `row` is the predictions' row in A and D, `to` the first of the `ROOM` rows below the
    layers. The tally is added up in the second of them.
    """
    y_pred, y, d, each = A[row, :n], A[to, :n], D[row, :n], D[to + 1, :n]
    # One loop each: the compiler vectorizes these, but not a loop with the choice inside.
    if criterion.loss == MSE:
        loss = squared_errors(A, D, row, to, n, share)
        return loss, _tally(criterion, A, D, row, to, n)
    if criterion.loss == HUBER:
        for t in range(n):
            each[t], cut = _huber(y_pred[t] - y[t], criterion.delta)
            d[t] = cut * share
    elif criterion.loss == BINARY_CROSS_ENTROPY:
        for t in range(n):
            side = 1.0 - 2.0 * y[t]
            each[t], slope = softplus(side * y_pred[t])
            d[t] = side * share * slope
    else:
        return _measure_classes(A, D, row, outputs, to, n, share)
    loss = sum_of(D, to + 1, n)
    return loss, _tally(criterion, A, D, row, to, n)


@compiled_in_place
def _tally(criterion: Criterion, A: Array, D: Array, row: int, to: int, n: int) -> float:
    y_pred, y, each = A[row, :n], A[to, :n], D[to + 1, :n]
    tally = 0.0
    if criterion.tally == SQUARES:
        for t in range(n):
            error = y_pred[t] - y[t]
            each[t] = error * error
        tally = sum_of(D, to + 1, n)
    elif criterion.tally == RIGHT:
        for t in range(n):
            decided = 1.0 if y_pred[t] > criterion.threshold else 0.0
            tally += 1.0 if decided == y[t] else 0.0
    return tally


@compiled_in_place
def _measure_classes(
    A: Array, D: Array, row: int, classes: int, to: int, n: int, share: float
) -> tuple[float, float]:
    """Softmax cross-entropy with the largest logit taken out: see `losses`.

    It goes class after class over all samples. The scratch rows of D hold for each sample: its largest logit, the
    index of that class (the first if several are equal), the sum of all other exponentials, and the distance of its
    own class below the largest. In the end the loss replaces the first.
    """
    y, largest, first, rest, own = A[to, :n], D[to, :n], D[to + 1, :n], D[to + 2, :n], D[to + 3, :n]
    for t in range(n):
        largest[t], first[t], rest[t], own[t] = A[row, t], 0.0, 0.0, 0.0
    for j in range(1, classes):
        z, number = A[row + j, :n], float(j)
        for t in range(n):
            more = z[t] > largest[t]
            largest[t], first[t] = (z[t] if more else largest[t]), (number if more else first[t])
    for j in range(classes):
        z, e, number = A[row + j, :n], D[row + j, :n], float(j)
        for t in range(n):
            under, e[t] = _under(z[t], largest[t])
            rest[t] += 0.0 if first[t] == number else e[t]
            own[t] = under if y[t] == number else own[t]
    right = 0.0
    for t in range(n):
        largest[t] = _surprise(rest[t], own[t])
        right += 1.0 if first[t] == y[t] else 0.0
        own[t] = share / (1.0 + rest[t])
    for j in range(classes):
        d, number = D[row + j, :n], float(j)
        for t in range(n):
            d[t] = own[t] * _slope(rest[t], d[t], y[t] == number)
    return sum_of(D, to, n), right


@compiled_in_place
def measure_one(criterion: Criterion, y_pred: float, y: float) -> tuple[float, float]:
    """Loss of one sample with one output, and its derivative by the prediction."""
    if criterion.loss == MSE:
        error = y_pred - y
        return error * error, error
    if criterion.loss == HUBER:
        return _huber(y_pred - y, criterion.delta)
    side = 1.0 - 2.0 * y
    loss, slope = softplus(side * y_pred)
    return loss, side * slope


@compiled
def measure_classes_one(a: Array, d: Array, out: int, classes: int, y: float) -> float:
    """Loss of one sample with an output per class, in `a` from `out`; writes `d`."""
    largest, first = a[out], 0
    for j in range(1, classes):
        if a[out + j] > largest:
            largest, first = a[out + j], j
    rest, behind, own = 0.0, 0.0, int(y)
    for j in range(classes):
        under, d[out + j] = _under(a[out + j], largest)
        rest += 0.0 if j == first else d[out + j]
        behind = under if j == own else behind
    share = 1.0 / (1.0 + rest)
    for j in range(classes):
        d[out + j] = share * _slope(rest, d[out + j], j == own)
    return float(_surprise(rest, behind))
