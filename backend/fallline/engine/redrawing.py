"""Redraw of layers in the middle of a run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.problem import Problem
from fallline.engine.randomness import rng_for
from fallline.engine.state import TrainingState
from fallline.vocabulary.run_settings import Redraw

Array = NDArray[np.float64]

MOST_LAYERS = 16
"""Number of draw addresses per step: more than a network has layers."""


def drawn_weights(problem: Problem, seed: int, step: int, layer: int, initializer: str) -> Array:
    """New weights (fan_in, fan_out) of a layer, for a redraw after `step`.

    The address is the run's seed, the step and the layer, so the same recipe draws the same numbers.
    """
    fan_in, fan_out = problem.layout.sizes[layer - 1], problem.layout.sizes[layer]
    rng = rng_for(seed, "redraw", MOST_LAYERS * step + layer)
    return INITIALIZERS[initializer].draw(rng, (fan_in, fan_out), fan_in, fan_out)


def redraw(problem: Problem, state: TrainingState, seed: int, request: Redraw) -> None:
    """Redraw layers of the state in place, at the end of its last change.

    Biases and the optimizer's state of these layers become 0. The slots of an optimizer with tables all do, since they
    are of all layers together.
    """
    row = OPTIMIZERS[state.optimizer]
    if row.tables:
        state.slots |= row.start(problem.layout.count)
    blocks = problem.layout.blocks(state.parameters)
    memories = [
        problem.layout.blocks(slot) for slot in state.slots.values() if slot.shape == state.parameters.shape
    ]
    for layer in request.layers:
        blocks[layer - 1][:-1] = drawn_weights(problem, seed, state.step - 1, layer, request.weights)
        blocks[layer - 1][-1] = 0.0
        for memory in memories:
            memory[layer - 1][:] = 0.0
