"""Between the gradient of the loss and the optimizer: penalties on large weights, and bounds on the gradient.

The penalty is l1 * sum |W| + l2 / 2 * sum W**2 over all weights W. Biases are not penalised, as is usual.

Clipping follows the recorded gradient. The norm of the whole gradient is limited to `clip_norm` first, then every entry
to `clip_value`. In this order `clip_norm` is comparable with the recorded norms. The second step only shortens the
gradient, so both bounds hold.
"""

from __future__ import annotations

import math

import numpy as np

from fallline.vocabulary.arrays import Array
from fallline.vocabulary.run_settings import RunSettings


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


# ---------------------------------------------------------------------- clipping

CUSHION = 1e-6
"""Added to the norm, as in PyTorch's `clip_grad_norm_`."""


def clip(gradient: Array, settings: RunSettings, out: Array | None = None) -> Array:
    """The clipped flat gradient, or `gradient` itself without bounds."""
    clipped = gradient
    if settings.clip_norm is not None:
        norm = math.sqrt(float(gradient.dot(gradient)))
        clipped = np.multiply(clipped, min(settings.clip_norm / (norm + CUSHION), 1.0), out)
    if settings.clip_value is not None:
        clipped = np.clip(clipped, -settings.clip_value, settings.clip_value, out)
    return clipped
