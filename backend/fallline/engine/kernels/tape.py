"""The tape: raw measurements of a block of steps, and their evaluation.

A step only copies its parameters and gradient into a row. Norms and checks run over many rows at once, which shares
NumPy's call cost (a record per step would double the time of an SGD step).
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fallline.engine.layout import Layout
from fallline.engine.series import MEASURES

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROWS = 64
NUMBERS = 65_536
"""Limit of a buffer in numbers: 100,000 parameters take megabytes, not hundreds."""


class Tape:
    """Row r, up to `capacity`, holds the measurements r steps after the block's start.

    There is one more row than steps: the last is checked with this block and becomes row 0 of the next.
    """

    def __init__(self, layout: Layout, steps: int = ROWS) -> None:
        self.capacity = max(1, min(ROWS, NUMBERS // layout.count, steps))
        rows = self.capacity + 1
        self._starts = np.array(layout.offsets)
        self._lengths = np.array(layout.lengths, dtype=np.float64)
        self.parameters = np.empty((rows, layout.count))
        self.gradients = np.empty((rows, layout.count))
        self.batch_loss = np.empty(rows)
        self.rate, self.clipped_norm = np.empty(rows), np.full(rows, np.nan)
        self.train_loss = np.full(rows, np.nan)
        self.test_loss = np.full(rows, np.nan)
        self.train_tally, self.test_tally = np.full(rows, np.nan), np.full(rows, np.nan)
        self._scratch = np.empty((self.capacity, layout.count))

    def rewind(self, last: int) -> None:
        """Move row `last` to row 0 of the next block."""
        for column in (self.parameters, self.gradients, self.batch_loss):
            column[0] = column[last]
        for column in (self.train_loss, self.test_loss, self.train_tally, self.test_tally):
            column[0] = column[last]

    def first_bad(self, last: int, limit: float) -> int | None:
        """The first bad row of 0 .. last; row 0 may have any training loss."""
        rows = slice(0, last + 1)
        bad: Flags = ~np.isfinite(self.batch_loss[rows])
        bad[1:] |= self.train_loss[1 : last + 1] > limit
        # A sum of finite numbers may overflow, so check the numbers of a suspicious row.
        sums = self.parameters[rows].sum(axis=1) + self.gradients[rows].sum(axis=1)
        for row in np.flatnonzero(~np.isfinite(sums)):
            if not (np.isfinite(self.parameters[row]).all() and np.isfinite(self.gradients[row]).all()):
                bad[row] = True
                break
        rows_bad = np.flatnonzero(bad)
        return int(rows_bad[0]) if len(rows_bad) else None

    def write(self, values: Array, count: int) -> Array:
        """Write the measures of every parameter in rows 0 .. count - 1; return the norms of the whole gradients.

        `values` is (parameters * measures, count).
        """
        out = values.reshape(len(self._starts), len(MEASURES), count)
        before, after, gradients = (
            self.parameters[:count],
            self.parameters[1 : count + 1],
            self.gradients[:count],
        )
        scratch = self._scratch[:count]
        l1 = self._sums(np.abs(gradients, scratch)).T
        out[:, 0] = l1
        gradient_squares = self._sums(np.multiply(gradients, gradients, scratch)).T
        np.sqrt(gradient_squares, out[:, 1])
        np.divide(l1, self._lengths[:, np.newaxis], out[:, 2])
        change = np.subtract(after, before, scratch)
        squares = self._sums(np.multiply(change, change, scratch)).T
        own = self._sums(np.multiply(before, before, scratch)).T
        np.sqrt(np.divide(squares, own, out[:, 3]), out[:, 3])
        return np.asarray(np.sqrt(reduce(np.add, gradient_squares)))

    def weight_sums(self, count: int) -> tuple[Array, Array]:
        """Sums (count,) of |W| and of W**2 over all weights in rows 0 .. count - 1."""
        before, scratch = self.parameters[:count], self._scratch[:count]
        sizes = self._sums(np.abs(before, scratch))[:, 0::2]
        squares = self._sums(np.multiply(before, before, scratch))[:, 0::2]
        # Layer by layer: the order of a sum along an axis may depend on the other rows.
        return reduce(np.add, sizes.T), reduce(np.add, squares.T)

    def _sums(self, numbers: Array) -> Array:
        """Sums over each parameter's numbers: (rows, parameters)."""
        return np.add.reduceat(numbers, self._starts, axis=1)
