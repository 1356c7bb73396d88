"""Merges neighbouring buckets of a history, to the bit as `vocabulary.columns` does with NumPy.

NumPy needs some twenty calls for a merge, which cost more than the numbers: at full speed they took half of the time of
training. A plan of merges is made in one call. Only the sign of a zero may differ between -0 and 0, where NumPy's
depends on the length of the arrays.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import float64, int64, types, void

from fallline.engine.kernels.compiled_code import Array, Whole, compiled_for, compiled_to_the_bit
from fallline.vocabulary.columns import Buckets, planned
from fallline.vocabulary.merge_plans import MergePlan

_READ = tuple(types.Array(each, 2, "A", readonly=True) for each in 4 * (float64,) + (int64,))
"""Minimum, maximum, mean, final and count, (series, n) each, in any layout, since most are slices. Columns of a
restored history may be read-only.
"""

_WRITTEN = 4 * (float64[:, :],) + (int64[:, :],)
_PLACES = types.Array(int64, 1, "A", readonly=True)


@compiled_to_the_bit
def _lower(one: float, other: float) -> float:
    return one if one <= other or math.isnan(other) else other


@compiled_to_the_bit
def _higher(one: float, other: float) -> float:
    return one if one >= other or math.isnan(other) else other


@compiled_to_the_bit
def _mean(left: float, right: float, before: int, after: int, minimum: float, maximum: float) -> float:
    """Mean of both means, of so many values."""
    if before == after:
        apart = right - left
        return 0.5 * left + 0.5 * right if math.isinf(apart) else apart * 0.5 + left
    if after == 0 or left == right:
        return left
    if before == 0:
        return right
    share = after / (before + after)
    value = (1.0 - share) * left + share * right
    return min(max(value, minimum), maximum)


@compiled_for(void(*_READ, _PLACES, _PLACES, _PLACES, float64[:, :], int64[:], *_WRITTEN))
def _carry_out(
    all_minimum: Array,
    all_maximum: Array,
    all_mean: Array,
    all_final: Array,
    all_count: Whole,
    lefts: Whole,
    rights: Whole,
    kept: Whole,
    row_of: Array,
    counts: Whole,
    minimum: Array,
    maximum: Array,
    mean: Array,
    final: Array,
    count: Whole,
) -> None:
    """Fill the last five with the buckets at `kept`, after each of `rights` is merged into its left one.

    `row_of` (4, n) and `counts` (n,) are working memory.
    """
    series, buckets = all_minimum.shape
    for row in range(series):
        for at in range(buckets):
            row_of[0, at] = all_minimum[row, at]
            row_of[1, at] = all_maximum[row, at]
            row_of[2, at] = all_mean[row, at]
            row_of[3, at] = all_final[row, at]
            counts[at] = all_count[row, at]
        for pair in range(len(lefts)):
            at, other = lefts[pair], rights[pair]
            before, after = counts[at], counts[other]
            row_of[0, at] = _lower(row_of[0, at], row_of[0, other])
            row_of[1, at] = _higher(row_of[1, at], row_of[1, other])
            row_of[2, at] = _mean(
                row_of[2, at], row_of[2, other], before, after, row_of[0, at], row_of[1, at]
            )
            if after > 0 or before == after:
                row_of[3, at] = row_of[3, other]
            counts[at] = before + after
        for to in range(len(kept)):
            at = kept[to]
            minimum[row, to] = row_of[0, at]
            maximum[row, to] = row_of[1, at]
            mean[row, to] = row_of[2, at]
            final[row, to] = row_of[3, at]
            count[row, to] = counts[at]


def carried_out(plan: MergePlan, buckets: Buckets) -> Buckets:
    """Make the merges of a plan in one call."""
    columns = _columns((len(buckets.minimum), len(plan.kept)))
    row_of, counts = np.empty((4, len(buckets))), np.empty(len(buckets), np.int64)
    arguments = (*_columns_of(buckets), plan.lefts, plan.rights, plan.kept, row_of, counts, *columns)
    _carry_out(*arguments)
    return planned(plan, buckets, columns)


Columns: TypeAlias = tuple[Array, Array, Array, Array, Whole]
"""Minimum, maximum, mean, final and count."""


def _columns_of(buckets: Buckets) -> Columns:
    return buckets.minimum, buckets.maximum, buckets.mean, buckets.final, buckets.count


def _columns(shape: tuple[int, ...]) -> Columns:
    """Return columns to fill."""
    return np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape, np.int64)
