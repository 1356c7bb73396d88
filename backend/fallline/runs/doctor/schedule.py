"""When the examinations of an experiment's runs are made: beside training, before a response, and at rest.

Their steps are fixed by the recipe. Must not know rules, nor the use of findings. Receives a clock for measuring.
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

News: TypeAlias = Iterator[tuple[Run, list[Finding], list[str]]]
"""Runs with the findings that changed, and the ids of those that are no longer there. Iterating makes examinations."""

PACED_SECONDS = 0.004
"""Most seconds of examinations in a turn of a run that plays at a set speed and keeps up."""


class ExaminationSchedule:
    """Makes the examinations of the runs of one experiment."""

    def __init__(self, problem: Problem) -> None:
        self._doctor = Doctor(problem)
        self.clock: Clock = float
        """Measures the time of examinations."""

    def add_computing(self, runs: Runs, seconds: float) -> None:
        """Add the computing time of one run, which raises the budgets of all."""
        self._doctor.add_computing(runs.values(), seconds)

    def during_training(self, runs: Runs, *, paced: bool) -> News:
        """Examine runs at a set speed (`paced`) for a short time, and at full speed within the budget."""
        for run in runs.values():
            spent = 0.0
            while (
                run.case.rebuilt is None
                and self._doctor.is_behind(run)
                and (spent < PACED_SECONDS / len(runs) if paced else self._doctor.is_affordable(run))
            ):
                made, took = self._doctor.examine(run, self.clock, limited=not paced)
                spent += took
                if not made:
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
        made = self._doctor.examine if self._doctor.is_behind(run) else self._doctor.look
        return made(run, self.clock)[1]

    def _news(self, run: Run) -> News:
        findings, gone = self._doctor.news(run)
        if findings or gone:
            yield run, findings, gone
