"""Layers drawn anew in the middle of a run. Must not know why, or how layers are trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.engine.initializers import INITIALIZERS
from fallline.engine.problem import Problem
from fallline.engine.randomness import rng_for
from fallline.engine.state import TrainingState
from fallline.vocabulary.run_settings import Redraw

Array = NDArray[np.float64]

MOST_LAYERS = 16
"""Places that each step has among the addresses of draws: more than a network has layers."""


def drawn_weights(problem: Problem, seed: int, step: int, layer: int, initializer: str) -> Array:
    """The weights of a layer that is drawn anew at the end of the change from `step`, (fan_in, fan_out).

    The address is the run's seed, the step and the layer: the same recipe draws the same numbers.
    """
    fan_in, fan_out = problem.layout.sizes[layer - 1], problem.layout.sizes[layer]
    rng = rng_for(seed, "redraw", MOST_LAYERS * step + layer)
    return INITIALIZERS[initializer].draw(rng, (fan_in, fan_out), fan_in, fan_out, None)


def redraw(problem: Problem, state: TrainingState, seed: int, asked: Redraw) -> None:
    """Draw layers of the state anew, in place, at the end of the change that has just led to its step.

    Biases are 0, and so is all that the optimizer remembers of these layers.
    """
    blocks = problem.layout.blocks(state.parameters)
    memories = [
        problem.layout.blocks(slot) for slot in state.slots.values() if slot.shape == state.parameters.shape
    ]
    for layer in asked.layers:
        blocks[layer - 1][:-1] = drawn_weights(problem, seed, state.step - 1, layer, asked.weights)
        blocks[layer - 1][-1] = 0.0
        for memory in memories:
            memory[layer - 1][:] = 0.0
