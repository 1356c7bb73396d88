"""One change of the parameters as a line: loss and slope along it, and length.

The length is relative to a fitted parabola. The loss is the objective (half of mse), penalties included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.terms import penalty, penalty_gradient
from fallline.engine.network import ForwardPass, forward
from fallline.engine.problem import Problem
from fallline.vocabulary.arrays import Array, Rows
from fallline.vocabulary.run_settings import RunSettings

LEAST_VARIANCE = 1e-10
"""Replaces a variance of 0, as in cockpit: a noise-free measurement gets a large, finite weight."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measurement at one point of the line.

    It holds the loss of some samples, and its slope per unit of length. It holds the variances of single samples'
    losses and slopes (over m - 1; None for a single sample).
    """

    loss: float
    slope: float
    loss_variance: float | None
    slope_variance: float | None


@dataclass(frozen=True, slots=True)
class Parabola:
    """w0 + w1 s + w2 s**2, with s = 0 at the start of the change and 1 at its end."""

    w0: float
    w1: float
    w2: float

    @property
    def alpha(self) -> float | None:
        """-1 for no step, 0 for one to the minimum, 1 for one to equal height behind it.

        Below -1 the step goes away from the minimum, which lies behind its start. If the parabola has a maximum it is
        -1 too, as in cockpit: lower values lie ahead. It is None if the start is flat.
        """
        if self.w2 < 0.0:
            return -1.0
        return -2.0 * self.w2 / self.w1 - 1.0 if self.w1 != 0.0 else None

    @property
    def lowest(self) -> float | None:
        """The place of the minimum in changes, negative behind the start; None without a minimum."""
        return -0.5 * self.w1 / self.w2 if self.w2 > 0.0 else None


class Line:
    """The line from `start` along `change`, both flat, over `rows` of the data."""

    def __init__(
        self, problem: Problem, start: Array, change: Array, rows: Rows, settings: RunSettings
    ) -> None:
        self._problem, self._start, self._change, self._settings = problem, start, change, settings
        self._X, self._y = problem.X[rows], problem.y[rows]
        self.length, self.samples = float(np.sqrt(change.dot(change))), len(rows)

    def losses(self, places: Sequence[float]) -> list[float]:
        """The objective at these multiples of the change; inf or NaN if it is not finite."""
        with np.errstate(all="ignore"):
            return [self._loss(self._start + place * self._change) for place in places]

    def measure(self, place: float) -> Measurement:
        """Loss and slope at this multiple of the change, which must not be 0."""
        problem = self._problem
        with np.errstate(all="ignore"):
            flat = self._start + place * self._change
            parameters, moves = problem.named(flat), problem.named(self._change / self.length)
            passed = forward(parameters, problem.activations, self._X)
            each = problem.loss.objective_share * problem.loss.each(passed.y_pred, self._y)
            dy_pred = problem.loss.gradient(passed.y_pred, self._y) * len(self._X)
            slopes = (dy_pred * moved_outputs(problem, parameters, passed, moves)).sum(axis=1)
            slope = float(slopes.mean()) + self._pulled(parameters, moves)
            several = len(each) > 1
            return Measurement(
                self._loss(flat),
                slope,
                float(each.var(ddof=1)) if several else None,
                float(slopes.var(ddof=1)) if several else None,
            )

    def _loss(self, flat: Array) -> float:
        problem, parameters = self._problem, self._problem.named(flat)
        passed = forward(parameters, problem.activations, self._X)
        loss = problem.loss.objective_share * problem.loss(passed.y_pred, self._y)
        if not self._settings.penalised:
            return loss
        weights = np.concatenate([parameters[name].ravel() for name in problem.layout.names[0::2]])
        sizes, squares = np.abs(weights).sum(keepdims=True), (weights * weights).sum(keepdims=True)
        return loss + float(penalty(sizes, squares, self._settings)[0])

    def _pulled(self, parameters: dict[str, Array], moves: dict[str, Array]) -> float:
        if not self._settings.penalised:
            return 0.0
        names = self._problem.layout.names[0::2]
        along = [(penalty_gradient(parameters[name], self._settings) * moves[name]).sum() for name in names]
        return float(np.sum(along))


def moved_outputs(
    problem: Problem, parameters: dict[str, Array], passed: ForwardPass, moves: dict[str, Array]
) -> Array:
    """First-order change of the outputs (m, outputs) for parameter changes `moves`."""
    inputs, moved = passed.X, np.zeros_like(passed.X)
    for layer, name in enumerate(problem.activations, start=1):
        z, a = passed.z[layer - 1], passed.a[layer - 1]
        turned = moved @ parameters[f"W{layer}"] + inputs @ moves[f"W{layer}"] + moves[f"b{layer}"]
        inputs, moved = a, ACTIVATIONS[name].derivative(z, a) * turned
    return moved


def parabola_of(start: Measurement, end: Measurement, length: float) -> Parabola | None:
    """The weighted least-squares parabola through loss and slope at both ends.

    Weights are inverse variances, all equal if a variance is missing. None if a value is not finite. This is the
    noise-informed fit of Schneider, Dangel and Hennig 2021, Cockpit, arXiv:2102.06604. Positions are shares of the
    length, so that short changes keep the sums well scaled.
    """
    # For w0, w1, w2: the losses at both ends, then the slopes.
    design = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    measured = np.array([start.loss, end.loss, start.slope * length, end.slope * length])
    spread = np.sqrt([*_weighed(start, end)]) * np.array([1.0, 1.0, length, length])
    if not (np.isfinite(measured).all() and np.isfinite(spread).all()):
        return None
    weights = spread.min() / spread
    fitted, *_ = np.linalg.lstsq(design * weights[:, np.newaxis], measured * weights, rcond=None)
    return Parabola(*map(float, fitted))


def _weighed(start: Measurement, end: Measurement) -> tuple[float, ...]:
    variances = (start.loss_variance, end.loss_variance, start.slope_variance, end.slope_variance)
    present = tuple(each for each in variances if each is not None)
    return (
        tuple(each if each > 0.0 else LEAST_VARIANCE for each in present) if len(present) == 4 else (1.0,) * 4
    )
