"""Everything a run is made of at one step, as plain JSON."""

from __future__ import annotations

from typing import Any

from fallline.engine.probes import next_gradient
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.recipe import RunRecipe


def snapshot(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Parameters at the step, and gradient and batch of the change that comes next there."""
    gradients, batch = next_gradient(problem, state, recipe)
    return {
        "parameters": {name: value.tolist() for name, value in problem.named(state.parameters).items()},
        "gradients": {name: value.tolist() for name, value in gradients.items()},
        "batch": batch.tolist(),
    }
