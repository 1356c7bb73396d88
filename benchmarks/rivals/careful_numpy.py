"""Expert NumPy, steps only: no allocation, no records, as few calls as possible.

Samples are columns, so that rows are long and outputs contiguous. A row of ones below every layer's outputs serves
the bias, so that weights and biases are one block of one flat vector. Calls of `dot` cost less than calls of `@`. A
batch of one uses vectors.
"""

# /// script
# [tool.rival]
# name = "well-written NumPy"
# records = "nothing"
# ///

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from interface.job import Array, Job, serve

Step = Callable[[Array, Array], object]
"""From one array into another."""

LARGE = 4096
"""For larger arrays a mask is faster than `sign`, which is cheaper to call."""


def relu(z: Array, out: Array) -> None:
    np.maximum(z, 0.0, out)


def slope_of_relu(shape: tuple[int, ...]) -> Step:
    slopes, mask = np.empty(shape), np.empty(shape, dtype=bool)
    greater, multiply, sign = np.greater, np.multiply, np.sign

    def small(a: Array, delta: Array) -> None:
        multiply(delta, sign(a, slopes), delta)

    def large(a: Array, delta: Array) -> None:
        multiply(delta, greater(a, 0.0, mask), delta)

    return large if slopes.size >= LARGE else small


def slope_of_tanh(shape: tuple[int, ...]) -> Step:
    slopes, multiply, subtract = np.empty(shape), np.multiply, np.subtract

    def slope(a: Array, delta: Array) -> None:
        multiply(a, a, slopes)
        multiply(delta, subtract(1.0, slopes, slopes), delta)

    return slope


BENDS: dict[str, tuple[Step, Callable[[tuple[int, ...]], Step]]] = {
    "relu": (relu, slope_of_relu),
    "tanh": (np.tanh, slope_of_tanh),
}


class Careful:
    def __init__(self, job: Job) -> None:
        self._start = np.array(job.parameters)
        self._flat, self._gradient = self._start.copy(), np.empty_like(self._start)
        self._rate = job.learning_rate / job.batch_size
        X, y = job.batches()
        inputs = np.concatenate([X, np.ones((*y.shape[:2], 1))], axis=2).transpose(0, 2, 1)
        columns, targets = np.ascontiguousarray(inputs), np.ascontiguousarray(y.transpose(0, 2, 1))
        if job.batch_size == 1:
            self._batches = list(zip(columns[:, :, 0], columns, targets[:, :, 0], strict=True))
        else:
            self._batches = list(zip(columns, columns, targets, strict=True))
        self._lay_out(job, (job.batch_size,) if job.batch_size > 1 else ())

    def _lay_out(self, job: Job, batch: tuple[int, ...]) -> None:
        """Buffers and bound calls of every layer: outputs (units + 1, batch), deltas (units, batch)."""
        bend, slope = BENDS[job.activation]
        weights, gradients = self._blocks(job, self._flat), self._blocks(job, self._gradient)
        fulls = [np.ones((units + 1, *batch)) for units in job.sizes[1:-1]]
        deltas = [np.empty((units, *batch)) for units in job.sizes[1:]]
        across = [delta.T if batch else delta.reshape(1, -1) for delta in deltas]
        self._forward = [
            (block.T.dot, full[:-1], full, bend) for block, full in zip(weights, fulls, strict=False)
        ]
        self._out, self._error = weights[-1].T.dot, deltas[-1]
        self._back = [
            (
                (full if batch else full.reshape(-1, 1)).dot, across[layer], gradients[layer],
                weights[layer][:-1].dot, deltas[layer], deltas[layer - 1], full[:-1], slope(deltas[layer - 1].shape),
            )
            for layer, full in reversed(list(enumerate(fulls, start=1)))
        ]  # fmt: skip
        self._first = across[0], gradients[0]

    @staticmethod
    def _blocks(job: Job, flat: Array) -> list[Array]:
        """Views (fan_in + 1, fan_out): weights, and biases as the last row."""
        blocks, at = [], 0
        for fan_in, fan_out in pairwise(job.sizes):
            size = (fan_in + 1) * fan_out
            blocks.append(flat[at : at + size].reshape(fan_in + 1, fan_out))
            at += size
        return blocks

    def reset(self) -> None:
        np.copyto(self._flat, self._start)

    def train(self, steps: int) -> None:
        forward, out, error, back = self._forward, self._out, self._error, self._back
        flat, gradient, rate = self._flat, self._gradient, self._rate
        first_across, first_gradient = self._first
        batches, count, multiply, subtract = self._batches, len(self._batches), np.multiply, np.subtract
        for i in range(steps):
            inputs, columns, y = batches[i % count]
            for weigh, a, full, bend in forward:
                weigh(inputs, a)
                bend(a, a)
                inputs = full
            out(inputs, error)
            subtract(error, y, error)
            for gather, across, into, weigh, delta, below, a, slope in back:
                gather(across, into)
                weigh(delta, below)
                slope(a, below)
            columns.dot(first_across, first_gradient)
            multiply(gradient, rate, gradient)
            subtract(flat, gradient, flat)

    def parameters(self) -> Array:
        return self._flat


if __name__ == "__main__":
    serve(Careful)
