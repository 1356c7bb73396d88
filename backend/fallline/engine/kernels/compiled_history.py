"""Appends records to the store of a history in one call, to the bit as `history.pyramid` does with NumPy.

Steps go through the ring of single steps in chunks that stay in the nearest cache. A series with a value at every step
of a chunk takes loops that the compiler can vectorise; the others count their values.
"""

from __future__ import annotations

import math

import numpy as np
from numba import boolean, float64, int64, intp, types, uint32, void

from fallline.engine.kernels.compiled_buckets import _higher, _lower, _mean
from fallline.engine.kernels.compiled_code import Array, Whole, compiled_for, compiled_to_the_bit

_STEPS, _SUMMARY, _CHUNK = 1024, 16, 512
"""As in `history.pyramid`."""

_VALUES = types.Array(float64, 2, "A", readonly=True)
_SECONDS = types.Array(float64, 1, "A", readonly=True)
_SAMPLES = types.Array(int64, 1, "A", readonly=True)
_COLUMNS = 4 * (float64[:, ::1],) + (uint32[:, ::1],)


@compiled_to_the_bit
def _lower_of_pairs(pairs: Array, lower: Array) -> None:
    for at in range(len(lower)):
        left, right = pairs[2 * at], pairs[2 * at + 1]
        lower[at] = left if left <= right else right


@compiled_to_the_bit
def _higher_of_pairs(pairs: Array, higher: Array) -> None:
    for at in range(len(higher)):
        left, right = pairs[2 * at], pairs[2 * at + 1]
        higher[at] = left if left >= right else right


@compiled_to_the_bit
def _halfway(pairs: Array, mean: Array) -> None:
    for at in range(len(mean)):
        left, right = pairs[2 * at], pairs[2 * at + 1]
        apart = right - left
        mean[at] = 0.5 * left + 0.5 * right if math.isinf(apart) else apart * 0.5 + left


@compiled_to_the_bit
def _is_full(row: Array, count: Whole, start: int, levels: Whole) -> bool:
    """Return whether a series has all values of these steps, and of the buckets that wait for them."""
    missing = 0
    for at in range(len(row)):
        missing += not math.isfinite(row[at])
    if missing:
        return False
    for level in range(1, len(levels)):
        number = start >> level
        if (start + len(row)) >> level == number:
            return True
        if number & 1 and count[levels[level, 0] + (number - 1) % levels[level, 1]] != 1 << level:
            return False
    return True


@compiled_to_the_bit
def _merge_full(
    row: Array,
    start: int,
    levels: Whole,
    minimum: Array,
    maximum: Array,
    mean: Array,
    final: Array,
    count: Whole,
    work: Array,
) -> None:
    """Merge the steps of one series, none of which is missing, into the buckets that they complete."""
    low, high, middle = row, row, row
    for level in range(1, len(levels)):
        first, offset, size = start >> level, levels[level, 0], levels[level, 1]
        buckets, rows = ((start + len(row)) >> level) - first, 3 * (level & 1)
        if buckets == 0:
            return
        _lower_of_pairs(low, work[rows, 1 : 1 + buckets])
        _higher_of_pairs(high, work[rows + 1, 1 : 1 + buckets])
        _halfway(middle, work[rows + 2, 1 : 1 + buckets])
        begin = 1 - (first & 1)
        if begin == 0:
            place = offset + (first - 1) % size
            work[rows, 0], work[rows + 1, 0], work[rows + 2, 0] = minimum[place], maximum[place], mean[place]
        for at in range(max(buckets - size, 0), buckets):
            place = offset + (first + at) % size
            minimum[place], maximum[place] = work[rows, 1 + at], work[rows + 1, 1 + at]
            mean[place] = work[rows + 2, 1 + at]
            final[place] = row[((first + at + 1) << level) - 1 - start]
            count[place] = 1 << level
        low = work[rows, begin : 1 + buckets]
        high = work[rows + 1, begin : 1 + buckets]
        middle = work[rows + 2, begin : 1 + buckets]


@compiled_to_the_bit
def _merge_any(
    row: Array,
    start: int,
    levels: Whole,
    minimum: Array,
    maximum: Array,
    mean: Array,
    final: Array,
    count: Whole,
    work: Array,
) -> None:
    """Do the same for a series with missing values."""
    for at in range(len(row)):
        is_finite = math.isfinite(row[at])
        work[0, 1 + at] = work[1, 1 + at] = work[2, 1 + at] = work[3, 1 + at] = (
            row[at] if is_finite else np.nan
        )
        work[4, 1 + at] = 1.0 if is_finite else 0.0
    begin = 1
    for level in range(1, len(levels)):
        first, offset, size = start >> level, levels[level, 0], levels[level, 1]
        buckets = ((start + len(row)) >> level) - first
        for at in range(buckets):
            left, to = begin + 2 * at, 1 + at
            before, after = work[4, left], work[4, left + 1]
            low, high = _lower(work[0, left], work[0, left + 1]), _higher(work[1, left], work[1, left + 1])
            work[2, to] = _mean(work[2, left], work[2, left + 1], before, after, low, high)
            work[0, to], work[1, to] = low, high
            work[3, to] = work[3, left + 1] if after > 0 or before == after else work[3, left]
            work[4, to] = before + after
        begin = 1 - (first & 1)
        if begin == 0 and buckets > 0:
            place = offset + (first - 1) % size
            work[0, 0], work[1, 0], work[2, 0] = minimum[place], maximum[place], mean[place]
            work[3, 0], work[4, 0] = final[place], count[place]
        for at in range(max(buckets - size, 0), buckets):
            place = offset + (first + at) % size
            minimum[place], maximum[place], mean[place] = work[0, 1 + at], work[1, 1 + at], work[2, 1 + at]
            final[place], count[place] = work[3, 1 + at], int(work[4, 1 + at])


@compiled_for(
    void(
        int64,
        int64,
        _SAMPLES,
        _SECONDS,
        _VALUES,
        intp[::1],
        int64[:, ::1],
        int64[::1],
        float64[::1],
        float64[:, ::1],
        int64[::1],
        float64[::1],
        *_COLUMNS,
        float64[:, ::1],
    )
)
def append(
    settled: int,
    first: int,
    samples_seen: Whole,
    seconds: Array,
    values: Array,
    rows: Whole,
    levels: Whole,
    step_samples: Whole,
    step_seconds: Array,
    steps: Array,
    bucket_samples: Whole,
    bucket_seconds: Array,
    minimum: Array,
    maximum: Array,
    mean: Array,
    final: Array,
    count: Whole,
    work: Array,
) -> None:
    """Store the records from step `first` on, and the buckets that all steps from `settled` on complete."""
    start, stop = settled, first + len(samples_seen)
    while start < stop:
        end = min(start // _CHUNK * _CHUNK + _CHUNK, stop)
        place = start if start < _STEPS else _STEPS + start % _STEPS
        new = max(start, first)
        for step in range(new, end):
            step_samples[place + step - start] = samples_seen[step - first]
            step_seconds[place + step - start] = seconds[step - first]
        length = end // _SUMMARY * _SUMMARY - start
        for level in range(1, len(levels)):
            offset, size, number = levels[level, 0], levels[level, 1], start >> level
            after = (start + length) >> level
            for bucket in range(max(after - size, number), after):
                last = place + ((bucket + 1) << level) - 1 - start
                bucket_samples[offset + bucket % size] = step_samples[last]
                bucket_seconds[offset + bucket % size] = step_seconds[last]
        for series in range(len(rows)):
            source, row = values[rows[series]], steps[series, place : place + end - start]
            for step in range(new, end):
                row[step - start] = source[step - first]
            if length > 0:
                arguments = row[:length], start, levels
                columns = minimum[series], maximum[series], mean[series], final[series], count[series]
                if _is_full(row[:length], count[series], start, levels):
                    _merge_full(*arguments, *columns, work)
                else:
                    _merge_any(*arguments, *columns, work)
        start = end


compiled_scan = compiled_for(
    boolean(int64, _VALUES, intp[::1], boolean[::1], float64[::1], int64[::1], float64[::1])
)
"""Compiles `history.run_history.scan`."""

compiled_follow = compiled_for(void(int64, _VALUES, int64[::1], intp[::1], float64[::1], float64[:, :]))
"""Compiles `diagnosis.track.follow`."""
