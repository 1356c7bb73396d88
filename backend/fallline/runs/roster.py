"""The runs of one experiment by their names: how one is made, whether it may join, and as which generation of its name.

Owns what all runs share and are checked against. Must not know how runs are stepped, told of or stored.
"""

from __future__ import annotations

from collections.abc import Mapping

from fallline.engine.kernels.choice import Kernels
from fallline.engine.kernels.table import Kernel
from fallline.engine.problem import Problem
from fallline.engine.series import evaluated_series
from fallline.runs.checkpoints import Room
from fallline.runs.recipe_check import check_run
from fallline.runs.run import Run
from fallline.vocabulary.errors import Conflict, NotFound, TooExpensive
from fallline.vocabulary.recipe import MOST_RUNS, Recipe, RunRecipe


class Roster:
    """Who races: at first the runs of the recipe `shared`, in its order."""

    def __init__(self, shared: Recipe, problem: Problem, kernels: Kernels, room: Room | None) -> None:
        self._shared = shared
        self._problem = problem
        self._kernels = kernels
        self._room = room
        self._generations: dict[str, int] = {}
        self.runs = {run.name: self.new_run(run) for run in shared.runs}

    def put_back(self, runs: dict[str, Run], gone: Mapping[str, int]) -> None:
        """As it was when it was stored; `gone` are the generations of names that no run has any more."""
        self.runs, self._generations = runs, dict(gone)

    @property
    def recipe(self) -> Recipe:
        """The recipe with all edits so far."""
        return self._shared.model_copy(update={"runs": [run.recipe for run in self.runs.values()]})

    def find(self, name: str) -> Run:
        """The run of that name. Raises NotFound."""
        try:
            return self.runs[name]
        except KeyError:
            raise NotFound("this experiment has no run of that name") from None

    def chosen(self, name: str | None) -> list[Run]:
        """One run, or all."""
        return list(self.runs.values()) if name is None else [self.find(name)]

    # ------------------------------------------------------------------ coming and going

    def new_run(self, recipe: RunRecipe, kernel: Kernel | None = None) -> Run:
        """A run at step 0, from the initial parameters that all runs share; it has not joined."""
        return Run(self._problem, recipe, self._kernels, kernel, self._room)

    def checked(self, recipe: RunRecipe) -> RunRecipe:
        """The recipe of a run, filled in. Raises InvalidRequest or TooExpensive."""
        sizes, series = self._problem.layout.sizes, evaluated_series(self._problem)
        return check_run(recipe, "", self._shared, sizes, series)

    def check_place_for(self, name: str) -> None:
        """Raises TooExpensive where there are as many runs as may be, Conflict where one has that name."""
        if len(self.runs) >= MOST_RUNS:
            raise TooExpensive("runs", MOST_RUNS, len(self.runs) + 1)
        if name in self.runs:
            raise Conflict("a run of that name exists already")

    def free_name(self) -> str:
        """A name for a run that was given none."""
        place = len(self.runs) + 1
        while f"run-{place}" in self.runs:
            place += 1
        return f"run-{place}"

    def join(self, run: Run) -> None:
        """From here on it races, as the next generation of its name."""
        run.generation = self._generations.get(run.name, -1) + 1
        self.runs[run.name] = run

    def leave(self, run: Run) -> None:
        """It races no more."""
        self._generations[run.name] = run.generation
        del self.runs[run.name]
