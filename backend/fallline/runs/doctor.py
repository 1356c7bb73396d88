"""When a run is examined, and what that costs.

An examination reads the run and changes nothing of it. Its cost is measured with the clock that training is measured
with, and kept below `SHARE` of the run's computing time while that is what one waits for: what cannot be afforded yet
is put off. Told the time; must not know rules, watchers or what is done with findings.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection
from typing import Any, NoReturn

import numpy as np

from fallline.diagnosis.examine import examine
from fallline.diagnosis.rule import NotNow, Since, Trace
from fallline.engine.problem import Problem
from fallline.runs.allowance import SHARE
from fallline.runs.case import Case
from fallline.runs.cost import step_seconds
from fallline.runs.run import Run
from fallline.runs.run_view import task_of, view_of
from fallline.runs.tracing import found_by, search_seconds, since_by_gradients
from fallline.runs.trail import Search
from fallline.vocabulary.findings import Finding

Clock = Callable[[], float]

_log = logging.getLogger(__name__)

USUAL = 0.5
"""Of what may be spent, examinations as such take this part; the rest is saved for what not every one needs."""

PACED_SECONDS = 0.25
"""A run that is played at a speed, with time to spare, is examined no more often."""

UNPACED_SECONDS = 0.05
"""A run that goes as fast as it can is examined no more often than after so much computing."""

CREDIT_SECONDS = 0.1
"""What trying remedies may take beyond what was saved: whoever is told that something is wrong is told at once what
helps, which comes once, and is paid for afterwards.
"""

CHEAP = 0.03
"""At rest a run is examined once more before somebody is answered, if that takes no longer."""


class Doctor:
    """Examines the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._task = task_of(problem)
        self._guess = 4.0 * step_seconds(problem.layout.sizes, 0, problem.train.count) + 0.004

    # ------------------------------------------------------------------ when

    def trained(self, runs: Collection[Run], seconds: float) -> None:
        """One of the runs has computed for so long, which earns each an equal part: one whose steps cost next to
        nothing is looked at as soon as the others.
        """
        for run in runs:
            run.case.trains(seconds / len(runs))

    def is_due(self, run: Run, now: float, *, paced: bool) -> bool:
        """Whether it is time to examine a run that moves, played at a speed (`paced`) or as fast as it goes."""
        case, cost = run.case, self._cost(run)
        if not self.has_news(run):
            return False
        if self.is_last(run):
            return True
        if paced:
            return now - case.looked_at >= max((cost + case.owed) / SHARE, PACED_SECONDS)
        apart = max(cost / (USUAL * SHARE), UNPACED_SECONDS)
        return case.since_look >= apart and case.allowance.bears(cost)

    def is_cheap(self, run: Run) -> bool:
        """Whether a run at rest may be examined while somebody waits for an answer."""
        return self.has_news(run) and self._cost(run) <= max(CHEAP, SHARE * run.case.since_look)

    def is_last(self, run: Run) -> bool:
        """Whether it makes no more steps and has not been examined where it stands: why is told at once. That is one
        look, paid for as any other, and what costs more is put off as in any other.
        """
        return run.is_over and self._is_elsewhere(run)

    def has_news(self, run: Run) -> bool:
        """Whether it stands where it has not been examined, or not to the end."""
        return (run.state.step > 0 or run.diverged) and (run.case.is_unfinished or self._is_elsewhere(run))

    def _is_elsewhere(self, run: Run) -> bool:
        """Whether it does not stand where it was examined last."""
        seen = run.case.examined
        return seen is None or (seen.step, seen.diverged_at) != (run.state.step, run.state.diverged_at)

    def _cost(self, run: Run) -> float:
        return self._guess if run.case.cost is None else run.case.cost

    # ------------------------------------------------------------------ how

    def examine(self, run: Run, now: float, clock: Clock, *, hurries: bool = False) -> list[Finding]:
        """Look at the run; returns the findings that opened or closed. One that `hurries` waits for it meanwhile.

        A rule that fails is a fault of ours: it is logged, once for a run, and costs nobody the run.
        """
        case, began = run.case, clock()
        extras = Extras(case, clock, limited=hurries)
        changed: list[Finding] = []
        try:
            with np.errstate(all="ignore"):
                view = view_of(self._problem, self._task, run, extras.take, extras.attempt)
                changed = examine(case.record, view, lambda trace: self._since(run, trace, extras))
        except Exception:
            if not case.failed:
                _log.exception("run %s could not be examined at step %d", run.name, run.state.step)
            case.failed += 1
        case.leaves(run.state)
        case.sought, case.is_unfinished = extras.sought, extras.put_off
        took = clock() - began
        if hurries:
            case.waits(took)
        usual = took - extras.seconds
        case.cost = usual if case.cost is None else case.cost + 0.3 * (usual - case.cost)
        self._guess = case.cost  # of a run that was not examined yet, better than by its sizes
        case.owed = extras.seconds
        case.spent += took
        case.examinations += 1
        case.since_look, case.looked_at = 0.0, now
        return changed

    def _since(self, run: Run, trace: Trace, extras: Extras) -> Since:
        """Since when a trace is there. Raises NotNow where looking for it has to be put off."""
        problem = self._problem
        if (told := extras.take(0.0, lambda: since_by_gradients(problem, run, trace))) is not None:
            since: Since = told
            return since
        case, until = run.case, run.state.step
        again = case.sought.get(trace)
        extras.sought[trace] = search = again or Search(case.trail.before(until), until)
        if extras.limited and again is None:
            extras.defer()  # what is gone at the next examination need not be looked for
        expected = search_seconds(problem, run, search)
        found: Since = extras.take(expected, lambda: found_by(problem, run, search, trace, extras.left))
        return found


class Extras:
    """What an examination does beyond the usual: timed, and where training waits for it not beyond what is allowed.

    `sought` has what was looked for, or has to be; `put_off` says whether something has to be done yet.
    """

    def __init__(self, case: Case, clock: Clock, *, limited: bool) -> None:
        self._allowance, self._clock = case.allowance, clock
        self.limited = limited
        self.seconds = 0.0
        self.put_off = False
        self.sought: dict[Trace, Search] = {}

    @property
    def left(self) -> float:
        """Seconds that more may take."""
        return max(self._allowance.left - self.seconds, 0.0) if self.limited else math.inf

    def defer(self) -> NoReturn:
        self.put_off = True
        raise NotNow

    def take(self, expected: float, call: Callable[[], Any]) -> Any:
        """What `call` tells, which is expected to take so many seconds. Raises NotNow."""
        if self.limited and not self._allowance.bears(self.seconds + expected):
            self.defer()
        return self._timed(call)

    def attempt(self, expected: float, call: Callable[[], Any]) -> Any:
        """The same of what is done now or not at all: None where more would be owed than may be."""
        most = max(self._allowance.left, 0.0) + CREDIT_SECONDS if self.limited else math.inf
        return self._timed(call) if self.seconds + expected <= most else None

    def _timed(self, call: Callable[[], Any]) -> Any:
        began = self._clock()
        told = call()
        self.seconds += self._clock() - began
        return told
