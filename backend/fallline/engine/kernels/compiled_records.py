"""Records of a step and evaluation points, for all compiled loops.

Steps write raw sums, one row per step, into a block that stays in the nearest cache. Roots, ratios and columns are
computed once per block.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_code import (
    Array,
    Whole,
    compiled,
    compiled_in_place,
    compiled_to_the_bit,
)
from fallline.engine.kernels.compiled_losses import RIGHT, THE_LOSS
from fallline.engine.kernels.compiled_vectors import (
    LANES,
    folded,
    four_of,
    load_flat,
    load_four,
    multiply_add,
    number,
    sizes_of,
    store,
    totals,
    zeros1,
)
from fallline.engine.kernels.compiled_work import Memory, Net, Recorder

BLOCK = 64
"""Steps per block of raw records."""

LOSSES = 7
"""Columns before the sums: batch loss, objective, training and test loss, both tallies, and `CLIPPED`."""

CLIPPED = 6
"""Column of the clipped gradient's norm; NaN without a bound."""

SUMS = 4
"""Per parameter: |g|, g**2, change**2, parameter**2."""


SAFE = 1e300
"""Sums below this contain only finite numbers; a larger sum may have overflowed."""


@compiled_in_place
def record_sums(record: Array, row: int, k: int, sums: tuple[float, float, float, float]) -> float:
    """Write the sums of the k-th parameter; a result below SAFE means all is finite."""
    at = LOSSES + SUMS * k
    record[row, at], record[row, at + 1] = sums[0], sums[1]
    record[row, at + 2], record[row, at + 3] = sums[2], sums[3]
    return sums[0] + sums[3]


@compiled
def record_all(
    record: Array, row: int, P: Array, w: int, G: Array, M: Array, factor: float, offsets: Whole
) -> float:
    """Write the sums of all parameters; a result below SAFE means all is finite.

    The parameters are in P from `w` on; G is the gradient, `factor` times M the change.
    """
    magnitude = 0.0
    for k in range(len(offsets) - 1):
        i, stop, at = offsets[k], offsets[k + 1], LOSSES + SUMS * k
        size = square = move = weight = zeros1()
        while i + LANES <= stop:
            g, m, p = load_flat(size, G, i), load_flat(size, M, i), load_flat(size, P, w + i)
            size, square = multiply_add(size, 1.0, sizes_of(g)), multiply_add(square, g, g)
            move, weight = multiply_add(move, m, m), multiply_add(weight, p, p)
            i += LANES
        size4, square4, move4, weight4 = folded(size), folded(square), folded(move), folded(weight)
        while i + 4 <= stop:
            g4, m4, p4 = load_four(G, i), load_four(M, i), load_four(P, w + i)
            size4, square4 = multiply_add(size4, 1.0, sizes_of(g4)), multiply_add(square4, g4, g4)
            move4, weight4 = multiply_add(move4, m4, m4), multiply_add(weight4, p4, p4)
            i += 4
        sums = totals(size4, square4, move4, weight4)
        while i < stop:
            g1, m1, p1 = number(G, i), number(M, i), number(P, w + i)
            sums = multiply_add(sums, 1.0, four_of(abs(g1), g1 * g1, m1 * m1, p1 * p1))
            i += 1
        store(record, row, at, sums)
        record[row, at + 2] *= factor * factor
        magnitude += record[row, at] + record[row, at + 3]
    return magnitude


@compiled
def all_finite(numbers: Array) -> bool:
    """Return whether no number is infinite or NaN."""
    for each in numbers:  # noqa: SIM110  Numba compiles loops, not generators
        if not abs(each) < np.inf:
            return False
    return True


@compiled_in_place
def is_divergent(train: float, limit: float, evaluated: bool) -> bool:
    """Return whether an evaluated training loss indicates divergence."""
    return evaluated and not train <= limit


@compiled_in_place
def is_finite(magnitude: float, loss: float, memory: Memory, w: int) -> bool:
    """Return whether all is finite; checks each number if the sum does not decide."""
    if magnitude < SAFE:
        return True
    return all_finite(memory.P[w : w + len(memory.G)]) and all_finite(memory.G) and abs(loss) < np.inf


@compiled_in_place
def stride_at(step: int, stride: int) -> int:
    """The power of two above step / 1,024 and at least 2, starting from `stride`."""
    while step >> 10 >= stride:
        stride *= 2
    return stride


@compiled_in_place
def is_evaluation_point(step: int, stride: int, place: int) -> bool:
    """`interface.is_evaluation_point` for batches, with the stride of the step."""
    return step < 1024 or step & (stride - 1) == 0 or place == 0


@compiled_in_place
def finite_or_nan(number: float) -> float:
    """The number, or NaN if it is not finite."""
    return number if abs(number) < np.inf else np.nan


@compiled_in_place
def record_step(
    recorder: Recorder,
    net: Net,
    memory: Memory,
    s: int,
    losses: tuple[float, float, float, float, float, float],
) -> None:
    """Write a step's losses beside its sums, and its parameters; write out a full block."""
    row, record, part = s % BLOCK, recorder.record, len(memory.G)
    record[row, 0], record[row, 1], record[row, 2], record[row, 3], record[row, 4], record[row, 5] = losses
    if len(recorder.path):
        for i in range(part):
            recorder.path[recorder.to + s, i] = memory.P[s % 3 * part + i]
    if row == BLOCK - 1:
        write_block(recorder, net, BLOCK, recorder.to + s - row)


@compiled_in_place
def flush(recorder: Recorder, net: Net, s: int) -> None:
    """Write out the rest of the block before step s."""
    if s % BLOCK:
        write_block(recorder, net, s % BLOCK, recorder.to + s - s % BLOCK)


@compiled_to_the_bit
def _quotient(number: float, divisor: float) -> float:
    """A quotient with NumPy's rounding."""
    return number / divisor


@compiled_to_the_bit
def _explained(squares: float, variance: float) -> float:
    """R2, as `problem._r2`."""
    return 1.0 - squares / variance


@compiled_in_place
def _score(kind: int, loss: float, tally: float, count: float, variance: float) -> float:
    """The score of a split from its tally."""
    if kind == RIGHT:
        return _quotient(tally, count)
    return _explained(loss if kind == THE_LOSS else _quotient(tally, count), variance)


@compiled
def write_block(recorder: Recorder, net: Net, count: int, to: int) -> None:
    """Write raw rows 0 .. count - 1 to the columns of `values` from `to` on. Rates are written elsewhere."""
    record, values, offsets, kind = recorder.record, recorder.values, net.offsets, net.criterion.tally
    parameters, splits = len(offsets) - 1, len(recorder.splits)
    norm, first = 2 + 4 * parameters, 5 + 4 * parameters
    for t in range(count):
        values[0, to + t] = finite_or_nan(record[t, 0])
        values[norm, to + t] = 0.0
        values[norm + 1, to + t] = finite_or_nan(record[t, CLIPPED])
        values[norm + 2, to + t] = finite_or_nan(record[t, 1])
    for k in range(splits):
        samples, variance = recorder.splits[k, 0], recorder.splits[k, 1]
        for t in range(count):
            loss, tally = finite_or_nan(record[t, 2 + k]), finite_or_nan(record[t, 4 + k])
            values[first + k, to + t] = loss
            values[first + splits + k, to + t] = finite_or_nan(_score(kind, loss, tally, samples, variance))
    for k in range(parameters):
        at, length = LOSSES + SUMS * k, float(offsets[k + 1] - offsets[k])
        for t in range(count):
            size = finite_or_nan(record[t, at])
            values[1 + 4 * k, to + t] = size
            values[2 + 4 * k, to + t] = finite_or_nan(np.sqrt(record[t, at + 1]))
            values[3 + 4 * k, to + t] = _quotient(size, length)
            values[norm, to + t] += record[t, at + 1]
            values[4 + 4 * k, to + t] = finite_or_nan(np.sqrt(record[t, at + 2] / record[t, at + 3]))
    for t in range(count):
        values[norm, to + t] = finite_or_nan(np.sqrt(values[norm, to + t]))
