"""Sums in compiled code whose order is written down, so that the compiler has no order to choose.

A compiler that may reorder a sum chooses by the shape of the code around it. That code is made from bytecode, which
differs from one Python to the next. Must not know what is added.
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
def sizes_and_squares(x: Array, first: int, n: int) -> tuple[float, float]:
    """The sum of n absolute values of a flat array, and that of their squares."""
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
