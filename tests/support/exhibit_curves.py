"""Train losses of an exhibit's runs along its axis, for its thumbnail."""

from __future__ import annotations

import numpy as np

from fallline.engine.measures.probes import evaluate
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe
from fallline.vocabulary.exhibits import Exhibit
from support.problems import problem_of

PLACES = 25
"""Losses in a curve, evenly spaced along the axis up to `view.until`."""


def curves_of(exhibit: Exhibit) -> dict[str, list[float | None]]:
    """Return the train losses by run, to three digits; None after a run diverged."""
    recipe = check_recipe(exhibit.recipe)
    problem = problem_of(recipe)
    curves = {}
    for run in recipe.runs:
        state, losses = begin(problem), []
        samples = 1 if exhibit.view.x == "steps" else run.batch_size or problem.train.count
        for place in np.linspace(0, exhibit.view.until, PLACES):
            step = round(place / samples)
            if state.diverged_at is None:
                advance(problem, state, run, step - state.step)
            loss = evaluate(problem, state.parameters)["train_loss"]
            losses.append(float(f"{loss:.3g}") if state.diverged_at is None else None)
        curves[run.name] = losses
    return curves
