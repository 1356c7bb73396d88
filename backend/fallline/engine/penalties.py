"""Penalties on large weights: what is descended beside the loss. Biases go free, as is usual.

Owns l1 * sum |W| + l2 / 2 * sum W**2 over all weights W, and its gradient. Must not know losses or optimizers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.run_settings import RunSettings

Array = NDArray[np.float64]


def pull(weights: Array, settings: RunSettings) -> Array:
    """The gradient of the penalties by these weights, in a fresh array.

    |W| has no slope at 0 and is given 0 there, as PyTorch does. The half of l2 makes its gradient l2 * W, which is what
    PyTorch's `weight_decay` adds for SGD.
    """
    pulled: Array = settings.l2 * weights
    if settings.l1:
        pulled += settings.l1 * np.sign(weights)
    return pulled


def price(sizes: Array, squares: Array, settings: RunSettings) -> Array:
    """The penalties of states whose weights have these sums of |W| and of W**2, (n,) each."""
    priced: Array = settings.l1 * sizes + 0.5 * settings.l2 * squares
    return priced
