"""A run at one step: its snapshot, and the values of all series.

Must not know whether the step is past or present. Changes nothing: it makes the next step on a copy.
"""

from __future__ import annotations

from typing import Any

from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.probes import evaluate, next_gradient
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.columns import finite_readings
from fallline.vocabulary.recipe import RunRecipe


def readings(
    problem: Problem, state: TrainingState, recipe: RunRecipe, kernel: Kernel = NUMPY
) -> dict[str, Any]:
    """Return the run's position and the finite values of all series there.

    They are the record of the next change, made by this kernel, and the evaluated losses and scores.
    """
    values: dict[str, float] = {}
    if state.diverged_at is None:
        record = advance(problem, state.copy_with_ahead(), recipe, 1, kernel)
        # A change that would diverge is not made, and has no record.
        if len(record):
            values.update(zip(record.names, record.values[:, 0].tolist(), strict=True))
    values.update(evaluate(problem, state.parameters))
    return {
        "epoch": state.samples_seen / len(problem.train_rows),
        "samples_seen": state.samples_seen,
        "latest": finite_readings(state.step, values),
    }


def snapshot(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the parameters at the step, and gradient and batch of the next change."""
    gradients, batch = next_gradient(problem, state, recipe)
    return {
        "parameters": {name: value.tolist() for name, value in problem.named(state.parameters).items()},
        "gradients": {name: value.tolist() for name, value in gradients.items()},
        "batch": batch.tolist(),
    }
