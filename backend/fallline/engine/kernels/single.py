"""Forward and backward pass for one sample, with vectors instead of matrices.

The same sums as `engine.network`. Few calls matter most at this size: outer products by `dot` (four times cheaper
than `multiply` for two short vectors), and the loss in plain floats.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.problem import Problem

Array = NDArray[np.float64]


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
        self._first_gradient = gradients[0]
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
