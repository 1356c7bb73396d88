"""Results of a recipe: complete recipe, and train losses at step 0 and later."""

from __future__ import annotations

import time
from typing import Any

from fallline.engine.measures.probes import evaluate
from fallline.runs.experiment import Experiment
from fallline.vocabulary.recipe import Recipe

STEPS = 20


def results_of(posted: dict[str, Any]) -> dict[str, Any]:
    """Return the results as plain JSON."""
    one = Experiment("x", Recipe.model_validate(posted))
    losses: dict[str, list[float]] = {}
    for name, run in one.runs.items():
        losses[name] = [evaluate(one.problem, run.state.parameters)["train_loss"]]
        run.advance(STEPS, time.perf_counter)
        losses[name].append(evaluate(one.problem, run.state.parameters)["train_loss"])
    return {"filled_in": one.recipe.as_json(), "losses": losses}
