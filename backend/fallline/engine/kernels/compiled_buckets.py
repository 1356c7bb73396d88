"""Merges neighbouring buckets of a history, to the bit as `vocabulary.columns` does with NumPy.

NumPy needs some twenty calls for a merge, which cost more than the numbers: at full speed they took half of the time of
training. Only the sign of a zero may differ between -0 and 0, where NumPy's depends on the length of the arrays.
"""

from __future__ import annotations

import math

import numpy as np
from numba import boolean, float64, int64, types

from fallline.engine.kernels.compiled_code import Array, Whole, compiled_for
from fallline.vocabulary.columns import Buckets

_READ = tuple(types.Array(each, 2, "A", readonly=True) for each in 4 * (float64,) + (int64,))
"""Minimum, maximum, mean, final and count, (series, n) each, in any layout, since most are slices. Columns of a
restored history may be read-only.
"""

_WRITTEN = 4 * (float64[:, :],) + (int64[:, :],)


@compiled_for(boolean(*_READ, *_READ, *_WRITTEN))
def _merge(
    left_minimum: Array,
    left_maximum: Array,
    left_mean: Array,
    left_final: Array,
    left_count: Whole,
    right_minimum: Array,
    right_maximum: Array,
    right_mean: Array,
    right_final: Array,
    right_count: Whole,
    minimum: Array,
    maximum: Array,
    mean: Array,
    final: Array,
    count: Whole,
) -> bool:
    """Fill the last five. Return False, with them half filled, if a difference of means overflows."""
    series, buckets = minimum.shape
    for row in range(series):
        for at in range(buckets):
            low, other = left_minimum[row, at], right_minimum[row, at]
            minimum[row, at] = low if low <= other or math.isnan(other) else other
            high, other = left_maximum[row, at], right_maximum[row, at]
            maximum[row, at] = high if high >= other or math.isnan(other) else other
            left, right = left_mean[row, at], right_mean[row, at]
            before, after = left_count[row, at], right_count[row, at]
            apart = right - left
            if math.isinf(apart):
                return False
            if before == after:
                value = apart * 0.5 + left
            elif after == 0 or left == right:
                value = left
            elif before == 0:
                value = right
            else:
                share = after / (before + after)
                value = (1.0 - share) * left + share * right
                value = min(max(value, minimum[row, at]), maximum[row, at])
            mean[row, at] = value
            final[row, at] = right_final[row, at] if after > 0 or before == after else left_final[row, at]
            count[row, at] = before + after
    return True


def merged(left: Buckets, right: Buckets) -> Buckets | None:
    """Merge each left bucket with the right one of the same index; None if NumPy has to do it."""
    shape = left.minimum.shape
    minimum, maximum, mean, final = np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape)
    count = np.empty(shape, np.int64)
    is_done = _merge(
        *(left.minimum, left.maximum, left.mean, left.final, left.count),
        *(right.minimum, right.maximum, right.mean, right.final, right.count),
        *(minimum, maximum, mean, final, count),
    )
    own = (left.first, right.last, right.samples_seen, right.seconds)
    return Buckets(*own, left.names, minimum, maximum, mean, final, count) if is_done else None
