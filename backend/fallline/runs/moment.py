"""All that a page shows of a run at one step, in one answer: looking back costs one replay and not one for each view.

Must not know whether the step is past or present. Nothing is changed: the next change is tried on a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.engine.evaluation import evaluate
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.recipe import RunRecipe


def readings(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Where the run stands, and the finite values there of all series: those of the next change, and losses and
    scores of the parameters, evaluated for the answer.
    """
    told: dict[str, float] = {}
    if state.diverged_at is None:
        tried = advance(problem, state.copy(), recipe, 1)
        # The change that would make a run diverge is no step of it, and is recorded nowhere.
        if len(tried):
            told.update(zip(tried.names, tried.values[:, 0].tolist(), strict=True))
    told.update(evaluate(problem, state.parameters))
    return {
        "epoch": state.samples_seen / len(problem.train_rows),
        "samples_seen": state.samples_seen,
        "latest": {
            name: {"step": state.step, "value": value} for name, value in told.items() if np.isfinite(value)
        },
    }
