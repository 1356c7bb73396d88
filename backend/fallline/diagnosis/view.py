"""All that a rule may see of a run: numbers of one moment, and columns of its history. Must not know their source."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fallline.vocabulary.columns import Buckets, Floats, Ints
from fallline.vocabulary.run_settings import RunSettings

RECENT = 200
"""Steps that a rule sees one by one."""

LATELY = 8
"""The share of a run's steps, one in so many, that counts as lately, once that is more than `RECENT`."""

BUCKETS = 64
"""What happened lately is told in about so many buckets."""


def lately(step: int) -> int:
    """The first step of what counts as lately at that step."""
    return max(step - max(RECENT, step // LATELY), 0)


@dataclass(frozen=True, slots=True)
class Layer:
    """A hidden layer at this step, over all training samples.

    `dead` units output 0 for every sample. `saturated_share` is the share of samples at which a unit's slope has all
    but gone, None where the activation does not flatten on both sides. `alike` are groups of units with equal weights.
    """

    activation: str
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
    """What the runs of an experiment share: how many samples to learn from, and what one has to beat.

    `baseline` is the training loss of somebody who predicts the mean, or the shares of the classes (`guessing` in
    words). `score` names what is comparable of a loss: r2 or accuracy. `input_spreads` and `input_means` tell each
    input's standard deviation and mean.
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
    """How a series went lately, over `steps` steps from `since` on: the means of the first and the last eighth, and of
    both halves; how far the values of the second half lie around their mean, as a standard deviation; and the levels
    below and above which a twentieth of that half's buckets goes.
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
        """The share by which it fell from one half to the other; below 0 where it rose."""
        return 1.0 - self.after / self.before if self.before > 0.0 else 0.0

    @property
    def fell(self) -> float:
        """The share by which it fell from beginning to end."""
        return 1.0 - self.last / self.first if self.first > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Noise:
    """How single samples' gradients scatter: the trace of their covariance and the squared norm of their mean.

    `sizes` has for each layer the root mean square of the entries of all of them.
    """

    samples: int
    trace: float
    mean_squared: float
    sizes: tuple[float, ...]

    @property
    def scale(self) -> float:
        """The batch size at which noise and signal are equal: the simple noise scale."""
        return self.trace / self.mean_squared if self.mean_squared > 0.0 else math.inf

    def share(self, batch: int) -> float:
        """The expected squared distance of a batch's gradient from the full one, over the square of that one."""
        return (self.samples - batch) / (self.samples * batch) * self.scale if batch < self.samples else 0.0


@dataclass(frozen=True, slots=True)
class Edge:
    """The largest curvature of the training loss as the optimizer sees it, what full-batch steps bear of it, and the
    step at which that was measured.
    """

    sharpness: float
    limit: float
    step: int


@dataclass(frozen=True, slots=True)
class Slopes:
    """The length of the gradient over all parameters: in the first steps, and in the last ones."""

    first: float
    now: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a command leads to in so many steps: the training loss where they begin, or of layers that were drawn anew,
    and its mean over the later half of them, which is infinite where the run diverges or half of a layer dies.
    """

    steps: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class View:
    """A run at its present step. `settings` are those in force for the next one, `rate` the rate that a schedule makes
    of them, `first_rate` is the one it began with, `edits` the changes made since, with their steps.

    `loss` and `score` are the training loss and score of the present parameters. `recent` are the last `RECENT` steps
    one by one, `columns(since, at_most)` tells the history from a step on in at most so many buckets. What costs more
    is measured when a rule asks: `noise()`, and `edge()`, both None where that is not to be had or not affordable; so
    is `trial(command)`, what a remedy would lead to.
    """

    task: Task
    step: int
    diverged: bool
    settings: RunSettings
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
        """The names of the weight matrices, from the first layer to the output's."""
        return tuple(f"W{layer}" for layer in range(1, len(self.layers) + 2))

    def slopes(self) -> Slopes | None:
        """How long the gradient was and is; None before there is something to compare."""
        if self.step < RECENT:
            return None
        begun, now = self.columns(0, BUCKETS), self.recent
        return Slopes(_length(begun, slice(0, 1)), _length(now, slice(None)))

    def last(self, name: str, steps: int = RECENT) -> Floats:
        """The finite values of a series in the last so many steps, at most `RECENT` of them."""
        values = self._row(name)[-steps:]
        return values[np.isfinite(values)]

    def steps_of(self, name: str) -> Ints:
        """The steps of the values that `last` tells of all recent steps."""
        return self.recent.first[np.isfinite(self._row(name))]

    def course(self, name: str, least: int = RECENT) -> Course | None:
        """How a series went lately; None before `least` steps, and where too few of them have a value."""
        if self.step < least:
            return None
        since = lately(self.step)
        told = self.recent if since == max(self.step - RECENT, 0) else self.columns(since, BUCKETS)
        row = told.names.index(name)
        known = told.count[row] > 0
        if known.sum() < 16:
            return None
        values, counts = told.mean[row][known], told.count[row][known]
        eighth, half = len(values) // 8, len(values) // 2
        first, before, after, last = (
            float(np.average(values[part], weights=counts[part]))
            for part in (slice(0, eighth), slice(0, half), slice(half, None), slice(-eighth, None))
        )
        spread = float(values[half:].std())
        low = float(np.quantile(told.minimum[row][known][half:], 0.05))
        high = float(np.quantile(told.maximum[row][known][half:], 0.95))
        return Course(since, self.step - since, first, before, after, last, spread, low, high)

    def zero_since(self, name: str) -> int:
        """The first step from which on a series has been exactly 0, as far back as history tells; `step` if it is not.

        Every value before it that is known was another.
        """
        values = self._row(name)
        others = np.flatnonzero(values != 0.0)
        if len(others):
            return int(self.recent.last[others[-1]]) + 1
        return self._zero_before(name)

    def _zero_before(self, name: str) -> int:
        """The same where all recent values are 0: a bucket is wholly 0 where its largest value is."""
        told = self.columns(0, RECENT)
        values = told.maximum[told.names.index(name)]
        others = np.flatnonzero(values != 0.0)
        return int(told.first[others[-1]]) + 1 if len(others) else 0

    def _row(self, name: str) -> Floats:
        row: Floats = self.recent.mean[self.recent.names.index(name)]
        return row


def _length(told: Buckets, where: slice) -> float:
    """The median over some buckets of the gradient's norm over all parameters."""
    rows = [row for row, name in enumerate(told.names) if name.startswith("grad_l2/")]
    lengths = np.sqrt((told.mean[rows][:, where] ** 2).sum(axis=0))
    return float(np.median(lengths))
