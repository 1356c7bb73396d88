"""An experiment without threads, trained and examined in slices."""

from __future__ import annotations

from typing import Any

from fallline.engine.kernels.choice import Kernels
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Event
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock

Json = dict[str, Any]


class Examined:
    """An experiment; `step` makes steps and waits for the answer."""

    def __init__(self, recipe: Recipe | Json, kernels: Kernels | None = None) -> None:
        recipe = recipe if isinstance(recipe, Recipe) else Recipe.model_validate(recipe)
        # With such a slow clock, a run is examined only when it is paused.
        self.clock = Clock(tick=1e-6)
        self.one = Experiment("x", recipe, kernels)

    def step(self, steps: int, slice: int | None = None) -> Json:
        """Make steps in slices of this length. Returns the last state."""
        answers: list[Json] = [self.one.state()]
        slice = steps if slice is None else slice
        for start in range(0, steps, slice):
            if all(run.diverged for run in self.one.runs.values()):
                break
            answers.clear()
            self.one.step(self.clock.now, answers.append, steps=min(slice, steps - start))
            while not answers:
                self.one.work(0.005, self.clock(), self.clock)
        return answers[0]

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
