"""The data of an experiment for exports: plain and constant.

Must not know the kinds of files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fallline.engine.problem import Problem
from fallline.figures.binding import MOST_POINTS
from fallline.figures.view import FigureView
from fallline.runs.experiment import Experiment
from fallline.runs.run import Run
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.findings import Verdict
from fallline.vocabulary.journal import Json
from fallline.vocabulary.messages import MOST_BUCKETS
from fallline.vocabulary.recipe import Recipe, RunRecipe


@dataclass(frozen=True, slots=True)
class ExportRun:
    """A run at `step`: its recipe with all edits, its parameters, and its history, with the series that were read."""

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
    verdict: Verdict

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def label(self) -> str:
        return self.recipe.label or self.recipe.name


@dataclass(frozen=True, slots=True)
class ExportData:
    """An experiment at one moment, with all runs or with one (`of_one`).

    `recipe` and `figures` have the same runs; `builds` are the versions of this server.
    """

    recipe: Recipe
    problem: Problem
    runs: tuple[ExportRun, ...]
    figures: FigureView
    builds: Mapping[str, str]
    of_one: bool


def export_data(
    experiment: Experiment,
    run: str | None = None,
    *,
    series: tuple[str, ...] | None = None,
    points: int = MOST_POINTS,
) -> ExportData:
    """Return the data of all runs or of one. Raises NotFound.

    The histories have only these `series` (None: all), the figures at most so many `points`. A long history takes up
    to 12 MB, so a file reads only what it shows.
    """
    runs = list(experiment.runs.values()) if run is None else [experiment.run(run)]
    recipe = experiment.recipe.model_copy(update={"runs": [each.recipe for each in runs]})
    builds = runs[0].provenance.builds
    figures = experiment.figure_view(None if run is None else [run], points)
    data = tuple(_run_data(each, series) for each in runs)
    return ExportData(recipe, experiment.problem, data, figures, builds, run is not None)


def _run_data(run: Run, series: tuple[str, ...] | None) -> ExportRun:
    return ExportRun(
        recipe=run.recipe,
        step=run.state.step,
        samples_seen=run.state.samples_seen,
        diverged=run.diverged,
        generation=run.generation,
        kernel=run.kernel.name,
        parameters=run.state.parameters.copy(),
        history=_history(run, series),
        every_step=run.every_step,
        findings=tuple(run.findings()),
        verdict=run.case.shown(run.state.step).verdict,
    )


def _history(run: Run, series: tuple[str, ...] | None) -> Buckets:
    if series == ():
        return Buckets.empty(())
    history = run.window(None, None, MOST_BUCKETS)
    return history if series is None else history.select(series)
