"""Bounds of the gradient before an optimizer takes it. What is recorded is the gradient before them.

First the whole gradient is shortened to `clip_norm`, then every entry is cut to `clip_value`. Norm first, so that the
bound compares with the norms that are recorded; what is cut afterwards only becomes shorter, so both bounds hold. Must
not know how a gradient was made.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.run_settings import RunSettings

Array = NDArray[np.float64]

CUSHION = 1e-6
"""Added to the norm, as PyTorch's `clip_grad_norm_` does: what is shortened ends this little below the bound."""


def clip(gradient: Array, settings: RunSettings, out: Array) -> Array:
    """The flat gradient within the bounds, in `out`, or the gradient itself where there are none."""
    clipped = gradient
    if settings.clip_norm is not None:
        norm = math.sqrt(float(gradient.dot(gradient)))
        clipped = np.multiply(clipped, min(settings.clip_norm / (norm + CUSHION), 1.0), out)
    if settings.clip_value is not None:
        clipped = np.clip(clipped, -settings.clip_value, settings.clip_value, out)
    return clipped
