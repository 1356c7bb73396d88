"""Everything that the Doctor's rules ask of one state, from one forward and one backward pass. Read-only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.numpy_kernels import Evaluator
from fallline.engine.measures.probes import FLAT, alike_units
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.problem import Problem

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a hidden layer: see `probes.LayerUnits`."""

    dead: tuple[bool, ...]
    saturated_share: tuple[float, ...] | None
    alike: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """One state over all training samples; `test_loss` is over the test split, NaN without one.

    `trace` is the trace of the covariance of single samples' gradients, `mean_squared` the squared norm of their mean:
    as in `noise.Scatter`. `sizes` has the root mean square of their entries for each layer, `bias_sizes` of the entries
    of the biases. Values may be NaN or infinite.
    """

    loss: float
    test_loss: float
    score: float
    layers: tuple[Units, ...]
    trace: float
    mean_squared: float
    sizes: tuple[float, ...]
    bias_sizes: tuple[float, ...]


def examination_of(problem: Problem, parameters: Array) -> Examination:
    """Examine the state with these parameters."""
    with np.errstate(all="ignore"):
        blocks = [_block(problem, parameters, layer) for layer in range(len(problem.activations))]
        inputs, z, a = _forward(problem, blocks)
        loss, d = problem.loss.measure(a[-1], problem.train.targets)
        hidden = range(len(blocks) - 1)
        units = tuple(_units(problem, blocks, layer, z[layer], a[layer]) for layer in hidden)
        return Examination(
            loss,
            Evaluator(problem, parameters).test()[0],
            _score(problem, a[-1], loss),
            units,
            *_scatter(problem, blocks, inputs, z, a, d),
        )


def _block(problem: Problem, parameters: Array, layer: int) -> Array:
    """Weights and biases of a layer, (fan_in + 1, fan_out): a view."""
    into, out = problem.layout.sizes[layer : layer + 2]
    start = sum(problem.layout.lengths[: 2 * layer])
    return parameters[start : start + (into + 1) * out].reshape(into + 1, out)


def _forward(problem: Problem, blocks: list[Array]) -> tuple[list[Array], list[Array], list[Array]]:
    """Each layer's inputs (fan_in + 1, m), with the 1 for the bias, its z and its outputs (fan_out, m)."""
    inputs, z, a = [problem.train.columns], [], []
    for block, name in zip(blocks, problem.activations, strict=True):
        z.append(block.T @ inputs[-1])
        a.append(ACTIVATIONS[name](z[-1]))
        inputs.append(np.vstack([a[-1], inputs[0][-1:]]))
    return inputs[:-1], z, a


def _units(problem: Problem, blocks: list[Array], layer: int, z: Array, a: Array) -> Units:
    activation = ACTIVATIONS[problem.activations[layer]]
    dead = np.asarray(~a.any(axis=1) & activation.dies)
    saturated = None
    if activation.steepest is not None:
        saturated = tuple((activation.derivative(z, a) < FLAT * activation.steepest).mean(axis=1).tolist())
    alike = alike_units(blocks[layer].T, blocks[layer + 1][:-1])
    return Units(tuple(dead.tolist()), saturated, tuple(map(tuple, alike)))


def _score(problem: Problem, y_pred: Array, loss: float) -> float:
    tally = loss if problem.score.tally is None else problem.score.tally(y_pred, problem.train.targets)
    return float(problem.score.of(np.array(tally), problem.train.variance))


def _scatter(
    problem: Problem, blocks: list[Array], inputs: list[Array], z: list[Array], a: list[Array], d: Array
) -> tuple[float, float, tuple[float, ...], tuple[float, ...]]:
    """Return `trace`, `mean_squared`, `sizes` and `bias_sizes`; `d` is dy_pred of the mean objective."""
    m, sizes, bias_sizes = d.shape[1], [], []
    total = squared = 0.0
    d = d * m
    for layer in range(len(blocks) - 1, -1, -1):
        d = d * ACTIVATIONS[problem.activations[layer]].derivative(z[layer], a[layer])
        lengths = np.einsum("ij,ij->j", d, d)
        squares = float(np.einsum("ij,ij->j", inputs[layer], inputs[layer]) @ lengths)
        mean = inputs[layer] @ d.T / m
        total += squares
        squared += float(np.vdot(mean, mean))
        sizes.append(math.sqrt(squares / m / blocks[layer].size))
        bias_sizes.append(math.sqrt(float(lengths.mean()) / len(d)))
        if layer:
            d = blocks[layer][:-1] @ d
    trace = max(total - m * squared, 0.0) / max(m - 1, 1)
    return trace, squared, tuple(sizes[::-1]), tuple(bias_sizes[::-1])
