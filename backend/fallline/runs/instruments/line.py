"""The loss along the next change of a run, and the length of the change.

Changes and stores nothing.
"""

from __future__ import annotations

import math

from fallline.engine.batches import batch_rows
from fallline.engine.measures.step_length import Line, parabola_of
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.encoding import finite_or_none
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import RunRecipe

PLACES = [place / 20 for place in range(-10, 41)]
"""Multiples of the change at which the loss is measured: half a change back to two changes ahead."""


def next_parameters(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Array:
    """Return the parameters after the next change, if it does not diverge."""
    copy = state.copy()
    advance(problem, copy, recipe, 1)
    return copy.parameters


def alpha(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return alpha over the batch and over all samples; null without a change."""
    lines = _lines(problem, state, recipe)
    splits = {name: _length(lines[name]) for name in ("batch", "train")}
    return {**_change(problem, recipe, state, lines), **splits}


def along(problem: Problem, state: TrainingState, recipe: RunRecipe) -> Json:
    """Return the loss at multiples of the change, with the parabola of `alpha`."""
    lines = _lines(problem, state, recipe)
    splits = {
        name: {**_length(lines[name]), "curve": [finite_or_none(loss) for loss in lines[name].losses(PLACES)]}
        for name in ("batch", "train")
    }
    for split in splits.values():
        fitted = split["parabola"]
        split["fit"] = None if fitted is None else [_height(fitted, place) for place in PLACES]
    return {**_change(problem, recipe, state, lines), "places": PLACES, **splits}


def _lines(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Line]:
    settings = recipe.settings_at(state.step)
    change = next_parameters(problem, state, recipe) - state.parameters
    splits = {
        "batch": batch_rows(problem, settings, recipe.seed, state.samples_seen),
        "train": problem.train_rows,
    }
    return {name: Line(problem, state.parameters, change, rows, settings) for name, rows in splits.items()}


def _change(problem: Problem, recipe: RunRecipe, state: TrainingState, lines: dict[str, Line]) -> Json:
    loss = problem.loss.name
    plain = (
        loss if problem.loss.objective_share == 1.0 else f"{loss} / {1.0 / problem.loss.objective_share:g}"
    )
    penalised = recipe.settings_at(state.step).penalised
    return {
        "length": finite_or_none(lines["batch"].length),
        "batch_size": lines["batch"].samples,
        "descended": f"{plain} + penalties" if penalised else plain,
    }


def _length(line: Line) -> Json:
    if not 0.0 < line.length < math.inf:
        return {"alpha": None, "lowest": None, "losses": None, "slopes": None, "parabola": None}
    start, end = line.measure(0.0), line.measure(1.0)
    fitted = parabola_of(start, end, line.length)
    return {
        "alpha": None if fitted is None else fitted.alpha,
        "lowest": None if fitted is None or fitted.lowest is None else finite_or_none(fitted.lowest),
        "losses": [finite_or_none(start.loss), finite_or_none(end.loss)],
        "slopes": [finite_or_none(each.slope * line.length) for each in (start, end)],
        "parabola": None if fitted is None else [fitted.w0, fitted.w1, fitted.w2],
    }


def _height(parabola: list[float], place: float) -> float:
    w0, w1, w2 = parabola
    return w0 + place * (w1 + place * w2)
