"""The examination schedule: which runs are examined when.

Owns the deferred examinations. Must not know rules, costs, or the use of findings. Receives the time, and a clock for
measuring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from fallline.engine.problem import Problem
from fallline.runs.doctor.doctor import Doctor
from fallline.runs.past.replay import Clock
from fallline.runs.run import Run
from fallline.vocabulary.findings import Finding

Runs: TypeAlias = Mapping[str, Run]

Findings: TypeAlias = Iterator[tuple[Run, Finding]]
"""Findings that open or close. Iterating makes the examinations."""


class ExaminationSchedule:
    """Schedules the examinations of the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._doctor = Doctor(problem)
        self._deferred: dict[str, None] = {}  # names of runs, in order
        self.clock: Clock = float
        """Measures the time of examinations."""

    def add_computing(self, runs: Runs, seconds: float) -> None:
        """Add the computing time of one run, which raises the budgets of all."""
        self._doctor.add_computing(runs.values(), seconds)

    def during_training(self, runs: Runs, now: float, *, paced: bool) -> Findings:
        """Examine the runs that are due, at a set speed (`paced`) or at full speed."""
        for run in runs.values():
            if self._doctor.is_due(run, now, paced=paced):
                yield from self._examine(run, now, limited=not paced)

    def before_response(self, runs: Runs, now: float) -> Findings:
        """Examine runs with new states if cheap or over; defer the others."""
        for run in runs.values():
            if self._doctor.is_cheap(run):
                yield from self._examine(run, now)
            elif self._doctor.is_last(run):
                yield from self._examine(run, now, limited=True)
            elif self._doctor.has_news(run):
                self._deferred[run.name] = None

    def has_deferred(self, runs: Runs) -> bool:
        """True if an examination is deferred."""
        return self._next(runs) is not None

    def when_idle(self, runs: Runs, now: float) -> Findings:
        """Make the first of the deferred examinations."""
        if (run := self._next(runs)) is not None:
            yield from self._examine(run, now)

    def _next(self, runs: Runs) -> Run | None:
        deferred = (runs[name] for name in self._deferred if name in runs)
        return next((run for run in deferred if self._doctor.has_news(run)), None)

    def _examine(self, run: Run, now: float, *, limited: bool = False) -> Findings:
        self._deferred.pop(run.name, None)
        for finding in self._doctor.examine(run, now, self.clock, limited=limited):
            yield run, finding
        if run.case.is_unfinished:
            self._deferred[run.name] = None
