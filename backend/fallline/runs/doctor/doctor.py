"""When a run is examined, and the cost of that.

An examination only reads the run. The clock of training measures its cost. At full speed it stays below `SHARE` of the
run's computing time, and checks over budget run later. Receives the time; must not know rules, watchers or the use of
findings.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection
from typing import NoReturn, TypeVar

import numpy as np

from fallline.diagnosis.examine import examine
from fallline.diagnosis.rule import NotNow, Since, Trace
from fallline.engine.problem import Problem
from fallline.runs.case import SHARE, Case
from fallline.runs.checks.bounds import step_seconds
from fallline.runs.doctor.tracing import search_seconds, since_by_gradients, since_by_replay
from fallline.runs.doctor.view import task_of, view_of
from fallline.runs.past.checkpoints import Search
from fallline.runs.run import Run
from fallline.vocabulary.findings import Finding

Clock = Callable[[], float]
T = TypeVar("T")

_log = logging.getLogger(__name__)

ROUTINE_SHARE = 0.5
"""Share of the budget for routine checks; the rest is saved for expensive ones."""

PACED_SECONDS = 0.25
"""Shortest interval between examinations of a run that plays at a set speed."""

UNPACED_SECONDS = 0.05
"""Least computing time between examinations at full speed."""

CREDIT_SECONDS = 0.1
"""Most time of trials beyond the saved budget: a finding opens with its remedies, and the run pays for them later."""

CHEAP_SECONDS = 0.03
"""Longest examination of a run at rest that a response waits for."""


class Doctor:
    """Examines the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._task = task_of(problem)
        self._guess = 4.0 * step_seconds(problem.layout.sizes, 0, problem.train.count) + 0.004

    # ------------------------------------------------------------------ timing

    def add_computing(self, runs: Collection[Run], seconds: float) -> None:
        """Give each run an equal part of this computing time."""
        for run in runs:
            run.case.add_computing(seconds / len(runs))

    def is_due(self, run: Run, now: float, *, paced: bool) -> bool:
        """True if an examination is due, at a set speed (`paced`) or at full speed."""
        case, cost = run.case, self._cost(run)
        if not self.has_news(run):
            return False
        if self.is_last(run):
            return True
        if paced:
            return now - case.examined_at >= max((cost + case.debt) / SHARE, PACED_SECONDS)
        apart = max(cost / (ROUTINE_SHARE * SHARE), UNPACED_SECONDS)
        return case.computed_since >= apart and case.budget.affords(cost)

    def is_cheap(self, run: Run) -> bool:
        """True if a run at rest may be examined before a response."""
        return self.has_news(run) and self._cost(run) <= max(CHEAP_SECONDS, SHARE * run.case.computed_since)

    def is_last(self, run: Run) -> bool:
        """True if the run is over and not examined at its last step.

        That examination counts as any other, and defers expensive checks as any other.
        """
        return run.is_over and self._is_elsewhere(run)

    def has_news(self, run: Run) -> bool:
        """True if its present state is not examined, or not completely."""
        return (run.state.step > 0 or run.diverged) and (run.case.is_unfinished or self._is_elsewhere(run))

    def _is_elsewhere(self, run: Run) -> bool:
        """True if its state differs from the last one examined."""
        state = run.case.examined
        return state is None or (state.step, state.diverged_at) != (run.state.step, run.state.diverged_at)

    def _cost(self, run: Run) -> float:
        return self._guess if run.case.cost is None else run.case.cost

    # ------------------------------------------------------------------ examining

    def examine(self, run: Run, now: float, clock: Clock, *, limited: bool = False) -> list[Finding]:
        """Examine the run; return the findings that opened or closed.

        With `limited`, training waits, and the budget bounds the cost. A failing rule is logged, once for a run, and
        the run continues.
        """
        case, began = run.case, clock()
        extras = Extras(case, clock, limited=limited)
        changed: list[Finding] = []
        try:
            with np.errstate(all="ignore"):
                view = view_of(self._problem, self._task, run, extras.take, extras.attempt)
                changed = examine(case.record, view, lambda trace: self._since(run, trace, extras))
        except Exception:
            if not case.failed:
                _log.exception("run %s could not be examined at step %d", run.name, run.state.step)
            case.failed += 1
        case.mark_examined(run.state)
        case.searches, case.is_unfinished = extras.searches, extras.has_deferred
        took = clock() - began
        if limited:
            case.add_wait(took)
        routine = took - extras.seconds
        case.cost = routine if case.cost is None else case.cost + 0.3 * (routine - case.cost)
        self._guess = case.cost  # for a run without examinations, better than the estimate from its sizes
        case.debt = extras.seconds
        case.spent += took
        case.examinations += 1
        case.computed_since, case.examined_at = 0.0, now
        return changed

    def _since(self, run: Run, trace: Trace, extras: Extras) -> Since:
        """Return the first step of a trace. Raises NotNow if the search is deferred."""
        problem = self._problem
        since = extras.take(0.0, lambda: since_by_gradients(problem, run, trace))
        if since is not None:
            return since
        case, until = run.case, run.state.step
        earlier = case.searches.get(trace)
        extras.searches[trace] = search = earlier or Search(case.recent_states.before(until), until)
        if extras.limited and earlier is None:
            extras.defer()  # a trace that is gone at the next examination needs no search
        expected = search_seconds(problem, run, search)
        return extras.take(expected, lambda: since_by_replay(problem, run, search, trace, extras.left))


class Extras:
    """The expensive checks of one examination, within the budget if `limited`.

    `searches` has the searches done or deferred; `has_deferred` says whether any check was deferred.
    """

    def __init__(self, case: Case, clock: Clock, *, limited: bool) -> None:
        self._budget, self._clock = case.budget, clock
        self.limited = limited
        self.seconds = 0.0
        self.has_deferred = False
        self.searches: dict[Trace, Search] = {}

    @property
    def left(self) -> float:
        """Seconds left for further checks."""
        return max(self._budget.left - self.seconds, 0.0) if self.limited else math.inf

    def defer(self) -> NoReturn:
        self.has_deferred = True
        raise NotNow

    def take(self, expected: float, call: Callable[[], T]) -> T:
        """Return the result of `call`, or raise NotNow over budget."""
        if self.limited and not self._budget.affords(self.seconds + expected):
            self.defer()
        return self._timed(call)

    def attempt(self, expected: float, call: Callable[[], T]) -> T | None:
        """Return the result of `call`, or None if the debt would be too large."""
        most = max(self._budget.left, 0.0) + CREDIT_SECONDS if self.limited else math.inf
        return self._timed(call) if self.seconds + expected <= most else None

    def _timed(self, call: Callable[[], T]) -> T:
        began = self._clock()
        result = call()
        self.seconds += self._clock() - began
        return result
