"""Forward and backward pass in preallocated buffers, over many samples and over one.

The sums of `engine.network`. For many samples they are transposed: activations are (units, samples). So
element-wise work and the long sums of the weight gradients run over contiguous memory. At 900 samples this takes
half the time of the textbook order. Weights and bias of a layer are one block, and every layer's inputs include a
row of ones for the bias.

For one sample there are vectors instead of matrices. Few calls matter most at this size. So outer products use
`dot` (four times cheaper than `multiply` for two short vectors), and the loss uses plain floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.problem import Problem
from fallline.vocabulary.arrays import Array


class _Layer(NamedTuple):
    """A hidden layer: `full` (units + 1, m) is the outputs and a row of ones.

    `outputs` is a view without the ones.
    """

    transposed: Array
    z: Array
    outputs: Array
    full: Array
    apply: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array, Array], Array]


class ColumnForward:
    """Predictions for `count` samples; every call reads the current `parameters`.

    The buffers live as long as this object.
    """

    def __init__(self, problem: Problem, parameters: Array, count: int) -> None:
        self._measure, self._tally = problem.loss.measure, problem.score.tally
        self._blocks = problem.layout.blocks(parameters)
        self._hidden = [self._layer(problem, place, count) for place in range(len(self._blocks) - 1)]
        self._last = self._blocks[-1].T
        self._out = np.empty((problem.layout.sizes[-1], count))
        self._activation = ACTIVATIONS[problem.activations[-1]]
        self._bent = self._activation.name != "identity"
        self._z = np.empty_like(self._out) if self._bent else self._out

    def _layer(self, problem: Problem, place: int, count: int) -> _Layer:
        block, row = self._blocks[place], ACTIVATIONS[problem.activations[place]]
        full = np.ones((block.shape[1] + 1, count))
        return _Layer(block.T, np.empty((block.shape[1], count)), full[:-1], full, row.apply, row.slope)

    def predict(self, inputs: Array) -> Array:
        """y_pred (outputs, count) for inputs (features + 1, count).

        The next call overwrites the result.
        """
        for transposed, z, outputs, full, apply, _ in self._hidden:
            transposed.dot(inputs, z)
            apply(z, outputs)
            inputs = full
        self._last.dot(inputs, self._z)
        if self._bent:
            self._activation.apply(self._z, self._out)
        return self._out

    def evaluate(self, inputs: Array, targets: Array) -> tuple[float, float]:
        """The reported loss and the score's tally; overwrites the predictions."""
        y_pred = self.predict(inputs)
        tally = self._tally and self._tally(y_pred, targets)
        loss, _ = self._measure(y_pred, targets, y_pred)
        return loss, loss if tally is None else tally


class ColumnPass(ColumnForward):
    """Loss and flat `gradient` for batches of `count` samples."""

    def __init__(self, problem: Problem, parameters: Array, gradient: Array, count: int) -> None:
        super().__init__(problem, parameters, count)
        self._gradients = problem.layout.blocks(gradient)
        self._dy = np.empty_like(self._out)
        self._back = [
            (
                self._gradients[place + 1],
                layer.full,
                self._blocks[place + 1][:-1],
                layer,
                np.empty_like(layer.z),
            )
            for place, layer in reversed(list(enumerate(self._hidden)))
        ]

    def gradient(self, inputs: Array, targets: Array) -> float:
        """Compute the gradient of a batch; return its reported loss."""
        y_pred = self.predict(inputs)
        loss, _ = self._measure(y_pred, targets, self._dy)
        delta = self._dy
        if self._bent:
            self._activation.slope(self._z, y_pred, self._z)
            np.multiply(delta, self._z, delta)
        for gradient, full, weights, layer, above in self._back:
            full.dot(delta.T, gradient)
            weights.dot(delta, above)
            layer.slope(layer.z, layer.outputs, layer.z)
            np.multiply(above, layer.z, above)
            delta = above
        inputs.dot(delta.T, self._gradients[0])
        return loss

    def tally(self, loss: float, targets: Array) -> float:
        """The score's tally of the last batch of `gradient`, whose loss was `loss`."""
        return loss if self._tally is None else self._tally(self._out, targets)


# ---------------------------------------------------------------------- one sample


class SinglePass:
    """Loss and gradient of one sample, for networks with one output.

    Every call reads the current flat `parameters` and writes the flat `gradient`.
    """

    def __init__(self, problem: Problem, parameters: Array, gradient: Array) -> None:
        if problem.loss.measure_one is None:
            raise ValueError(f"{problem.loss.name} has an output for each class")
        self._measure_one = problem.loss.measure_one
        blocks, gradients = problem.layout.blocks(parameters), problem.layout.blocks(gradient)
        rows = [ACTIVATIONS[name] for name in problem.activations]
        fulls = [np.ones(block.shape[1] + 1) for block in blocks[:-1]]
        zs = [np.empty(block.shape[1]) for block in blocks[:-1]]
        deltas = [np.empty(block.shape[1]) for block in blocks[:-1]]
        self._hidden = [
            (block, z, full[:-1], full, row.apply)
            for block, z, full, row in zip(blocks[:-1], zs, fulls, rows[:-1], strict=True)
        ]
        self._last, self._last_gradient = blocks[-1].reshape(-1), gradients[-1].reshape(-1)
        self._last_weights = self._last[:-1]
        self._output, self._bent = rows[-1], rows[-1].name != "identity"
        self._back = [
            (
                zs[place], fulls[place][:-1], rows[place].slope, deltas[place], deltas[place].reshape(1, -1),
                gradients[place], fulls[place - 1].reshape(-1, 1) if place else None,
                blocks[place][:-1] if place else None, deltas[place - 1] if place else None,
            )
            for place in reversed(range(len(zs)))
        ]  # fmt: skip

    def gradient(self, inputs: Array, upright: Array, target: float) -> float:
        """The reported loss of one sample.

        `inputs` is (features + 1,), `upright` the same as a column (features + 1, 1).
        """
        above: Array = inputs
        for block, z, outputs, full, apply in self._hidden:
            above.dot(block, z)
            apply(z, outputs)
            above = full
        loss, dy = self._measured(float(above.dot(self._last)), target)
        np.multiply(above, dy, self._last_gradient)
        if not self._back:
            return loss
        np.multiply(self._last_weights, dy, self._back[0][3])
        for z, outputs, slope, delta, flat, gradient, below, weights, delta_below in self._back:
            slope(z, outputs, z)
            np.multiply(delta, z, delta)
            if below is None or weights is None:
                upright.dot(flat, gradient)
            else:
                below.dot(flat, gradient)
                weights.dot(delta, delta_below)
        return loss

    def _measured(self, y_pred: float, target: float) -> tuple[float, float]:
        """Loss and its derivative by the output's pre-activation."""
        if not self._bent:
            return self._measure_one(y_pred, target)
        z = np.array([y_pred])
        a = self._output(z)
        loss, dy = self._measure_one(float(a[0]), target)
        return loss, dy * float(self._output.derivative(z, a)[0])
