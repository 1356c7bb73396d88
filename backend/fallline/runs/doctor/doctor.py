"""The examinations of one experiment's runs: which come next, what they may cost, and when they are made.

They are made beside training, before a response, and at rest. An examination only reads the run. Its step and its
result depend on the recipe; only its time depends on the machine. The clock of training measures its cost. Receives the
time; must not know rules, watchers or the use of findings.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias, TypeVar, cast
from weakref import WeakSet

import numpy as np

from fallline.diagnosis.examine import Record, changed, examine
from fallline.diagnosis.view import NotNow
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.runs.case import SHARE, Case, Examination, ExaminationCache, Key
from fallline.runs.checks.run import step_seconds
from fallline.runs.doctor.view import Parts, replay_seconds, state_at, task_of, view_of
from fallline.runs.past.replay import Clock
from fallline.runs.run import Run
from fallline.vocabulary.findings import Finding

_log = logging.getLogger(__name__)

T = TypeVar("T")

CHEAP_SECONDS = 0.03
"""Longest examinations of runs at rest that a response waits for."""

REBUILD_SECONDS = 0.005
"""Time of one slice of a replay that makes the track of a run again."""

TURN_SECONDS = 0.02
"""Time after which an expensive measurement goes on in a later turn. At rest, no other one begins after it."""


class Doctor:
    """Examines the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._task = task_of(problem)
        self._fingerprint = b""
        self.cache = ExaminationCache()
        self._guess = 4.0 * step_seconds(problem.layout.sizes, 0, problem.train.count) + 0.001

    def add_computing(self, runs: Collection[Run], seconds: float) -> None:
        """Give each run an equal part of this computing time."""
        for run in runs:
            run.case.add_computing(seconds / len(runs))

    # ------------------------------------------------------------------ what comes next

    def is_behind(self, run: Run) -> bool:
        """True if a scheduled examination up to the present step is missing."""
        return self._next(run) is not None

    def may_look(self, run: Run) -> bool:
        """True if the run rests between two examinations and nobody has looked."""
        latest = run.case.shown(run.state.step)
        return run.state.step > 0 and latest.step != run.state.step and not self.is_behind(run)

    def rebuild(self, run: Run, clock: Clock) -> float:
        """Replay a slice of a past whose track was not stored; return its seconds."""
        case, began = run.case, clock()
        state = case.rebuilt
        assert state is not None
        count = max(min(int(REBUILD_SECONDS / run.step_seconds), run.state.step - state.step), 0)
        case.track.append(advance(self._problem, state, run.recipe, count, run.kernel))
        if state.step >= run.state.step:
            case.rebuilt = None
        took = clock() - began
        case.spent += took
        return took

    def is_affordable(self, run: Run) -> bool:
        """True if the budget beside training covers the next examination."""
        return run.case.budget.affords(max(self.cost(run), run.case.needed))

    def is_cheap(self, run: Run, spent: float) -> bool:
        """True if a response may wait for one more examination, after so many seconds of them."""
        return spent + self.cost(run) <= max(CHEAP_SECONDS, SHARE * run.case.computed)

    def cost(self, run: Run) -> float:
        return self._guess if run.case.cost is None else run.case.cost

    def _next(self, run: Run) -> tuple[int, bool] | None:
        """Return the step of the next scheduled examination, and whether it is the last of a run that diverged."""
        record = run.case.record
        if record.step < 0:
            has_begun = run.state.step > 0 or run.diverged
            return (0, False) if has_begun else None
        step = run.next_examination(record.step)
        if step <= run.state.step:
            return step, False
        if run.diverged and run.case.shown(run.state.step).verdict != "diverged":
            return run.state.step, True
        return None

    # ------------------------------------------------------------------ examining

    def examine(self, run: Run, clock: Clock, *, limited: bool = False) -> tuple[bool, float]:
        """Make the next scheduled examination; return whether it was made, and its seconds.

        With `limited`, training waits, and the budget bounds the cost.
        """
        upcoming = self._next(run)
        assert upcoming is not None  # it is behind
        step, is_last = upcoming
        case = run.case
        began = clock()
        key = None if is_last else self._key(run, step)
        shared = None if key is None else self.cache.find(key)
        if shared is not None:
            case.complete(shared, key)
            took = clock() - began
            self._charge(case, took, None, limited=limited, done=True)
            return True, took
        extras = Extras(case, step, clock, limited=limited)
        failed = case.failed
        state = self._state(run, step, extras)
        record = None if state is None else self._examined(run, state, extras, diverged=is_last)
        took = clock() - began
        self._charge(case, took, extras, limited=limited, done=record is not None)
        if record is None or state is None:
            return False, took
        if is_last:
            case.look = record  # a fork goes on from the record before
            return True, took
        examination = Examination(record, state)
        if key is not None and case.failed == failed:
            self.cache.add(key, examination)
        case.complete(examination, key)
        return True, took

    def _key(self, run: Run, step: int) -> Key | None:
        """Return the key of this examination; None if other builds made a part of the run's past."""
        if run.is_rounded:
            return None
        self._fingerprint = self._fingerprint or self._problem.fingerprint()
        return run.case.key_at(step, self._fingerprint, run.recipe, run.kernel.name)

    def look(self, run: Run, clock: Clock) -> tuple[bool, float]:
        """Examine a run that rests between two examinations, which leaves no trace."""
        case = run.case
        extras = Extras(case, run.state.step, clock, limited=False)
        began = clock()
        record = self._examined(run, run.state, extras, diverged=run.diverged)
        took = clock() - began
        self._charge(case, took, extras, limited=False, done=record is not None)
        if record is not None:
            case.look = record
        return record is not None, took

    def news(self, run: Run) -> tuple[list[Finding], list[str]]:
        """Return the findings that changed since the last call, and the ids of withdrawn ones."""
        case, latest = run.case, run.case.shown(run.state.step)
        if latest is case.published:
            return [], []
        before, case.published = case.published, latest
        ids = {finding.id for finding in latest.findings}
        return changed(before, latest), [each.id for each in before.findings if each.id not in ids]

    def _state(self, run: Run, step: int, extras: Extras) -> TrainingState | None:
        try:
            return extras.take("state", replay_seconds(run, step), lambda: state_at(self._problem, run, step))
        except NotNow:
            return None

    def _examined(self, run: Run, state: TrainingState, extras: Extras, *, diverged: bool) -> Record | None:
        """Return the record after an examination in this state, or None if it continues later."""
        case = run.case
        try:
            with np.errstate(all="ignore"):
                view = view_of(
                    self._problem, self._task, run, state, case.record, extras.take, diverged=diverged
                )
                return examine(case.record, view)
        except NotNow:
            return None
        except Exception:
            if not case.failed:
                _log.exception("run %s could not be examined at step %d", run.name, state.step)
            case.failed += 1
            return replace(
                case.record, step=state.step, verdict="diverged" if diverged else case.record.verdict
            )

    def _charge(self, case: Case, took: float, extras: Extras | None, *, limited: bool, done: bool) -> None:
        """Charge an examination; without `extras` another run has made it, so the next one may cost more."""
        if limited:
            case.add_wait(took)
        case.spent += took
        case.needed = 0.0 if extras is None else extras.needed
        if done and extras is not None:
            routine = max(took - extras.seconds, 0.0)
            case.cost = routine if case.cost is None else case.cost + 0.3 * (routine - case.cost)
            self._guess = case.cost  # for a run without examinations, better than the estimate from its sizes
        if done:
            case.examinations += 1
            case.measured.clear()


class Extras:
    """The expensive measurements of one examination, within the budget if `limited`.

    Their results are kept until the examination is done. So one that is too expensive continues where it stopped.
    """

    def __init__(self, case: Case, step: int, clock: Clock, *, limited: bool) -> None:
        self._case, self._step, self._clock, self._limited = case, step, clock, limited
        self.seconds = 0.0
        self.needed = 0.0

    def take(self, name: str, expected: float, work: Callable[[], Parts[T]]) -> T:
        """Return the result of `work`, or raise NotNow over budget, or where it goes on in a later turn."""
        results = self._case.measured
        key = (self._step, name)
        if key not in results:
            self._check(expected)
            results[key] = work()
        if isinstance(results[key], Generator):
            results[key] = self._finished(results[key], counts=expected > 0.0)
        result: T = results[key]
        return result

    def _finished(self, parts: Parts[T], *, counts: bool) -> T:
        """Do the parts that are left and return the result, or raise NotNow after `TURN_SECONDS`."""
        began, before = self._clock(), self.seconds
        is_done, result = False, None
        while not is_done:
            try:
                next(parts)
            except StopIteration as end:
                is_done, result = True, end.value
            took = self._clock() - began
            if counts:
                self.seconds = before + took
            if not is_done and took > TURN_SECONDS:
                self._stop(0.0)
        return cast(T, result)

    def _check(self, expected: float) -> None:
        if not expected:
            return
        if self._limited:
            if not self._case.budget.affords(self.seconds + expected):
                self._stop(self.seconds + expected)
        elif self.seconds > 0.0 and self.seconds + expected > TURN_SECONDS:
            self._stop(0.0)

    def _stop(self, needed: float) -> NoReturn:
        self.needed = needed
        raise NotNow


# ---------------------------------------------------------------------- schedule

Runs: TypeAlias = Mapping[str, Run]

News: TypeAlias = Iterator[tuple[Run, list[Finding], list[str]]]
"""Runs with the findings that changed, and the ids of those that are no longer there. Iterating makes examinations."""

PACED_SECONDS = 0.004
"""Most seconds of examinations in a turn of a run that plays at a set speed and keeps up."""


ALL_SHARE, ALL_SAVED_SECONDS = 0.2, 0.05
"""Share of the time that examinations may take beside all experiments at set speeds, and the most that can be saved up.

One person's need 3 %. Those of a class whose recipes differ would need several processors: there steps, frames and
commands come first, and findings come later.
"""

ALONE_SHARE = 0.6
"""The same beside one experiment; two get half of it each. Before the kernels are compiled, one person's examinations
need half of the time for some seconds. With `ALL_SHARE` they were 25 s late.
"""


class Allowance:
    """Seconds that examinations beside play at a set speed may take, for all experiments of one worker.

    An experiment that has spent some waits until no other wants them. Then all of them are there.
    """

    moving: int = 0
    """The number of experiments that play."""

    spent: float = 0.0
    """The seconds of all of them so far."""

    def __init__(self) -> None:
        self._left = ALL_SAVED_SECONDS
        self._at = math.inf
        self._had: WeakSet[object] = WeakSet()

    def left(self, who: object, now: float) -> float:
        """Return the seconds that `who` may spend now; at most 0 is none."""
        earned = self._share * max(now - self._at, 0.0)
        self._left, self._at = min(self._left + earned, ALL_SAVED_SECONDS), now
        if self._left == ALL_SAVED_SECONDS:
            self._had.clear()
        return 0.0 if who in self._had else self._left

    @property
    def _share(self) -> float:
        """The share of the time that the experiments have together."""
        return max(ALONE_SHARE / self.moving, ALL_SHARE) if self.moving else ALL_SHARE

    def spend(self, who: object, seconds: float) -> None:
        self._left -= seconds
        self.spent += seconds
        self._had.add(who)


class ExaminationSchedule:
    """Makes the examinations of the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._doctor = Doctor(problem)
        self.allowance = Allowance()
        """For play at a set speed. The worker lets its experiments share one."""
        self.clock: Clock = float
        """Measures the time of examinations."""

    def share(self, allowance: Allowance, cache: ExaminationCache) -> None:
        """Share the time beside play, and examinations, with other experiments."""
        self.allowance, self._doctor.cache = allowance, cache

    def add_computing(self, runs: Runs, seconds: float) -> None:
        """Add the computing time of one run, which raises the budgets of all."""
        self._doctor.add_computing(runs.values(), seconds)

    def during_training(self, runs: Runs, now: float, *, paced: bool) -> News:
        """Examine runs at a set speed (`paced`) for a short time, and at full speed within the budget."""
        most = min(PACED_SECONDS, self.allowance.left(self, now)) / len(runs)
        for run in runs.values():
            spent = 0.0
            while (
                run.case.rebuilt is None
                and self._doctor.is_behind(run)
                and (spent < most if paced else self._doctor.is_affordable(run))
            ):
                is_done, took = self._doctor.examine(run, self.clock, limited=not paced)
                spent += took
                if paced:
                    self.allowance.spend(self, took)
                if not is_done:
                    break
            yield from self._news(run)

    def before_response(self, runs: Runs) -> News:
        """Examine runs up to their present step, as far as that is cheap."""
        spent = 0.0
        for run in runs.values():
            while self._is_missing(run) and self._doctor.is_cheap(run, spent):
                spent += self._one_more(run)
            yield from self._news(run)

    def is_examined(self, run: Run, step: int) -> bool:
        """True if the findings of the run are complete up to that step."""
        if step < run.state.step:
            return run.next_examination(run.case.record.step) > step
        return not self._is_missing(run)

    def is_complete(self, runs: Runs) -> bool:
        """True if no examination of a run up to its present step is missing, nor a look at it."""
        return not any(map(self._is_missing, runs.values()))

    def when_idle(self, runs: Runs) -> News:
        """Make one of the missing examinations."""
        run = next(filter(self._is_missing, runs.values()), None)
        if run is not None:
            self._one_more(run)
            yield from self._news(run)

    def _is_missing(self, run: Run) -> bool:
        return self._doctor.is_behind(run) or self._doctor.may_look(run)

    def _one_more(self, run: Run) -> float:
        """Make or continue an examination, or a slice of its run's past; return its seconds."""
        if run.case.rebuilt is not None:
            return self._doctor.rebuild(run, self.clock)
        examine = self._doctor.examine if self._doctor.is_behind(run) else self._doctor.look
        return examine(run, self.clock)[1]

    def _news(self, run: Run) -> News:
        findings, withdrawn_ids = self._doctor.news(run)
        if findings or withdrawn_ids:
            yield run, findings, withdrawn_ids


# ---------------------------------------------------------------------- waiting


@dataclass(frozen=True, slots=True, eq=False)
class WaitsForFindings:
    """Waits for the findings of runs up to these generations and steps, at most until the time `until`.

    `done` gets what `see` returns.
    """

    targets: Mapping[str, tuple[int, int]]
    until: float
    see: Callable[[], Any]
    done: Callable[[Any], None]

    def is_over(self, runs: Mapping[str, Run], is_examined: Callable[[Run, int], bool], now: float) -> bool:
        """Return whether it need not wait: a run that is gone, or has another past, is not waited for."""
        if now >= self.until:
            return True
        waits = (
            runs[name]
            for name, (generation, _) in self.targets.items()
            if name in runs and runs[name].generation == generation
        )
        return all(is_examined(run, self.targets[run.name][1]) for run in waits)
