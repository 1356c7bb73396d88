"""Measurements of a state: what its units do, what its next gradient is. Read-only, without randomness of
their own.

Must not know schedules or viewers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.activations import ACTIVATIONS
from fallline.engine.batches import batch_rows
from fallline.engine.network import backward, forward
from fallline.engine.penalties import pull
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LayerUnits:
    """A layer's units over the training samples: mean output, share of samples with an output above 0, and who is
    dead.
    """

    mean: list[float]
    active_share: list[float]
    dead: list[bool]


def units(problem: Problem, parameters: Array) -> list[LayerUnits]:
    """All layers, the output's last. Only a unit of an activation that can be off (relu) can be dead: off for all
    samples.
    """
    with np.errstate(all="ignore"):
        passed = forward(problem.named(parameters), problem.activations, problem.train.X)
        return [_layer(name, a) for name, a in zip(problem.activations, passed.a, strict=True)]


def _layer(activation: str, a: Array) -> LayerUnits:
    dead = (a == 0.0).all(axis=0) if ACTIVATIONS[activation].dies else np.zeros(a.shape[1], dtype=np.bool_)
    return LayerUnits(a.mean(axis=0).tolist(), (a > 0.0).mean(axis=0).tolist(), dead.tolist())


def next_gradient(problem: Problem, state: TrainingState, run: RunRecipe) -> tuple[dict[str, Array], Rows]:
    """The gradient of what the next change descends, before it is clipped, by parameter name; and its batch as rows of
    the whole data set.
    """
    settings = run.settings_at(state.step)
    rows = batch_rows(problem, settings, run.seed, state.samples_seen)
    parameters = problem.named(state.parameters)
    with np.errstate(all="ignore"):
        passed = forward(parameters, problem.activations, problem.X[rows])
        dy_pred = problem.loss.gradient(passed.y_pred, problem.y[rows])
        gradients = backward(parameters, problem.activations, passed, dy_pred)
        if settings.penalised:
            for name in problem.layout.names[0::2]:
                gradients[name] = gradients[name] + pull(parameters[name], settings)
    return {name: gradients[name] for name in problem.layout.names}, rows
