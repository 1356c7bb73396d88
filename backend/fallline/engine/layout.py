"""Position of each parameter in the flat vector: W1, b1, W2, b2, ... end to end.

Wk (fan_in, fan_out) is followed by bk (1, fan_out). Together they are one (fan_in + 1, fan_out) block: with a 1
appended to the inputs, `x @ W + b` is a single product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layout:
    """Names, shapes and positions of all parameters.

    Parameter i starts at `offsets[i]`; `count` is the total number of entries.
    """

    sizes: tuple[int, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    count: int

    def named(self, flat: Array) -> dict[str, Array]:
        """Views W1, b1, ... into a flat vector."""
        places = zip(self.names, self.shapes, self.offsets, self.lengths, strict=True)
        return {name: flat[start : start + length].reshape(shape) for name, shape, start, length in places}

    def per_layer(self, values: Sequence[float]) -> Array:
        """A flat vector with the same value in all entries of a layer, from one value per layer."""
        return np.repeat(values, np.add(self.lengths[0::2], self.lengths[1::2]))

    def per_kind(self, weights: float, biases: float) -> Array:
        """A flat vector with one value in all weights and one in all biases."""
        return np.repeat([weights, biases] * (len(self.lengths) // 2), self.lengths)

    def weights(self, flat: Array) -> list[Array]:
        """Flat views of W1, W2, ... into a flat vector."""
        places = zip(self.offsets[0::2], self.lengths[0::2], strict=True)
        return [flat[start : start + length] for start, length in places]

    def blocks(self, flat: Array) -> list[Array]:
        """Views (fan_in + 1, fan_out) into a flat vector, one per layer.

        The bias is the last row.
        """
        starts = self.offsets[0::2]
        shapes = [(into + 1, out) for into, out in pairwise(self.sizes)]
        return [
            flat[start : start + rows * columns].reshape(rows, columns)
            for start, (rows, columns) in zip(starts, shapes, strict=True)
        ]


def layout_of(sizes: Sequence[int]) -> Layout:
    """The layout of a network with these layer sizes, inputs first."""
    names: list[str] = []
    shapes: list[tuple[int, int]] = []
    for layer, (into, out) in enumerate(pairwise(sizes), start=1):
        names += [f"W{layer}", f"b{layer}"]
        shapes += [(into, out), (1, out)]
    lengths = [rows * columns for rows, columns in shapes]
    offsets = [sum(lengths[:place]) for place in range(len(lengths))]
    return Layout(tuple(sizes), tuple(names), tuple(shapes), tuple(offsets), tuple(lengths), sum(lengths))
