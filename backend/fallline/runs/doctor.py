"""When a run is examined, since when something is so, and what that costs.

An examination reads the run and changes nothing of it. Its cost is measured with the clock that training is measured
with, and kept below `SHARE` of the run's computing time while that is what one waits for. Told the time; must not know
rules, watchers or what is done with findings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from fallline.diagnosis.examine import examine
from fallline.diagnosis.rule import Since, Trace
from fallline.engine.probes import alike, saturated, silent
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.cost import step_seconds
from fallline.runs.onset import Way, onset
from fallline.runs.run import Run
from fallline.runs.run_view import task_of, view_of
from fallline.vocabulary.findings import Finding

Clock = Callable[[], float]

_log = logging.getLogger(__name__)

SHARE = 0.05
"""Of the time that a run computes, examining it may take no more."""

PACED_SECONDS = 0.25
"""A run that is played at a speed, with time to spare, is examined no more often."""

UNPACED_SECONDS = 0.05
"""A run that goes as fast as it can is examined no more often than after so much computing."""

CHEAP = 0.03
"""At rest a run is examined once more before somebody is answered, if that takes no longer."""

MOST_BUCKETS = 10_000
"""Of the history, at its finest, when one looks for the last step that moved a layer."""

MOVES = frozenset(("optimizer", "l1", "l2", "redraw"))
"""Edits by which parameters may move that have no gradient."""

TRACED_SECONDS = 0.25
"""Computing time that finding out since when something is so may take."""


class Doctor:
    """Examines the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._task = task_of(problem)
        sizes = problem.layout.sizes
        self._guess = 2.0 * step_seconds(sizes, 0, problem.train.count) + 0.001

    # ------------------------------------------------------------------ when

    def is_due(self, run: Run, now: float, *, paced: bool) -> bool:
        """Whether it is time to examine a run that moves, played at a speed (`paced`) or as fast as it goes."""
        case = run.case
        if not self.has_news(run):
            return False
        apart = (self._cost(run) + case.owed) / SHARE
        if paced:
            return now - case.looked_at >= max(apart, PACED_SECONDS)
        return run.seconds - case.run_seconds >= max(apart, UNPACED_SECONDS)

    def is_cheap(self, run: Run) -> bool:
        """Whether a run at rest may be examined while somebody waits for an answer."""
        return self.has_news(run) and self._cost(run) <= max(
            CHEAP, SHARE * (run.seconds - run.case.run_seconds)
        )

    def has_news(self, run: Run) -> bool:
        """Whether it stands where it has not been examined."""
        seen = run.case.examined
        return (run.state.step > 0 or run.diverged) and (
            seen is None or seen.step != run.state.step or seen.diverged_at != run.state.diverged_at
        )

    def _cost(self, run: Run) -> float:
        return self._guess if run.case.cost is None else run.case.cost

    # ------------------------------------------------------------------ how

    def examine(self, run: Run, now: float, clock: Clock) -> list[Finding]:
        """Look at the run; returns the findings that opened or closed.

        A rule that fails is a fault of ours: it is logged, once for a run, and costs nobody the run.
        """
        case, began, beyond = run.case, clock(), 0.0

        def timed(call: Callable[[], Any]) -> Any:
            """Something that not every examination needs."""
            nonlocal beyond
            asked = clock()
            found = call()
            beyond += clock() - asked
            return found

        changed: list[Finding] = []
        try:
            with np.errstate(all="ignore"):
                view = view_of(self._problem, self._task, run, timed)
                changed = examine(case.record, view, lambda trace: timed(lambda: self._since(run, trace)))
        except Exception:
            if not case.failed:
                _log.exception("run %s could not be examined at step %d", run.name, run.state.step)
            case.failed += 1
        case.examined = run.state.copy()
        took = clock() - began
        usual = took - beyond
        case.cost = usual if case.cost is None else case.cost + 0.3 * (usual - case.cost)
        case.owed = beyond
        case.spent += took
        case.examinations += 1
        case.run_seconds, case.looked_at = run.seconds, now
        return changed

    def _since(self, run: Run, trace: Trace) -> Since:
        """Since when a trace is there, by a replay from where it was not, or from as far back as is affordable."""
        problem, until = self._problem, run.state.step
        if (told := since_by_gradients(problem, run, trace)) is not None:
            return told

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


def since_by_gradients(problem: Problem, run: Run, trace: Trace) -> Since | None:
    """Since when a whole layer is dead, as its gradients tell it, which costs no replay; None where they do not.

    Under plain descent without penalties nothing moves the layer and those before it but their gradients. So it is
    dead, as it is now, since the last of these that was not 0; and that one needed a unit that was active.
    """
    settings = run.settings
    units = problem.layout.sizes[trace.layer]
    if trace.kind != "dead" or len(trace.units) < units or settings.optimizer != "sgd" or settings.penalised:
        return None
    told = run.window(None, None, MOST_BUCKETS)
    names = [f"grad_l1/{kind}{layer}" for layer in range(1, trace.layer + 1) for kind in "Wb"]
    moved = (told.maximum[[told.names.index(name) for name in names]] != 0.0).any(axis=0)
    places = np.flatnonzero(moved)
    last = int(places[-1]) if len(places) else None
    if last is not None and told.first[last] != told.last[last]:
        return None
    since = 0 if last is None else int(told.last[last]) + 1
    if any(edit.at_step >= since and MOVES & set(edit.given()) for edit in run.recipe.edits):
        return None
    return Since(since)


def is_there(problem: Problem, state: TrainingState, trace: Trace) -> bool:
    """Whether a state shows the trace."""
    if trace.kind == "dead":
        dead = silent(problem, state.parameters, trace.layer)
        return tuple(np.flatnonzero(dead).tolist()) == trace.units
    if trace.kind == "saturated":
        return bool(saturated(problem, state.parameters, trace.layer) >= trace.units[0])
    return tuple(map(tuple, alike(problem, state.parameters, trace.layer))) == trace.units
