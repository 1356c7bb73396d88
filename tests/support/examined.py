"""An experiment without threads, trained and examined in slices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.interface import Later
from fallline.runs.doctor.view import Parts
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Event
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.errors import FalllineError
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.clocks import Clock

T = TypeVar("T")


def until_answered(one: Experiment, clock: Callable[[], float], begin: Callable[[Later], None]) -> Json:
    """Begin a request and work until its answer, which is raised if it is an error."""
    answers: list[Json | FalllineError] = []
    begin(answers.append)
    while not answers:
        one.work(0.005, clock(), clock)
    answer = answers[0]
    if isinstance(answer, FalllineError):
        raise answer
    return answer


def settle(one: Experiment, clock: Callable[[], float]) -> None:
    """Make the examinations that are missing in an experiment at rest."""
    while one.wake_at(now := clock()) is not None:
        one.work(0.005, now, clock)


def take_whole(name: str, expected: float, work: Callable[[], Parts[T]]) -> T:
    """Take a measurement of the Doctor with all its parts at once, at any cost."""
    parts = work()
    while True:
        try:
            next(parts)
        except StopIteration as end:
            result: T = end.value
            return result


class Examined:
    """An experiment; `step` makes steps and waits for the answer."""

    def __init__(self, recipe: Recipe | Json, kernels: Kernels | None = None) -> None:
        recipe = recipe if isinstance(recipe, Recipe) else Recipe.model_validate(recipe)
        # With such a slow clock, a run is examined only when it is paused.
        self.clock = Clock(tick=1e-6)
        self.one = Experiment("x", recipe, kernels)

    def step(self, steps: int, slice: int | None = None) -> Json:
        """Make steps in slices of this length. Returns the last state."""
        state = self.one.state()
        slice = steps if slice is None else slice
        for start in range(0, steps, slice):
            if all(run.diverged for run in self.one.runs.values()):
                break
            count = min(slice, steps - start)
            state = until_answered(self.one, self.clock, partial(self.one.step, self.clock.now, steps=count))
        settle(self.one, self.clock)
        return state

    def fork(self, **fields: Any) -> Json:
        """Add a run that continues from another one. Returns its state."""
        body = AddRun.model_validate(fields)
        return until_answered(self.one, self.clock, partial(self.one.fork, body, self.clock.now))

    def findings(self, run: str | None = None) -> list[Json]:
        """Return the findings of a run, by default of the first."""
        runs = self.one.runs
        return runs[run or next(iter(runs))].findings()

    def open(self, run: str | None = None) -> list[Json]:
        return [each for each in self.findings(run) if each["until_step"] is None]

    def problem_rules(self, run: str | None = None) -> list[str]:
        """Return the rules of all problems and warnings."""
        return [each["rule"] for each in self.findings(run) if each["severity"] != "info"]

    def events(self) -> list[Json]:
        return [item.message for item in self.one.take_outgoing() if isinstance(item, Event)]
