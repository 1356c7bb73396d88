"""What exports see of an experiment: plain data that no longer changes. Must not know what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.problem import Problem
from fallline.figures import FigureView
from fallline.runs.experiment import Experiment
from fallline.runs.run import Run
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.findings import Json
from fallline.vocabulary.messages import MOST_BUCKETS
from fallline.vocabulary.recipe import Recipe, RunRecipe

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TakenRun:
    """A run after `step` steps: its recipe with all edits, its parameters, and the history that is held of it."""

    recipe: RunRecipe
    step: int
    samples_seen: int
    diverged: bool
    generation: int
    kernel: str
    parameters: Array
    history: Buckets
    every_step: frozenset[str]
    findings: tuple[Json, ...]

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def label(self) -> str:
        """What people read."""
        return self.recipe.label or self.recipe.name


@dataclass(frozen=True, slots=True)
class Taken:
    """An experiment at one moment, with all of its runs or the one that was asked for (`of_one`).

    `recipe` and `figures` hold the same runs; `builds` are what this server computes with.
    """

    recipe: Recipe
    problem: Problem
    runs: tuple[TakenRun, ...]
    figures: FigureView
    builds: Mapping[str, str]
    of_one: bool


def taken(experiment: Experiment, run: str | None = None) -> Taken:
    """Everything that can be taken away, of all runs or of one. Raises NotFound."""
    runs = list(experiment.runs.values()) if run is None else [experiment.run(run)]
    recipe = experiment.recipe.model_copy(update={"runs": [each.recipe for each in runs]})
    builds = runs[0].provenance.builds
    figures = experiment.figure_view(None if run is None else [run])
    return Taken(recipe, experiment.problem, tuple(map(_taken, runs)), figures, builds, run is not None)


def _taken(run: Run) -> TakenRun:
    return TakenRun(
        recipe=run.recipe,
        step=run.state.step,
        samples_seen=run.state.samples_seen,
        diverged=run.diverged,
        generation=run.generation,
        kernel=run.kernel.name,
        parameters=run.state.parameters.copy(),
        history=run.window(None, None, MOST_BUCKETS),
        every_step=run.every_step,
        findings=tuple(run.findings()),
    )
