"""The runs of one experiment by name, and what all of them share."""

from __future__ import annotations

from collections.abc import Mapping

from fallline.engine.kernels.choice import Kernels
from fallline.engine.kernels.table import Kernel
from fallline.engine.problem import Problem
from fallline.engine.series import evaluated_series
from fallline.runs.checks.run import check_run
from fallline.runs.past.checkpoints import CheckpointBudget
from fallline.runs.run import Run
from fallline.vocabulary.errors import Conflict, NotFound, TooExpensive
from fallline.vocabulary.recipe import MOST_RUNS, Recipe, RunRecipe


class RunRegistry:
    """The runs by name; at first those in the recipe `shared`, in its order."""

    def __init__(
        self, shared: Recipe, problem: Problem, kernels: Kernels, checkpoint_budget: CheckpointBudget | None
    ) -> None:
        self._shared = shared
        self._problem = problem
        self._kernels = kernels
        self._checkpoint_budget = checkpoint_budget
        self._generations: dict[str, int] = {}
        self.runs = {run.name: self.new_run(run) for run in shared.runs}

    def restore(self, runs: dict[str, Run], removed: Mapping[str, int]) -> None:
        """Restore stored runs; `removed` has the generations of names without a run."""
        self.runs, self._generations = runs, dict(removed)

    @property
    def recipe(self) -> Recipe:
        """Recipe with all edits so far."""
        return self._shared.model_copy(update={"runs": [run.recipe for run in self.runs.values()]})

    def find(self, name: str) -> Run:
        """Return the run of that name. Raises NotFound."""
        try:
            return self.runs[name]
        except KeyError:
            raise NotFound("this experiment has no run of that name") from None

    def select(self, name: str | None) -> list[Run]:
        """Return one run, or all for None."""
        return list(self.runs.values()) if name is None else [self.find(name)]

    # ------------------------------------------------------------------ adding and removing

    def new_run(self, recipe: RunRecipe, kernel: Kernel | None = None) -> Run:
        """Return a run at step 0 with the shared initial parameters; it has not joined."""
        return Run(self._problem, recipe, self._kernels, kernel, self._checkpoint_budget)

    def checked(self, recipe: RunRecipe) -> RunRecipe:
        """Return a run's recipe, filled in. Raises InvalidRequest or TooExpensive."""
        sizes, series = self._problem.layout.sizes, evaluated_series(self._problem)
        return check_run(recipe, "", self._shared, sizes, series)

    def check_place_for(self, name: str) -> None:
        """Raise TooExpensive for too many runs, Conflict for a used name."""
        if len(self.runs) >= MOST_RUNS:
            raise TooExpensive("runs", MOST_RUNS, len(self.runs) + 1)
        if name in self.runs:
            raise Conflict("a run of that name exists already")

    def free_name(self) -> str:
        """Return an unused name for a new run."""
        place = len(self.runs) + 1
        while f"run-{place}" in self.runs:
            place += 1
        return f"run-{place}"

    def join(self, run: Run) -> None:
        """Add a run as the next generation of its name."""
        run.generation = self._generations.get(run.name, -1) + 1
        self.runs[run.name] = run

    def leave(self, run: Run) -> None:
        """Remove a run and remember its generation."""
        self._generations[run.name] = run.generation
        del self.runs[run.name]
