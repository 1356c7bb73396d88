"""Compiled sums in an explicit order.

A compiler that may reorder sums chooses an order by the code around them. That code differs between versions of Python.
"""

from __future__ import annotations

from fallline.engine.kernels.compiled_code import Array, compiled_as_written
from fallline.engine.kernels.compiled_vectors import (
    LANES,
    four_zeros,
    load,
    load_four,
    multiply_add,
    sizes_of,
    store,
    times,
    total,
    zeros1,
)


@compiled_as_written
def sum_of(A: Array, row: int, n: int) -> float:
    """The sum of the first n numbers of a row."""
    sums = zeros1()
    t = 0
    while t + LANES <= n:
        sums = multiply_add(sums, 1.0, load(sums, A, row, t))
        t += LANES
    value: float = total(sums)
    while t < n:
        value += A[row, t]
        t += 1
    return value


@compiled_as_written
def squared_errors(A: Array, D: Array, row: int, to: int, n: int, share: float) -> float:
    """The sum of (y_pred - y)**2 over n samples; writes share * (y_pred - y) into D.

    The rows are as in `measure`.
    """
    evens = odds = zeros1()
    t = 0
    while t + 2 * LANES <= n:
        even = multiply_add(load(evens, A, row, t), -1.0, load(evens, A, to, t))
        odd = multiply_add(load(odds, A, row, t + LANES), -1.0, load(odds, A, to, t + LANES))
        evens, odds = multiply_add(evens, even, even), multiply_add(odds, odd, odd)
        store(D, row, t, times(share, even))
        store(D, row, t + LANES, times(share, odd))
        t += 2 * LANES
    value: float = total(multiply_add(evens, 1.0, odds))
    while t < n:
        error = A[row, t] - A[to, t]
        value += error * error
        D[row, t] = share * error
        t += 1
    return value


@compiled_as_written
def sizes_and_squares(x: Array, first: int, n: int) -> tuple[float, float]:
    """The sums of n absolute values and of their squares, in a flat array."""
    ones = twos = four_zeros()
    i = 0
    while i + 4 <= n:
        four = load_four(x, first + i)
        ones, twos = multiply_add(ones, 1.0, sizes_of(four)), multiply_add(twos, four, four)
        i += 4
    size, squares = total(ones), total(twos)
    while i < n:
        size += abs(x[first + i])
        squares += x[first + i] * x[first + i]
        i += 1
    return size, squares
