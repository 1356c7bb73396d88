"""The input of a rule, with the first step of each unit that is dead, equal or saturated, and the types of its results.

Must not know the source of its numbers, nor the rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.diagnosis.track import Series, distance
from fallline.vocabulary.findings import Remedy, Severity, Why
from fallline.vocabulary.run_settings import RunSettings

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layer:
    """A hidden layer at one step, over all training samples.

    - `slope` is the slope of its activation as an expression of `{z}` and `{a}`.
    - `dead` units output 0 for every sample.
    - `saturated_share` is the share of samples at which a unit's slope is almost 0. It is None if the activation does
      not flatten on both sides.
    - `alike` are groups of units with equal weights.
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

    - `samples` counts training samples.
    - `baseline` is the training loss of predicting the mean, or the shares of the classes (`guessing` in words).
    - `score` is r2 or accuracy.
    - With `is_quadratic` the training loss is a quadratic function of the parameters: a squared error without hidden
      layers.
    - `input_spreads` and `input_means` are each input's standard deviation and mean.
    - `output` and `error` are the expressions of y_pred and of its gradient.
    """

    samples: int
    has_test: bool
    classes: int
    baseline: float
    guessing: str
    score: str
    initial_loss: float
    is_quadratic: bool
    input_spreads: tuple[float, ...]
    input_means: tuple[float, ...]
    output: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Noise:
    """Scatter of single samples' gradients.

    - `trace` is of their covariance, `mean_squared` is the squared norm of their mean.
    - `sizes` has the root mean square of their entries for each layer, `bias_sizes` of the biases' entries.
    """

    samples: int
    trace: float
    mean_squared: float
    sizes: tuple[float, ...]
    bias_sizes: tuple[float, ...] = ()

    @property
    def scale(self) -> float:
        """Batch size at which noise and signal are equal: the simple noise scale."""
        return self.trace / self.mean_squared if self.mean_squared > 0.0 else math.inf

    def share(self, batch: int, *, replaced: bool = False) -> float:
        """Return E |batch gradient - full gradient|² / |full gradient|².

        With `replaced` a batch is drawn with replacement: it may hold a sample twice.
        """
        if replaced:
            return (self.samples - 1) / (self.samples * batch) * self.scale
        return (self.samples - batch) / (self.samples * batch) * self.scale if batch < self.samples else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """A state at `step`, over all samples of a split; `test_loss` is NaN without a test split."""

    step: int
    loss: float
    test_loss: float
    score: float
    layers: tuple[Layer, ...]
    noise: Noise


@dataclass(frozen=True, slots=True)
class Edge:
    """The curvature as the optimizer sees it, its limit, and its step."""

    sharpness: float
    limit: float
    step: int


@dataclass(frozen=True, slots=True)
class Change:
    """The parameter that moved most in the change from `step` to the next, among a layer's parameters.

    - `entry` counts the entries of the parameter row by row.
    - `rows` are the batch's rows of the data, at most ten of its `batch` samples.
    - `gradient` is the entry's gradient, `rate` the learning rate.
    """

    step: int
    parameter: str
    entry: int
    before: float
    after: float
    rows: tuple[int, ...]
    batch: int
    gradient: float
    rate: float


@dataclass(frozen=True, slots=True)
class Rise:
    """The change from `step` to the next, which took the train loss from `before` to `after`."""

    step: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of trying a command for `steps` steps.

    `before` is the training loss at their start, after any redraw. `after` is its mean over their later half,
    `test_after` the test loss's mean there. Both are infinite if the run diverges or half of a layer dies.
    `saturated` is the largest saturated share of a layer at the end.
    """

    steps: int
    before: float
    after: float
    test_after: float = math.nan
    saturated: float = 0.0


@dataclass(frozen=True, slots=True)
class Ahead:
    """The run's own next `steps`, made on a copy with its settings and batches.

    `diverged_at` is None if it does not diverge in them. `lowest` and `highest` are of the train losses after the
    present one.
    """

    steps: int
    diverged_at: int | None
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Best:
    """The best numbers of a run so far, at its points.

    - `test` is the lowest test loss, at step `test_step`, with the train loss `train_then`.
    - `mean` and `test_mean` are the lowest means of `MEAN` points, the first at step `mean_step`.
    - `level_step` is the last step whose loss is not above `mean`.
    - `loss` is the lowest train loss, at step `loss_step`.
    """

    loss: float = math.inf
    loss_step: int = 0
    test: float = math.inf
    test_step: int = 0
    train_then: float = math.inf
    mean: float = math.inf
    mean_step: int = 0
    test_mean: float = math.inf
    level_step: int = 0


@dataclass(frozen=True, slots=True)
class Losses:
    """The losses of a state at `step`; `test` is None without a test split."""

    step: int
    train: float
    test: float | None


Level = tuple[float, float | None]
"""Means of the last train and test losses; None without a test split."""


def _not_known(step: int) -> Measured:
    raise LookupError(f"the state at step {step} is not known")


@dataclass(frozen=True)
class View:
    """A run at an examination.

    - `settings` made the last change; `rate` is their learning rate after the schedule. With `scales` their optimizer
      divides gradients by their size. A fork from a step begins with `settings_before(step)`; `weights_before(step)`
      is the last initializer that drew all its layers.
    - `edits` are the changes before this step, with their steps.
    - `now` is the present state.
    - `seen` are step and train loss of the last examinations, the present one included.
    - `series` has the points before this step; `best` has, for each new one, the best numbers up to it.
    - `first_slope` is the length of the full gradient at step 0.
    - `dates` has, by kind ("dead", "alike", "saturated") and layer, the first step of each unit that is so.
    - `computed` holds results that several rules use.
    - `between(step)` returns a state between the last examination, at step `examined` (None: not known), and this one.
    - `back(step)` returns the same in a look back from this one.
    - `rise(first, last)` returns the change between two steps that raised the loss most.
    - `edge()`, `ahead()`, `change(step, layer)` and `trial(command)` are expensive as well.
    - These functions return None if they cannot be measured, and may raise NotNow.
    - `repeats(command)` is true for a command that changes nothing, or that the run itself has followed.
    - `follows(command, step)` is true for a command that says what the run itself did at that step.
    """

    task: Task
    step: int
    diverged: bool
    settings: RunSettings
    scales: bool
    rate: float
    settings_before: Callable[[int], RunSettings]
    edits: Sequence[tuple[int, Mapping[str, Any]]]
    now: Measured
    seen: tuple[tuple[int, float], ...]
    series: Series
    best: Sequence[Best]
    first_slope: float
    dates: Mapping[tuple[str, int], Mapping[int, int]] = field(default_factory=dict)
    is_open: Callable[[str, Any], bool] = field(default=lambda rule, subject: False)
    examined: int | None = None
    between: Callable[[int], Measured] = field(default=_not_known)
    back: Callable[[int], Measured] = field(default=_not_known)
    edge: Callable[[], Edge | None] = field(default=lambda: None)
    ahead: Callable[[], Ahead | None] = field(default=lambda: None)
    computed: dict[Any, Any] = field(default_factory=dict, repr=False)
    change: Callable[[int, int | None], Change | None] = field(default=lambda step, layer: None)
    rise: Callable[[int, int], Rise | None] = field(default=lambda first, last: None)
    trial: Callable[[Mapping[str, Any]], Trial | None] = field(default=lambda command: None)
    repeats: Callable[[Mapping[str, Any]], bool] = field(default=lambda command: False)
    follows: Callable[[Mapping[str, Any], int], bool] = field(default=lambda command, step: False)
    weights_before: Callable[[int], str] = field(default=lambda step: "")

    @property
    def loss(self) -> float:
        return self.now.loss

    @property
    def score(self) -> float:
        return self.now.score

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.now.layers

    def line(self, name: str) -> str:
        """Return the line that computes `name` (y_pred, dy_pred, dz1, dW2 or W1), as the step inspector shows it.

        A line of its own for each optimizer is its name only. A line that changes its own name is written short, as in
        frontend/features/inspector/expressions.ts: "W1 -= lr * dW1".
        """
        expression, own = self._expression(name), f"{name} - "
        if expression.startswith(own):
            return f"{name} -= {expression.removeprefix(own)}"
        return f"{name} = {expression}" if expression else name

    def _expression(self, name: str) -> str:
        if name in ("y_pred", "dy_pred"):
            return self.task.output if name == "y_pred" else self.task.error
        kind, place = name.rstrip("0123456789"), int(name.lstrip("dzW"))
        if kind == "dW":
            return f"{f'a{place - 1}' if place > 1 else 'X'}.T @ dz{place}" + self._penalties(f"W{place}")
        if kind == "W":
            is_plain = self.settings.optimizer == "sgd" and not self.settings.layer_rates
            return f"{name} - lr * d{name}" if is_plain else ""
        if place > len(self.layers):
            return ""
        slope = self.layers[place - 1].slope.format(z=f"z{place}", a=f"a{place}")
        return f"da{place} * {slope}" if slope else f"da{place}"

    def _penalties(self, weights: str) -> str:
        l2 = f" + l2 * {weights}" if self.settings.l2 else ""
        return l2 + (f" + l1 * np.sign({weights})" if self.settings.l1 else "")

    @property
    def batch(self) -> int:
        """Number of samples of a step."""
        return min(self.settings.batch_size or self.task.samples, self.task.samples)

    @property
    def is_full_batch(self) -> bool:
        return self.batch >= self.task.samples and not self.is_replaced

    @property
    def is_replaced(self) -> bool:
        """True if the samples of a batch are drawn with replacement; the full batch never is."""
        return self.settings.order == "replacement" and self.settings.batch_size is not None

    @property
    def batch_since(self) -> int:
        """The step from which batches have had their present size."""
        return max((step for step, change in self.edits if "batch_size" in change), default=0)

    @property
    def drawn_since(self) -> int:
        """The first step after layers were last drawn anew, which is no work of training; 0 without that."""
        return max((step + 1 for step, change in self.edits if "redraw" in change), default=0)

    @property
    def noise_share(self) -> float:
        """The noise of a batch's gradient here: see `Noise.share`."""
        return self.now.noise.share(self.batch, replaced=self.is_replaced)

    @property
    def apart(self) -> int:
        """Distance of the points here."""
        return distance(max(self.step - 1, 0))

    def state(self, step: int) -> Measured:
        """Return the state at a step after the last examination, this one included."""
        return self.now if step == self.step else self.between(step)

    def states_back(self) -> Iterator[Measured]:
        """Iterate over the states after the last examination, from the present one back.

        The states between are measured as they are reached.
        """
        examined = self.step - 1 if self.examined is None else self.examined
        return chain([self.now], map(self.back, range(self.step - 1, examined, -1)))

    def since(self, holds: Callable[[Measured], bool]) -> int:
        """Return the first step of the unbroken stretch up to now in which a condition holds."""
        return min((state.step for state in takewhile(holds, self.states_back())), default=self.step)


# ---------------------------------------------------------------------- dates of units

Dates = dict[tuple[str, int], dict[int, int]]
"""By kind and layer: the units, with the first step since which they are so."""

SATURATED = 0.8
"""Share of a unit's (or a layer's) outputs with a slope near 0 from which it is saturated."""


def _dead(layer: Layer) -> set[int]:
    return {unit for unit, is_dead in enumerate(layer.dead) if is_dead}


def _alike(layer: Layer) -> set[int]:
    return {unit for group in layer.alike for unit in group}


def _saturated(layer: Layer) -> set[int]:
    return {unit for unit, share in enumerate(layer.saturated_share or ()) if share >= SATURATED}


KINDS: Mapping[str, Callable[[Layer], set[int]]] = {"dead": _dead, "alike": _alike, "saturated": _saturated}


def dates_of(before: Mapping[tuple[str, int], Mapping[int, int]], view: View) -> Dates:
    """Return the dates now, from those at the last examination and the states since."""
    dates: Dates = {}
    for place, layer in enumerate(view.now.layers, start=1):
        for kind, units_of in KINDS.items():
            dates_before = before.get((kind, place), {})
            dates[kind, place] = {
                unit: dates_before[unit] if unit in dates_before else _first(view, place, unit, units_of)
                for unit in sorted(units_of(layer))
            }
    return dates


def _first(view: View, place: int, unit: int, units_of: Callable[[Layer], set[int]]) -> int:
    """Return the first state of the unbroken stretch up to now in which the unit is so."""
    return view.since(lambda state: unit in units_of(state.layers[place - 1]))


# ---------------------------------------------------------------------- rules


class NotNow(Exception):
    """A measurement is over budget: the examination is made later, from its start."""


Subject = tuple[tuple[str, Any], ...]
"""The layer of a finding, as comparable pairs: (("layer", 2),)."""


@dataclass(frozen=True, slots=True)
class Words:
    """The text of a finding, with `{run}` for the run's name.

    `remedies` is called once, when the finding opens, since it may try them. With `by_test` a lower rate is judged by
    the test loss, not the train loss.
    """

    title: str
    evidence: str
    mark: str
    why: Why
    remedies: Callable[[], tuple[Remedy, ...]] = field(default=tuple)
    by_test: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that held since the last examination: its last step so far, and how to find its first.

    `since()` is called only if the condition did not hold before.
    """

    last: int
    since: Callable[[], int]


def no_change(since: int) -> int | None:
    """Name no change: none did it alone."""
    return None


def change_before(since: int) -> int | None:
    """Name the change to the first step; before step 0 there is none."""
    return since - 1 if since > 0 else None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A symptom that held since the last examination.

    - `words` returns its text for its first step.
    - `dates` has the first step of each unit that has the symptom.
    - With `by_dates` the earliest of them is the first step of the finding. Without any there is no finding yet.
    - `did` returns, for the first step, the step of the change of the parameters that did it, None if none did. It is
      called once.
    """

    words: Callable[[int], Words]
    severity: Severity
    held: Held
    subject: Subject = ()
    dates: Mapping[int, int] = field(default_factory=dict)
    by_dates: bool = False
    did: Callable[[int], int | None] = no_change


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: one symptom.

    `check(view)` yields sightings. A finding opens after `hold` steps. An interruption of fewer than `gap`
    points does not end it. `help` is a line for a list. While a rule of `yields_to` has a finding, this one
    is silent.
    """

    name: str
    help: str
    check: Callable[[View], Iterable[Sighting]]
    hold: int = 0
    gap: int = 0
    yields_to: frozenset[str] = field(default_factory=frozenset)
