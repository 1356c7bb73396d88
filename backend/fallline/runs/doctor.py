"""When a run is examined, what the rules are shown, and what that costs.

An examination reads the run and changes nothing of it. Its cost is measured with the clock that training is measured
with, and kept below `SHARE` of the run's computing time while that is what one waits for. Told the time; must not know
rules, watchers or what is done with findings.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fallline.diagnosis.examine import examine
from fallline.diagnosis.rule import Since, Trace
from fallline.diagnosis.view import RECENT, Layer, Task, View
from fallline.engine.evaluation import evaluate
from fallline.engine.probes import LayerUnits, alike, silent, units
from fallline.engine.problem import Problem
from fallline.engine.schedules import rate_of
from fallline.engine.state import TrainingState
from fallline.figures.view import PREDICTING_THE_MAJORITY, PREDICTING_THE_MEAN
from fallline.runs.cost import step_seconds
from fallline.runs.onset import Way, onset
from fallline.runs.run import Run
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.findings import Finding

Clock = Callable[[], float]

SHARE = 0.05
"""Of the time that a run computes, examining it may take no more."""

PACED_SECONDS = 0.25
"""A run that is played at a speed, with time to spare, is examined no more often."""

UNPACED_SECONDS = 0.05
"""A run that goes as fast as it can is examined no more often than after so much computing."""

CHEAP = 0.03
"""At rest a run is examined once more before somebody is answered, if that takes no longer."""

TRACED_SECONDS = 0.25
"""Computing time that finding out since when something is so may take."""


class Doctor:
    """Examines the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._task = _task(problem)
        sizes = problem.layout.sizes
        self._guess = 2.0 * step_seconds(sizes, 0, problem.train.count) + 0.001

    # ------------------------------------------------------------------ when

    def is_due(self, run: Run, now: float, *, paced: bool) -> bool:
        """Whether it is time to examine a run that moves, played at a speed (`paced`) or as fast as it goes."""
        case = run.case
        if not self._has_news(run):
            return False
        apart = (self._cost(run) + case.owed) / SHARE
        if paced:
            return now - case.looked_at >= max(apart, PACED_SECONDS)
        return run.seconds - case.run_seconds >= max(apart, UNPACED_SECONDS)

    def is_cheap(self, run: Run) -> bool:
        """Whether a run at rest may be examined while somebody waits for an answer."""
        return self._has_news(run) and self._cost(run) <= max(
            CHEAP, SHARE * (run.seconds - run.case.run_seconds)
        )

    def _has_news(self, run: Run) -> bool:
        seen = run.case.examined
        return (run.state.step > 0 or run.diverged) and (
            seen is None or seen.step != run.state.step or seen.diverged_at != run.state.diverged_at
        )

    def _cost(self, run: Run) -> float:
        return self._guess if run.case.cost is None else run.case.cost

    # ------------------------------------------------------------------ how

    def examine(self, run: Run, now: float, clock: Clock) -> list[Finding]:
        """Look at the run; returns the findings that opened or closed."""
        case, began, tracing = run.case, clock(), 0.0

        def since(trace: Trace) -> Since:
            nonlocal tracing
            asked = clock()
            found = self._since(run, trace)
            tracing += clock() - asked
            return found

        with np.errstate(all="ignore"):
            view = view_of(self._problem, self._task, run)
            changed = examine(case.record, view, since)
        case.examined = run.state.copy()
        took = clock() - began
        usual = took - tracing
        case.cost = usual if case.cost is None else case.cost + 0.3 * (usual - case.cost)
        case.owed = tracing
        case.spent += took
        case.examinations += 1
        case.run_seconds, case.looked_at = run.seconds, now
        return changed

    def _since(self, run: Run, trace: Trace) -> Since:
        """Since when a trace is there, by a replay from where it was not, or from as far back as is affordable."""
        problem, until = self._problem, run.state.step

        def holds(state: TrainingState) -> bool:
            return is_there(problem, state, trace)

        start, is_known = self._before(run, trace, holds)
        return onset(Way(problem, run.recipe, run.kernel), start, until, holds, known=is_known)

    def _before(
        self, run: Run, trace: Trace, holds: Callable[[TrainingState], bool]
    ) -> tuple[TrainingState, bool]:
        """A state from which on to look, and whether it was not so before that."""
        seen, until = run.case.examined, run.state.step
        affordable = until - int(TRACED_SECONDS / max(run.step_seconds, 1e-9))
        after = seen.step if seen is not None and not holds(seen) else 0
        after = max(after, trace.earliest)
        known = after >= affordable
        start = run.checkpoints.before(max(after, affordable))
        if seen is not None and start.step < seen.step <= max(after, affordable):
            start = seen.copy()
        Way(self._problem, run.recipe, run.kernel).go(start, max(after, affordable))
        return start, known


def is_there(problem: Problem, state: TrainingState, trace: Trace) -> bool:
    """Whether a state shows the trace."""
    if trace.kind == "dead":
        dead = silent(problem, state.parameters, trace.layer)
        return tuple(np.flatnonzero(dead).tolist()) == trace.units
    return tuple(map(tuple, alike(problem, state.parameters, trace.layer))) == trace.units


def view_of(problem: Problem, task: Task, run: Run) -> View:
    """The run as rules see it, at its present step."""
    state, step = run.state, run.state.step
    now = evaluate(problem, state.parameters)
    settings = run.settings
    *hidden, _ = units(problem, state.parameters)
    names = zip(problem.activations, hidden, strict=False)
    edits = tuple((edit.at_step, edit.given()) for edit in run.recipe.edits if edit.at_step <= step)

    def columns(since: int, at_most: int) -> Buckets:
        return run.history.range(since, step - 1, at_most)

    return View(
        task=task,
        step=step,
        diverged=run.diverged,
        settings=settings,
        rate=rate_of(settings)(step),
        first_rate=run.recipe.settings.learning_rate,
        edits=edits,
        loss=now["train_loss"],
        score=now[f"train_{problem.score.name}"],
        layers=tuple(_layer(activation, layer) for activation, layer in names),
        columns=columns,
        recent=columns(max(step - RECENT, 0), RECENT),
    )


def _layer(activation: str, layer: LayerUnits) -> Layer:
    saturated = None if layer.saturated_share is None else tuple(layer.saturated_share)
    return Layer(activation, tuple(layer.dead), saturated, tuple(map(tuple, layer.alike)))


def _task(problem: Problem) -> Task:
    X = problem.train.X
    return Task(
        samples=problem.train.count,
        has_test=problem.test is not None,
        classes=len(problem.classes),
        baseline=problem.baseline["train"],
        guessing=PREDICTING_THE_MAJORITY if problem.classes else PREDICTING_THE_MEAN,
        score=problem.score.name,
        initial_loss=problem.initial_loss,
        input_spreads=tuple(X.std(axis=0).tolist()),
        input_means=tuple(X.mean(axis=0).tolist()),
    )
