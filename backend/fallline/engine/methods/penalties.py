"""Penalties on large weights, and their gradient.

The penalty is l1 * sum |W| + l2 / 2 * sum W**2 over all weights W. Biases are not penalised, as is usual.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.run_settings import RunSettings

Array = NDArray[np.float64]


def penalty_gradient(weights: Array, settings: RunSettings) -> Array:
    """The gradient of the penalties by these weights, in a new array.

    The slope of |W| at 0 is 0, as in PyTorch. The half of l2 makes its gradient l2 * W, which is what PyTorch's
    `weight_decay` adds for SGD.
    """
    pulled = np.multiply(weights, settings.l2)
    if settings.l1:
        pulled += settings.l1 * np.sign(weights)
    return pulled


def penalty(sizes: Array, squares: Array, settings: RunSettings) -> Array:
    """Penalties (n,) of n states, from the sums of |W| and of W**2 of their weights."""
    priced: Array = settings.l1 * sizes + 0.5 * settings.l2 * squares
    return priced
