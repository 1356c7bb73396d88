"""Gradient clipping, between the recorded gradient and the optimizer.

The norm of the whole gradient is limited to `clip_norm` first, then every entry to `clip_value`. In this order
`clip_norm` is comparable with the recorded norms. The second step only shortens the gradient, so both bounds hold.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.run_settings import RunSettings

Array = NDArray[np.float64]

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
