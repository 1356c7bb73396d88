"""The weights of a network for a drawing with a limited number of cells.

Must not know how they are drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.encoding import array_of


def drawn_weights(problem: Problem, state: TrainingState, at_most: int) -> dict[str, Any]:
    """Return the `largest` size of each weight matrix, and `cells` in parts of it.

    A cell is the mean size of its weights, with the sign of their sum. In a small layer each cell is one weight.
    """
    named = problem.named(state.parameters)
    return {name: _drawn(weights, at_most) for name, weights in named.items() if name.startswith("W")}


def _drawn(weights: Array, at_most: int) -> dict[str, Any]:
    largest = float(np.abs(weights).max())
    shares = weights / (largest or 1.0)
    sums, sizes = _summed(shares, at_most), _summed(np.abs(shares), at_most)
    merged = weights.size / sizes.size
    cells = np.where(sums < 0, -sizes, sizes) / merged
    return {"largest": largest, "cells": array_of(cells.astype(np.float32))}


def _summed(values: Array, at_most: int) -> Array:
    """Return the sums over cells: unit u of n is in cell u * cells // n."""
    for axis, units in enumerate(values.shape):
        cells = min(units, at_most)
        starts = -(-np.arange(cells) * units // cells)
        values = np.add.reduceat(values, starts, axis=axis)
    return values
