"""Remedies tried on a copy of a run before they are offered: what a fork or an edit would lead to in its next steps.

They are the very steps that it would make. How many are made depends on the recipe and not on the machine. Must not
know rules, nor when it is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fallline.diagnosis.view import Trial
from fallline.engine.evaluation import evaluate
from fallline.engine.probes import units
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.runs.cost import step_seconds
from fallline.runs.forking import forked_recipe
from fallline.runs.run import Run
from fallline.runs.run_check import merge_edit
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Edit

Attempt = Callable[[float, Callable[[], Any]], Any]
"""Does something that is expected to take so many seconds; None where that is too long just now."""

MOST_STEPS, FEWEST_STEPS = 100, 10
"""Steps of a trial. In so many most rates show that they are too high; fewer show nothing."""

TRIAL_SECONDS, SEARCH_SECONDS = 0.12, 0.6
"""What a trial, and all of one examination, may take by the estimate that a recipe is charged by, which is a slow
machine's."""

WAY_SECONDS = 0.25
"""Computing time to the step of the fork, from the last state that is held before it."""

LOST = 3.0
"""A loss that is so many times what it was has grown, and the rest need not be seen."""

MANY = 0.5
"""The share of a layer's units that may not die on the way."""

LOOKS = 5
"""States of a trial that are looked at."""


class Trials:
    """Tries commands for one run in one examination."""

    def __init__(self, problem: Problem, run: Run, attempt: Attempt) -> None:
        self._problem, self._run, self._attempt = problem, run, attempt
        self._starts: dict[int, TrainingState] = {}
        self._spent = 0.0

    def __call__(self, command: Mapping[str, Any]) -> Trial | None:
        """How the run would go; None where trying takes too long."""
        return self._tried(*self._asked(command))

    def _asked(self, command: Mapping[str, Any]) -> tuple[int, RunRecipe]:
        """The step from which it goes on, and by which recipe."""
        run = self._run
        told = {name: value for name, value in command.items() if name != "do"}
        if command["do"] == "add_run":
            asked = AddRun.model_validate({"name": run.name, "fork_of": run.name, **told})
            return told["at_step"], forked_recipe(run.recipe, told["at_step"], asked)
        step = run.state.step
        edited = merge_edit(run.recipe.edits, Edit.model_validate({"at_step": step, **told}))
        return step, run.recipe.model_copy(update={"edits": edited})

    def _tried(self, at_step: int, recipe: RunRecipe) -> Trial | None:
        problem, run = self._problem, self._run
        batch = recipe.settings_at(at_step).batch_size or problem.train.count
        each = step_seconds(problem.layout.sizes, min(batch, problem.train.count), 0)
        steps = min(int(min(TRIAL_SECONDS, SEARCH_SECONDS - self._spent) / each), MOST_STEPS)
        way = 0.0 if at_step in self._starts else self._way_seconds(at_step)
        if steps < FEWEST_STEPS or way > WAY_SECONDS:
            return None
        looks = (LOOKS + 1) * 2 * step_seconds(problem.layout.sizes, 0, problem.train.count)
        pace = run.step_seconds if run.seconds > 0.0 else each
        trial: Trial | None = self._attempt(
            way + steps * pace + looks, lambda: self._made(at_step, recipe, steps)
        )
        if trial is not None:
            self._spent += each * trial.steps + looks
        return trial

    def _way_seconds(self, at_step: int) -> float:
        run = self._run
        held = run.state if at_step == run.state.step else run.checkpoints.before(at_step)
        return (at_step - held.step) * run.step_seconds

    def _start(self, at_step: int) -> TrainingState:
        if at_step not in self._starts:
            run = self._run
            held = run.state if at_step == run.state.step else run.checkpoints.before(at_step)
            state = held.copy()
            state.diverged_at = None  # whether it stays here too is for other settings to show
            if state.step < at_step:
                advance(self._problem, state, run.recipe, at_step - state.step, run.kernel)
            self._starts[at_step] = state
        return self._starts[at_step].copy()

    def _made(self, at_step: int, recipe: RunRecipe, steps: int) -> Trial:
        """The steps, and what is seen at looks along them. With layers drawn anew a run begins after that step."""
        problem, state = self._problem, self._start(at_step)
        if recipe.redraw_at(at_step) is not None:
            advance(problem, state, recipe, 1, self._run.kernel)
        begun, losses = self._dead(state), []
        before = evaluate(problem, state.parameters)["train_loss"]
        for look in range(1, LOOKS + 1):
            if state.diverged_at is None:
                to = at_step + steps * look // LOOKS
                advance(problem, state, recipe, to - state.step, self._run.kernel)
            loss = evaluate(problem, state.parameters)["train_loss"]
            has_grown = loss > LOST * max(before, problem.initial_loss)
            if state.diverged_at is not None or has_grown or _has_died(begun, self._dead(state)):
                return Trial(state.step - at_step, before, math.inf)
            losses.append(loss)
        with np.errstate(over="ignore"):
            return Trial(steps, before, float(np.mean(losses[LOOKS // 2 :])))

    def _dead(self, state: TrainingState) -> Iterable[tuple[int, int]]:
        """Of each hidden layer how many units are dead, and how many there are."""
        *hidden, _ = units(self._problem, state.parameters)
        return [(sum(layer.dead), len(layer.dead)) for layer in hidden]


def _has_died(begun: Iterable[tuple[int, int]], dead: Iterable[tuple[int, int]]) -> bool:
    """Whether a layer is dead, or has lost so many units since the trial began that it soon may be."""
    both = zip(begun, dead, strict=True)
    return any(now == of or now - before >= MANY * of for (before, of), (now, _) in both)
