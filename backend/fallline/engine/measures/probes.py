"""Read-only measurements of a state: its units, its next gradient, its losses and predictions, and an examination.

The examination is everything that the Doctor's rules ask of one state, from one forward and one backward pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fallline.engine.batches import batch_rows
from fallline.engine.kernels.numpy_kernels import Evaluator
from fallline.engine.methods.activations import ACTIVATIONS, Activation
from fallline.engine.methods.terms import penalty_gradient
from fallline.engine.network import backward, forward
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array, Rows
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings

FLAT = 0.05
"""A saturated unit has a slope below this share of its largest possible slope."""

SAME, TINY = 1e-9, 1e-6
"""Tolerance for equal units, as a share of the layer's largest weight, or of the second if that is larger.

A matrix product may round equal columns differently. Near 0 rounding alone would separate them.
"""


@dataclass(frozen=True, slots=True)
class LayerUnits:
    """Statistics of a layer's units over the training samples.

    - `mean` is the mean output, `active_share` the share of samples with an output above 0.
    - `dead` marks dead units.
    - `saturated_share` is the share of samples at which a unit is saturated; None if the activation does not flatten
      on both sides.
    - `alike` lists groups of two or more units (counted from 0) with the same incoming and outgoing weights; they
      stay equal.
    """

    mean: list[float]
    active_share: list[float]
    dead: list[bool]
    saturated_share: list[float] | None
    alike: list[list[int]]


def units(problem: Problem, parameters: Array) -> list[LayerUnits]:
    """Statistics of all layers, the output layer last.

    Only an activation that can be off (relu) has dead units, which output 0 for every sample.
    """
    named = problem.named(parameters)
    with np.errstate(all="ignore"):
        passed = forward(named, problem.activations, problem.train.X)
        layers = []
        for layer, name in enumerate(problem.activations, start=1):
            z, a = passed.z[layer - 1], passed.a[layer - 1]
            behind = named.get(f"W{layer + 1}")
            weights = np.vstack([named[f"W{layer}"], named[f"b{layer}"]])
            alike = [] if behind is None else alike_units(weights.T, behind)
            layers.append(_layer(ACTIVATIONS[name], z, a, alike))
    return layers


def _layer(activation: Activation, z: Array, a: Array, alike: list[list[int]]) -> LayerUnits:
    dead = (a == 0.0).all(axis=0) if activation.dies else np.zeros(a.shape[1], dtype=np.bool_)
    saturated = None
    if activation.steepest is not None:
        flat = activation.derivative(z, a) < FLAT * activation.steepest
        saturated = flat.mean(axis=0).tolist()
    return LayerUnits(
        a.mean(axis=0).tolist(), (a > 0.0).mean(axis=0).tolist(), dead.tolist(), saturated, alike
    )


def alike_units(before: Array, behind: Array) -> list[list[int]]:
    """Groups of units with the same rows in both matrices, (units, anything) each."""
    first = np.sort(before[:, 0])
    largest = max(float(np.abs(before).max()), TINY)
    if len(first) > 1 and (np.diff(first) > 2.0 * SAME * largest).all():
        return []  # the first weights differ already
    places = [_rounded(before), _rounded(behind)]
    if any(place is None for place in places):
        return []
    groups: dict[bytes, list[int]] = {}
    rows = np.hstack([place for place in places if place is not None])
    for unit, row in enumerate(rows):
        groups.setdefault(row.tobytes(), []).append(unit)
    return [group for group in groups.values() if len(group) > 1]


def _rounded(weights: Array) -> Array | None:
    """Weights in multiples of `SAME` of the largest; None if one is not finite."""
    largest = float(np.abs(weights).max())
    if not np.isfinite(largest):
        return None
    return np.rint(weights / (SAME * max(largest, TINY))) + 0.0  # + 0.0: never -0


def next_gradient(problem: Problem, state: TrainingState, run: RunRecipe) -> tuple[dict[str, Array], Rows]:
    """The gradient of the next step before clipping, by parameter name, and its batch.

    The batch is a list of rows of the whole data set.
    """
    settings = run.settings_at(state.step)
    rows = batch_rows(problem, settings, run.seed, state.samples_seen)
    return batch_gradient(problem, state.parameters, rows, settings), rows


def full_gradient(problem: Problem, parameters: Array, settings: RunSettings) -> dict[str, Array]:
    """The gradient over all training samples, penalties included, by parameter name."""
    return batch_gradient(problem, parameters, problem.train_rows, settings)


def batch_gradient(problem: Problem, flat: Array, rows: Rows, settings: RunSettings) -> dict[str, Array]:
    """The gradient over these rows of the data, penalties included, by parameter name."""
    parameters = problem.named(flat)
    with np.errstate(all="ignore"):
        passed = forward(parameters, problem.activations, problem.X[rows])
        dy_pred = problem.loss.gradient(passed.y_pred, problem.y[rows])
        gradients = backward(parameters, problem.activations, passed, dy_pred)
        if settings.penalised:
            for name in problem.layout.names[0::2]:
                gradients[name] = gradients[name] + penalty_gradient(parameters[name], settings)
    return {name: gradients[name] for name in problem.layout.names}


# ---------------------------------------------------------------------- losses and predictions


def evaluate(problem: Problem, parameters: Array) -> dict[str, float]:
    """Losses and scores of a flat vector, by the names of `interface.evaluated_series`.

    Values may be NaN or inf.
    """
    score, values = problem.score, {}
    with np.errstate(all="ignore"):
        evaluator = Evaluator(problem, parameters)
        splits = {"train": (problem.train, evaluator.train)}
        if problem.test is not None:
            splits["test"] = (problem.test, evaluator.test)
        for name, (split, evaluate) in splits.items():
            values[f"{name}_loss"], tally = evaluate()
            values[f"{name}_{score.name}"] = float(score.of(np.array(tally), split.variance))
    return values


def predict(problem: Problem, parameters: Array, X: Array) -> Array:
    """Outputs (n, outputs) for inputs (n, features), in the network's units."""
    with np.errstate(all="ignore"):
        return forward(problem.named(parameters), problem.activations, X).y_pred


# ---------------------------------------------------------------------- examination


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a hidden layer: see `LayerUnits`."""

    dead: tuple[bool, ...]
    saturated_share: tuple[float, ...] | None
    alike: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """One state over all training samples; `test_loss` is over the test split, NaN without one.

    - `trace` is the trace of the covariance of single samples' gradients, `mean_squared` the squared norm of their
      mean: as in `noise.Scatter`.
    - `sizes` has the root mean square of their entries for each layer, `bias_sizes` of the entries of the biases.

    Values may be NaN or infinite.
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
        blocks = problem.layout.blocks(parameters)
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
