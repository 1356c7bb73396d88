"""The first step of a run that meets a stop condition.

Only steps after the one at which the conditions were set, or a fork began, count: a state that is already there stops
no run. The result depends on the recipe, not on slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fallline.engine.kernels.interface import Kernel, is_evaluation_point
from fallline.engine.measures.probes import evaluate, units
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import SERIES, RunSettings, StopCondition


@dataclass(frozen=True, slots=True)
class Met:
    """A condition, and the step that met it."""

    step: int
    condition: StopCondition


@dataclass(slots=True)
class StopWatch:
    """Watches one run for stop conditions.

    `since` is the step at which the present conditions were set. `least` has the lowest loss, and its step, for each
    condition by number.
    """

    problem: Problem
    since: int = -1
    least: dict[int, tuple[float, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the fields to continue from later."""
        return {
            "since": self.since,
            "least": {str(place): list(lowest) for place, lowest in self.least.items()},
        }

    def resume(self, stored: dict[str, Any]) -> None:
        """Continue from the fields of `as_json`."""
        self.since = stored["since"]
        self.least = {int(place): (loss, step) for place, (loss, step) in stored["least"].items()}

    def first_met(
        self, run: RunRecipe, before: TrainingState, records: Records, after: TrainingState, kernel: Kernel
    ) -> Met | None:
        """Return the first step from `before` to `after` that meets a condition."""
        first, stop = before.step, after.step
        for begin, end, settings in run.segments(first, stop):
            met = self._among(run, settings, begin, end, before, records, kernel)
            if met is not None:
                return met
        return self._here(run, after)

    def _armed(self, run: RunRecipe, settings: RunSettings) -> int:
        """Return the last step that cannot meet a condition."""
        armed = max(settings.stop_since, run.origin.at_step if run.origin is not None else 0)
        if armed != self.since:
            self.since, self.least = armed, {}
        return armed

    def _among(
        self,
        run: RunRecipe,
        settings: RunSettings,
        begin: int,
        end: int,
        before: TrainingState,
        records: Records,
        kernel: Kernel,
    ) -> Met | None:
        begin = max(begin, self._armed(run, settings) + 1)
        if not settings.stop or begin >= end:
            return None
        rows = dict(
            zip(records.names, records.values[:, begin - before.step : end - before.step], strict=True)
        )
        matches = [
            Met(begin + place, condition)
            for number, condition in enumerate(settings.stop)
            if (place := self._place(number, condition, rows, begin)) is not None
        ]
        until = min((each.step for each in matches), default=end)
        for condition in settings.stop:
            if condition.when == "layer_dies":
                died = self._death(run, settings, rows, begin, until, before, kernel)
                matches += [] if died is None else [Met(died, condition)]
        return min(matches, key=lambda each: each.step, default=None)

    def _place(self, number: int, condition: StopCondition, rows: dict[str, Any], begin: int) -> int | None:
        """Return the first place in the records that meets the condition."""
        if condition.when in SERIES:
            met = np.flatnonzero(_beyond(condition, rows[condition.when]))
            return int(met[0]) if len(met) else None
        if condition.when == "loss_stalls":
            losses = rows["train_loss"]
            for place in np.flatnonzero(np.isfinite(losses)):
                if self._stalls(number, condition, float(losses[place]), begin + int(place)):
                    return int(place)
        return None

    def _stalls(self, number: int, condition: StopCondition, loss: float, step: int) -> bool:
        least, since = self.least.get(number, (math.inf, self.since))
        if loss < least * (1.0 - condition.share):
            self.least[number] = (loss, step)
            return False
        return step - since >= condition.patience

    def _death(
        self,
        run: RunRecipe,
        settings: RunSettings,
        rows: dict[str, Any],
        begin: int,
        until: int,
        before: TrainingState,
        kernel: Kernel,
    ) -> int | None:
        """Return the first step with a dead layer.

        Behind a dead layer all gradients are exactly 0, so only such steps are checked. Under penalties, evaluation
        points are.
        """
        # W1 stands before every layer that can die
        suspect = np.isfinite(rows["train_loss"]) if settings.penalised else rows["grad_l1/W1"] == 0.0
        probe = before.copy()
        for place in np.flatnonzero(suspect[: until - begin]):
            step = begin + int(place)
            advance(self.problem, probe, run, step - probe.step, kernel)
            if _has_dead_layer(self.problem, probe):
                return step
        return None

    def _here(self, run: RunRecipe, state: TrainingState) -> Met | None:
        """Return the condition that the present step meets, which has no record yet."""
        settings = run.settings_at(state.step)
        if state.step <= self._armed(run, settings) or not settings.stop:
            return None
        train_samples = self.problem.train.count
        is_point = is_evaluation_point(state.step, state.samples_seen, settings, train_samples)
        values = evaluate(self.problem, state.parameters) if is_point else {}
        for number, condition in enumerate(settings.stop):
            if self._holds(number, condition, values, settings, state):
                return Met(state.step, condition)
        return None

    def _holds(
        self,
        number: int,
        condition: StopCondition,
        values: dict[str, float],
        settings: RunSettings,
        state: TrainingState,
    ) -> bool:
        if condition.when == "layer_dies":
            return (bool(values) or not settings.penalised) and _has_dead_layer(self.problem, state)
        if condition.when in SERIES:
            return condition.when in values and bool(_beyond(condition, np.float64(values[condition.when])))
        loss = values.get("train_loss", math.nan)
        return math.isfinite(loss) and self._stalls(number, condition, loss, state.step)


def _beyond(condition: StopCondition, values: Any) -> Any:
    """Return a mask of the values that are finite and beyond the bound."""
    with np.errstate(invalid="ignore"):
        met = values > condition.above if condition.above is not None else values < condition.below
    return met & np.isfinite(values)


def _has_dead_layer(problem: Problem, state: TrainingState) -> bool:
    *hidden, _ = units(problem, state.parameters)
    return any(all(layer.dead) for layer in hidden)
