"""Windows, means and medians of short series, to the bit as NumPy's own.

An examination takes dozens, of 25 to 200 numbers. NumPy's general functions spend several times as long on their
arguments as on so few numbers.
"""

from __future__ import annotations

import numpy as np

from fallline.vocabulary.columns import Floats


def rolling(values: Floats, width: int) -> Floats:
    """Return all windows of `width` neighbours, (n - width + 1, width), as a view of the contiguous `values` (n,)."""
    steps = (values.itemsize, values.itemsize)
    return np.ndarray((len(values) - width + 1, width), values.dtype, values, 0, steps)


def mean(values: Floats) -> Floats:
    """Return the means along the last axis."""
    return np.asarray(np.add.reduce(values, axis=-1) / values.shape[-1])


def median(values: Floats) -> Floats:
    """Return the medians along the last axis; NaN where a number is."""
    count, ordered = values.shape[-1], np.sort(values, axis=-1)
    upper = ordered[..., count // 2]
    medians = upper if count % 2 else (ordered[..., count // 2 - 1] + upper) / 2.0
    return np.where(np.isnan(ordered[..., -1]), np.nan, medians)
