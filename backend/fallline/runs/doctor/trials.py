"""Trials of remedies on a copy of a run: the next steps of a fork or an edit.

They are exactly the steps that it would make. Their number depends on the recipe, not on the machine. Must not know
rules, nor the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fallline.diagnosis.view import Trial
from fallline.engine.evaluation import evaluate
from fallline.engine.measures.probes import units
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.runs.checks.bounds import step_seconds
from fallline.runs.checks.run import forked_recipe, merge_edit
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Edit

Attempt = Callable[[float, Callable[[], Any]], Any]
"""Calls a function with this expected cost in seconds, or returns None if that is too long now."""

MOST_STEPS, FEWEST_STEPS = 100, 10
"""Steps of a trial. In the most, a rate that is too high usually shows; fewer than the fewest show nothing."""

TRIAL_SECONDS, SEARCH_SECONDS = 0.12, 0.6
"""Most seconds of a trial, and of all trials of one examination, by the estimate of the recipe's cost."""

REPLAY_SECONDS = 0.25
"""Most computing time from the last checkpoint to the step of the fork."""

LOST = 3.0
"""Factor by which a loss has grown so much that the trial has failed."""

MANY = 0.5
"""Share of a layer's units whose death fails the trial."""

CHECKS = 5
"""Number of states of a trial that are checked."""


class Trials:
    """Tries commands on one run in one examination."""

    def __init__(self, problem: Problem, run: Run, attempt: Attempt) -> None:
        self._problem, self._run, self._attempt = problem, run, attempt
        self._starts: dict[int, TrainingState] = {}
        self._spent = 0.0

    def __call__(self, command: Mapping[str, Any]) -> Trial | None:
        """Return the result of the trial, or None if it takes too long."""
        return self._try(*self._continuation(command))

    def _continuation(self, command: Mapping[str, Any]) -> tuple[int, RunRecipe]:
        """Return the step and the recipe from which the run would continue."""
        run = self._run
        fields = {name: value for name, value in command.items() if name != "do"}
        if command["do"] == "add_run":
            fork = AddRun.model_validate({"name": run.name, "fork_of": run.name, **fields})
            return fields["at_step"], forked_recipe(run.recipe, fields["at_step"], fork)
        step = run.state.step
        edited = merge_edit(run.recipe.edits, Edit.model_validate({"at_step": step, **fields}))
        return step, run.recipe.model_copy(update={"edits": edited})

    def _try(self, at_step: int, recipe: RunRecipe) -> Trial | None:
        problem, run = self._problem, self._run
        batch = recipe.settings_at(at_step).batch_size or problem.train.count
        each = step_seconds(problem.layout.sizes, min(batch, problem.train.count), 0)
        steps = min(int(min(TRIAL_SECONDS, SEARCH_SECONDS - self._spent) / each), MOST_STEPS)
        replay = 0.0 if at_step in self._starts else self._replay_seconds(at_step)
        if steps < FEWEST_STEPS or replay > REPLAY_SECONDS:
            return None
        checks = (CHECKS + 1) * 2 * step_seconds(problem.layout.sizes, 0, problem.train.count)
        pace = run.step_seconds if run.seconds > 0.0 else each
        trial: Trial | None = self._attempt(
            replay + steps * pace + checks, lambda: self._steps(at_step, recipe, steps)
        )
        if trial is not None:
            self._spent += each * trial.steps + checks
        return trial

    def _replay_seconds(self, at_step: int) -> float:
        run = self._run
        nearest = run.state if at_step == run.state.step else run.checkpoints.before(at_step)
        return (at_step - nearest.step) * run.step_seconds

    def _start(self, at_step: int) -> TrainingState:
        if at_step not in self._starts:
            run = self._run
            nearest = run.state if at_step == run.state.step else run.checkpoints.before(at_step)
            state = nearest.copy()
            state.diverged_at = None  # other settings may not diverge here
            if state.step < at_step:
                advance(self._problem, state, run.recipe, at_step - state.step, run.kernel)
            self._starts[at_step] = state
        return self._starts[at_step].copy()

    def _steps(self, at_step: int, recipe: RunRecipe, steps: int) -> Trial:
        """Make the steps and check states among them; start after any redraw."""
        problem, state = self._problem, self._start(at_step)
        if recipe.redraw_at(at_step) is not None:
            advance(problem, state, recipe, 1, self._run.kernel)
        dead_before, losses = self._dead(state), []
        before = evaluate(problem, state.parameters)["train_loss"]
        for check in range(1, CHECKS + 1):
            if state.diverged_at is None:
                to = at_step + steps * check // CHECKS
                advance(problem, state, recipe, to - state.step, self._run.kernel)
            loss = evaluate(problem, state.parameters)["train_loss"]
            has_grown = loss > LOST * max(before, problem.initial_loss)
            if state.diverged_at is not None or has_grown or _has_died(dead_before, self._dead(state)):
                return Trial(state.step - at_step, before, math.inf)
            losses.append(loss)
        with np.errstate(over="ignore"):
            return Trial(steps, before, float(np.mean(losses[CHECKS // 2 :])))

    def _dead(self, state: TrainingState) -> Iterable[tuple[int, int]]:
        """Return the number of dead units, and of all units, for each hidden layer."""
        *hidden, _ = units(self._problem, state.parameters)
        return [(sum(layer.dead), len(layer.dead)) for layer in hidden]


def _has_died(before: Iterable[tuple[int, int]], dead: Iterable[tuple[int, int]]) -> bool:
    """True if a layer is dead or lost the share `MANY` of its units."""
    both = zip(before, dead, strict=True)
    return any(now == of or now - then >= MANY * of for (then, of), (now, _) in both)
