"""What the runs of an experiment share, as it is told to people and programs, and all of them as figures see them.

Must not know HTTP, nor what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from fallline.engine.problem import Problem
from fallline.figures.view import PREDICTING_THE_MAJORITY, PREDICTING_THE_MEAN, FigureView, RunLine
from fallline.runs.run import Run


def shared_by(problem: Problem) -> dict[str, Any]:
    """The part of an experiment's state that is the same for all its runs and never changes."""
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
    """All samples in the network's units, and which rows train and test."""
    return {
        "X": problem.X.tolist(),
        "y": problem.y.tolist(),
        "train": problem.train_rows.tolist(),
        "test": problem.test_rows.tolist(),
        "features": list(problem.features),
        "classes": list(problem.classes),
    }


def figure_view_of(
    problem: Problem, runs: Mapping[str, Run], shown: Iterable[Run], at_most: int
) -> FigureView:
    """What figures may see: the runs that are `shown`, with their whole history in at most so many points."""
    places = {name: place for place, name in enumerate(runs)}
    lines = (
        RunLine(run.name, run.recipe.label or run.name, run.window(None, None, at_most), places[run.name])
        for run in shown
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
    """What is not finite as None."""
    return {split: value if math.isfinite(value) else None for split, value in by_split.items()}
