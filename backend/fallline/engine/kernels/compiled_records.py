"""What a step is recorded in, and when it is evaluated: shared by the compiled loops. Must not know networks.

Steps write raw sums, one row a step, into a block that stays in the nearest cache; roots, ratios and the columns of the
records are taken for a block of steps at once.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_code import Array, Whole, compiled, compiled_in_place

BLOCK = 64
"""Steps a block of raw records."""

LOSSES = 4
"""Batch, training and test loss and the objective stand before the sums."""

SUMS = 4
"""Of every parameter: |g|, g**2, change**2, parameter**2."""


SAFE = 1e300
"""Sums below this hold nothing that is not finite; a sum beyond may only have overflown, and is looked into."""


@compiled_in_place
def note(record: Array, row: int, k: int, sums: tuple[float, float, float, float]) -> float:
    """Write the sums of the k-th parameter; returns a number that is below SAFE only if gradient and parameter are
    finite.
    """
    at = LOSSES + SUMS * k
    record[row, at], record[row, at + 1] = sums[0], sums[1]
    record[row, at + 2], record[row, at + 3] = sums[2], sums[3]
    return sums[0] + sums[3]


@compiled
def finite(numbers: Array) -> bool:
    """Whether no number is infinite or NaN."""
    for number in numbers:  # noqa: SIM110  Numba compiles loops, not generators
        if not abs(number) < np.inf:
            return False
    return True


@compiled_in_place
def beyond(train: float, limit: float, known: bool) -> bool:
    """Whether a training loss, if it is known, is a sign of divergence."""
    return known and not train <= limit


@compiled_in_place
def evaluated(step: int, stride: int, place: int) -> bool:
    """`series.is_evaluation_point` for batches: `stride` is the power of two above step / 1,024, `place` the place in
    the pass.
    """
    return step < 1024 or step & (stride - 1) == 0 or place == 0


@compiled_in_place
def known(number: float) -> float:
    """The number, or NaN where it is not finite."""
    return number if abs(number) < np.inf else np.nan


@compiled
def write_block(record: Array, count: int, offsets: Whole, values: Array, to: int) -> None:
    """Raw rows 0 .. count - 1 as columns of `values` from `to` on; evaluated series are losses. Scores and means are
    not filled in: they follow from others, and are to be rounded as NumPy rounds them.
    """
    parameters = len(offsets) - 1
    for t in range(count):
        values[0, to + t] = known(record[t, 0])
        values[1 + 4 * parameters, to + t] = known(record[t, 3])
        values[2 + 4 * parameters, to + t] = known(record[t, 1])
        values[3 + 4 * parameters, to + t] = known(record[t, 2])
    for k in range(parameters):
        at = LOSSES + SUMS * k
        for t in range(count):
            values[1 + 4 * k, to + t] = known(record[t, at])
            values[2 + 4 * k, to + t] = known(np.sqrt(record[t, at + 1]))
            values[4 + 4 * k, to + t] = known(np.sqrt(record[t, at + 2] / record[t, at + 3]))
