"""Compiled sums in an explicit order.

A compiler that may reorder sums chooses by the code around them. That code comes from bytecode, which differs between
versions of Python.
"""

from __future__ import annotations

from fallline.engine.kernels.compiled_code import Array, compiled_as_written
from fallline.engine.kernels.compiled_vectors import (
    LANES,
    four_noughts,
    load,
    load_four,
    one_nought,
    plus,
    sizes_of,
    store,
    times,
    total,
)


@compiled_as_written
def sum_of(A: Array, row: int, n: int) -> float:
    """The sum of the first n numbers of a row."""
    sums = one_nought()
    t = 0
    while t + LANES <= n:
        sums = plus(sums, 1.0, load(sums, A, row, t))
        t += LANES
    found: float = total(sums)
    while t < n:
        found += A[row, t]
        t += 1
    return found


@compiled_as_written
def squared_errors(A: Array, D: Array, row: int, to: int, n: int, share: float) -> float:
    """The sum of (y_pred - y)**2 over n samples; writes share * (y_pred - y) into D.

    The rows are those of `measure`.
    """
    evens = odds = one_nought()
    t = 0
    while t + 2 * LANES <= n:
        even = plus(load(evens, A, row, t), -1.0, load(evens, A, to, t))
        odd = plus(load(odds, A, row, t + LANES), -1.0, load(odds, A, to, t + LANES))
        evens, odds = plus(evens, even, even), plus(odds, odd, odd)
        store(D, row, t, times(share, even))
        store(D, row, t + LANES, times(share, odd))
        t += 2 * LANES
    found: float = total(plus(evens, 1.0, odds))
    while t < n:
        error = A[row, t] - A[to, t]
        found += error * error
        D[row, t] = share * error
        t += 1
    return found


@compiled_as_written
def sizes_and_squares(x: Array, first: int, n: int) -> tuple[float, float]:
    """The sums of n absolute values and of their squares, in a flat array."""
    ones = twos = four_noughts()
    i = 0
    while i + 4 <= n:
        four = load_four(x, first + i)
        ones, twos = plus(ones, 1.0, sizes_of(four)), plus(twos, four, four)
        i += 4
    size, squares = total(ones), total(twos)
    while i < n:
        size += abs(x[first + i])
        squares += x[first + i] * x[first + i]
        i += 1
    return size, squares
