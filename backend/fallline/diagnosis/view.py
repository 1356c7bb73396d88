"""The input of a rule. Must not know the source of its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fallline.vocabulary.columns import Buckets, Floats, Ints
from fallline.vocabulary.run_settings import RunSettings

RECENT = 200
"""Number of single steps that a rule sees."""

LATELY = 8
"""The recent window is 1 / `LATELY` of a run's steps, if that is more than `RECENT`."""

BUCKETS = 64
"""About the number of buckets of the recent window."""


def lately(step: int) -> int:
    """Return the first step of the recent window at that step."""
    return max(step - max(RECENT, step // LATELY), 0)


@dataclass(frozen=True, slots=True)
class Layer:
    """A hidden layer at this step, over all training samples.

    `slope` is the slope of its activation as an expression of `{z}` and `{a}`. `dead` units output 0 for every sample.
    `saturated_share` is the share of samples at which a unit's slope is almost 0, None if the activation does not
    flatten on both sides. `alike` are groups of units with equal weights.
    """

    slope: str
    dead: tuple[bool, ...]
    saturated_share: tuple[float, ...] | None
    alike: tuple[tuple[int, ...], ...]

    @property
    def units(self) -> int:
        return len(self.dead)

    @property
    def is_dead(self) -> bool:
        return all(self.dead)


@dataclass(frozen=True, slots=True)
class Task:
    """The shared part of an experiment's runs.

    `samples` counts training samples. `baseline` is the training loss of predicting the mean, or the shares of the
    classes (`guessing` in words). `score` is r2 or accuracy. `input_spreads` and `input_means` are each input's
    standard deviation and mean.
    """

    samples: int
    has_test: bool
    classes: int
    baseline: float
    guessing: str
    score: str
    initial_loss: float
    input_spreads: tuple[float, ...]
    input_means: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A series in the recent window: `steps` steps from `since` on.

    `first` and `last` are the means of the first and the last eighth, `before` and `after` the means of both halves.
    `spread` is the standard deviation of the second half; a twentieth of its buckets goes below `low`, and a twentieth
    above `high`.
    """

    since: int
    steps: int
    first: float
    before: float
    after: float
    last: float
    spread: float
    low: float
    high: float

    @property
    def fall(self) -> float:
        """Share by which it fell from one half to the other; below 0 if it rose."""
        return 1.0 - self.after / self.before if self.before > 0.0 else 0.0

    @property
    def fell(self) -> float:
        """Share by which it fell from the first eighth to the last."""
        return 1.0 - self.last / self.first if self.first > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Noise:
    """Scatter of single samples' gradients.

    `trace` is of their covariance, `mean_squared` is the squared norm of their mean. `sizes` has the root mean square
    of their entries for each layer.
    """

    samples: int
    trace: float
    mean_squared: float
    sizes: tuple[float, ...]

    @property
    def scale(self) -> float:
        """Batch size at which noise and signal are equal: the simple noise scale."""
        return self.trace / self.mean_squared if self.mean_squared > 0.0 else math.inf

    def share(self, batch: int) -> float:
        """Return E |batch gradient - full gradient|² / |full gradient|²."""
        return (self.samples - batch) / (self.samples * batch) * self.scale if batch < self.samples else 0.0


@dataclass(frozen=True, slots=True)
class Edge:
    """The curvature as the optimizer sees it, its limit, and its step."""

    sharpness: float
    limit: float
    step: int


@dataclass(frozen=True, slots=True)
class Slopes:
    """Length of the gradient over all parameters, in the first steps and in the last."""

    first: float
    now: float


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of trying a command for `steps` steps.

    `before` is the training loss at their start, after any redraw. `after` is its mean over their later half, infinite
    if the run diverges or half of a layer dies.
    """

    steps: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class View:
    """A run at its present step.

    - `settings` are in force for the next step; `rate` is their learning rate after the schedule, `first_rate` the
      first. With `scales` their optimizer divides gradients by their size.
    - `edits` are the changes with their steps.
    - `loss` and `score` are the training loss and score of the present parameters.
    - `recent` has the last `RECENT` steps one by one. `columns(since, at_most)` returns the history from a step on, in
      at most `at_most` buckets.
    - `noise()`, `edge()` and `trial(command)` are expensive and run on demand; None if they cannot be measured.
    """

    task: Task
    step: int
    diverged: bool
    settings: RunSettings
    scales: bool
    rate: float
    first_rate: float
    edits: tuple[tuple[int, Mapping[str, Any]], ...]
    loss: float
    score: float
    layers: tuple[Layer, ...]
    columns: Callable[[int, int], Buckets]
    recent: Buckets = field(repr=False)
    noise: Callable[[], Noise | None] = field(default=lambda: None)
    edge: Callable[[], Edge | None] = field(default=lambda: None)
    trial: Callable[[Mapping[str, Any]], Trial | None] = field(default=lambda command: None)

    @property
    def is_full_batch(self) -> bool:
        return self.settings.batch_size is None or self.settings.batch_size >= self.task.samples

    def weights(self) -> tuple[str, ...]:
        """Return the names of the weight matrices, from the first layer to the output."""
        return tuple(f"W{layer}" for layer in range(1, len(self.layers) + 2))

    def slopes(self) -> Slopes | None:
        """Return the length of the gradient at first and now; None before step `RECENT`."""
        if self.step < RECENT:
            return None
        first, now = self.columns(0, BUCKETS), self.recent
        return Slopes(_length(first, slice(0, 1)), _length(now, slice(None)))

    def last(self, name: str, steps: int = RECENT) -> Floats:
        """Return the finite values of a series in the last `steps` recent steps."""
        values = self._row(name)[-steps:]
        return values[np.isfinite(values)]

    def steps_of(self, name: str) -> Ints:
        """Return the steps of the finite recent values of a series."""
        return self.recent.first[np.isfinite(self._row(name))]

    def course(self, name: str, least: int = RECENT) -> Course | None:
        """Return a series in the recent window; None with too few steps or values."""
        if self.step < least:
            return None
        since = lately(self.step)
        buckets = self.recent if since == max(self.step - RECENT, 0) else self.columns(since, BUCKETS)
        row = buckets.names.index(name)
        has_value = buckets.count[row] > 0
        if has_value.sum() < 16:
            return None
        values, counts = buckets.mean[row][has_value], buckets.count[row][has_value]
        eighth, half = len(values) // 8, len(values) // 2
        first, before, after, last = (
            float(np.average(values[part], weights=counts[part]))
            for part in (slice(0, eighth), slice(0, half), slice(half, None), slice(-eighth, None))
        )
        spread = float(values[half:].std())
        low = float(np.quantile(buckets.minimum[row][has_value][half:], 0.05))
        high = float(np.quantile(buckets.maximum[row][has_value][half:], 0.95))
        return Course(since, self.step - since, first, before, after, last, spread, low, high)

    def zero_since(self, name: str) -> int:
        """Return the first step since which a series is 0; `step` if it is not."""
        values = self._row(name)
        others = np.flatnonzero(values != 0.0)
        if len(others):
            return int(self.recent.last[others[-1]]) + 1
        return self._zero_before(name)

    def _zero_before(self, name: str) -> int:
        """Return the same if all recent values are 0: a bucket is all 0 if its maximum is."""
        buckets = self.columns(0, RECENT)
        values = buckets.maximum[buckets.names.index(name)]
        others = np.flatnonzero(values != 0.0)
        return int(buckets.first[others[-1]]) + 1 if len(others) else 0

    def _row(self, name: str) -> Floats:
        row: Floats = self.recent.mean[self.recent.names.index(name)]
        return row


def _length(buckets: Buckets, where: slice) -> float:
    """Return the gradient's norm, as the median over the buckets `where`."""
    rows = [row for row, name in enumerate(buckets.names) if name.startswith("grad_l2/")]
    lengths = np.sqrt((buckets.mean[rows][:, where] ** 2).sum(axis=0))
    return float(np.median(lengths))
