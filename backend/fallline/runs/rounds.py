"""The Doctor's rounds: which run is examined beside the training, which before somebody is answered, which at rest.

Owns what was put off until there is nothing else to do. Must not know rules, what an examination costs, or what is done
with findings. Told the time and handed a clock for measuring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from fallline.engine.problem import Problem
from fallline.runs.doctor import Doctor
from fallline.runs.run import Clock, Run
from fallline.vocabulary.findings import Finding

Runs: TypeAlias = Mapping[str, Run]

Found: TypeAlias = Iterator[tuple[Run, Finding]]
"""What opens or closes, as it is found: the examinations are made while one goes through it."""


class Rounds:
    """Has the runs of one experiment examined."""

    def __init__(self, problem: Problem) -> None:
        self._doctor = Doctor(problem)
        self._put_off: dict[str, None] = {}  # in the order of the runs
        self.clock: Clock = float
        """Measures what examinations take."""

    def trained(self, runs: Runs, seconds: float) -> None:
        """One of the runs has computed for so long, by which all earn to be examined."""
        self._doctor.trained(runs.values(), seconds)

    def beside_training(self, runs: Runs, now: float, *, paced: bool) -> Found:
        """Those for which it is time, while they are played at a speed (`paced`) or go as fast as they can."""
        for run in runs.values():
            if self._doctor.is_due(run, now, paced=paced):
                yield from self._examine(run, now, hurries=not paced)

    def before_an_answer(self, runs: Runs, now: float) -> Found:
        """All that stand where they were not seen, if that is cheap or the last time; else it is put off."""
        for run in runs.values():
            if self._doctor.is_cheap(run):
                yield from self._examine(run, now)
            elif self._doctor.is_last(run):
                yield from self._examine(run, now, hurries=True)
            elif self._doctor.has_news(run):
                self._put_off[run.name] = None

    def has_put_off(self, runs: Runs) -> bool:
        """Whether there is a run for whose examination nobody was to wait."""
        return self._next(runs) is not None

    def at_rest(self, runs: Runs, now: float) -> Found:
        """The first of those that were put off."""
        if (run := self._next(runs)) is not None:
            yield from self._examine(run, now)

    def _next(self, runs: Runs) -> Run | None:
        put_off = (runs[name] for name in self._put_off if name in runs)
        return next((run for run in put_off if self._doctor.has_news(run)), None)

    def _examine(self, run: Run, now: float, *, hurries: bool = False) -> Found:
        self._put_off.pop(run.name, None)
        for finding in self._doctor.examine(run, now, self.clock, hurries=hurries):
            yield run, finding
        if run.case.is_unfinished:
            self._put_off[run.name] = None
