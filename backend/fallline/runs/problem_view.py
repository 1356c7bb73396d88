"""The shared part of an experiment's runs as JSON, and runs as figures see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fallline.engine.problem import Problem
from fallline.figures.lanes import lanes_of
from fallline.figures.view import PREDICTING_THE_MAJORITY, PREDICTING_THE_MEAN, FigureView, RunLine
from fallline.runs.run import Run
from fallline.vocabulary.encoding import finite_or_none


def shared_by(problem: Problem) -> dict[str, Any]:
    """Return the constant part of an experiment's state, which all runs share."""
    return {
        "train_samples": len(problem.train_rows),
        "test_samples": len(problem.test_rows),
        "parameters": len(problem.initial_parameters),
        "initial_loss": problem.initial_loss,
        "baseline": _numbers(problem.baseline),
        "baseline_score": _numbers(problem.baseline_score),
        "score": problem.score.name,
        "inputs": list(problem.features),
        "outputs": problem.layout.sizes[-1],
        "classes": list(problem.classes),
    }


def samples_of(problem: Problem) -> dict[str, Any]:
    """Return all samples in the network's units, and the rows of both splits."""
    return {
        "X": problem.X.tolist(),
        "y": problem.y.tolist(),
        "train": problem.train_rows.tolist(),
        "test": problem.test_rows.tolist(),
        "features": list(problem.features),
        "classes": list(problem.classes),
    }


def figure_view_of(
    problem: Problem, runs: Mapping[str, Run], selected: Iterable[Run], at_most: int
) -> FigureView:
    """Return the `selected` runs for figures, in at most `at_most` points."""
    begun = [run.recipe.settings_at_start for run in runs.values()]
    methods = [(settings.optimizer, settings.batch_size) for settings in begun]
    lanes = dict(zip(runs, lanes_of(methods), strict=True))
    lines = (
        RunLine(run.name, run.recipe.label or run.name, run.window(None, None, at_most), lanes[run.name])
        for run in selected
    )
    return FigureView(
        runs=tuple(lines),
        shapes=problem.layout.shapes[0::2],
        train_samples=len(problem.train_rows),
        has_test=problem.test is not None,
        baseline=problem.baseline["train"],
        baseline_words=PREDICTING_THE_MAJORITY if problem.classes else PREDICTING_THE_MEAN,
        classes=problem.classes,
    )


def _numbers(by_split: dict[str, float]) -> dict[str, float | None]:
    """Replace values that are not finite by None."""
    return {split: finite_or_none(value) for split, value in by_split.items()}
