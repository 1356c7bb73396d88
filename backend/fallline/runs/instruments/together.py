"""All that a page shows of the runs of an experiment, measured on copies of one moment.

Owns which parts belong to it. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from fallline.engine.kernels.interface import Kernel
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.instruments.fit import curve
from fallline.runs.instruments.inspection import inspection
from fallline.runs.instruments.moment import readings
from fallline.runs.instruments.predictions import decision_map
from fallline.runs.instruments.table import INSTRUMENTS
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import RunRecipe


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts beside the units of every run.

    `weights` is the number of cells along a side, for the run `drawn` or for all. The map is over the inputs `x` and
    `y`, for the runs `mapped` or for all. The curve is over the only input. The next change of the run `inspect` has
    `rows` rows from row `first` on, and blocks of `block`.
    """

    predictions: Literal["all", "pairs", "predicted", "none"] = "none"
    weights: int | None = None
    drawn: str | None = None
    map: bool = False
    mapped: Sequence[str] | None = None
    curve: bool = False
    x: str | None = None
    y: str | None = None
    inspect: str | None = None
    first: int = 0
    rows: int | None = None
    block: int | None = None

    @property
    def named(self) -> list[str]:
        """The runs that it names."""
        return [name for name in (self.drawn, self.inspect, *(self.mapped or ())) if name is not None]


@dataclass(frozen=True, slots=True)
class RunAtMoment:
    """A run at one moment: its part of a frame (`header`) with its latest records, and a copy of its state.

    The `kernel` is the one that makes the run's steps.
    """

    name: str
    header: Json
    state: TrainingState
    recipe: RunRecipe
    kernel: Kernel


SHORT_WORK = 1_000_000
"""Samples times parameters of all runs, up to which a moment takes a few milliseconds."""


def is_short(problem: Problem, runs: int, parts: Parts) -> bool:
    """Return whether the parts of so many runs are measured in a few milliseconds."""
    is_costly = parts.map or parts.curve or parts.inspect is not None
    samples = problem.train.count + (0 if problem.test is None else problem.test.count)
    return not is_costly and runs * samples * problem.layout.count <= SHORT_WORK


def together(problem: Problem, runs: Iterable[RunAtMoment], parts: Parts) -> Json:
    """Return header and requested parts of each run, by name."""
    return {"runs": {run.name: {**run.header, **_parts_of(problem, run, parts)} for run in runs}}


def _parts_of(problem: Problem, run: RunAtMoment, parts: Parts) -> Json:
    at = (problem, run.state, run.recipe)
    # the run's last record is of the step before, or of an evaluation point
    present = readings(*at, run.kernel)["latest"]
    place = {"step": run.state.step, "generation": run.header["generation"]}
    weights = parts.weights if parts.drawn in (None, run.name) else None
    views = INSTRUMENTS["views"].measure(*at, predictions=parts.predictions, weights=weights)
    runs_on = run.state.diverged_at is None
    if parts.map and runs_on and (parts.mapped is None or run.name in parts.mapped):
        views["map"] = {**place, **decision_map(*at, x=parts.x, y=parts.y)}
    if parts.curve and runs_on:
        views["curve"] = {**place, **curve(*at)}
    if parts.inspect == run.name:
        sheet = inspection(*at, rows=parts.rows, first=parts.first, block=parts.block)
        views["sheet"] = {**place, **sheet}
    return {"latest": run.header["latest"] | present, **views}
