"""Read-only measurements of a state: its units and its next gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.batches import batch_rows
from fallline.engine.methods.activations import ACTIVATIONS, Activation
from fallline.engine.methods.penalties import penalty_gradient
from fallline.engine.network import backward, forward
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


FLAT = 0.05
"""A saturated unit has a slope below this share of its largest possible slope."""

SAME, TINY = 1e-9, 1e-6
"""Tolerance for equal units, as a share of the layer's largest weight, or of the second if that is larger.

A matrix product may round equal columns differently. Near 0 rounding alone would separate them.
"""


@dataclass(frozen=True, slots=True)
class LayerUnits:
    """Statistics of a layer's units over the training samples.

    `mean` is the mean output, `active_share` the share of samples with an output above 0, `dead` marks dead units.
    `saturated_share` is the share of samples at which a unit is saturated; None if the activation does not flatten on
    both sides. `alike` lists groups of two or more units (counted from 0) with the same incoming and outgoing
    weights; they stay equal.
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


def dead_units(problem: Problem, parameters: Array, layer: int) -> NDArray[np.bool_]:
    """Dead units of a layer (counted from 1), as in `units`."""
    if not ACTIVATIONS[problem.activations[layer - 1]].dies:
        return np.zeros(problem.layout.sizes[layer], dtype=np.bool_)
    _, outputs = _up_to(problem, parameters, layer)
    return np.asarray((outputs == 0.0).all(axis=0))


def saturated_share(problem: Problem, parameters: Array, layer: int) -> float:
    """Saturated share of a layer's outputs, over all units and samples.

    It is 0 if the layer cannot saturate.
    """
    activation = ACTIVATIONS[problem.activations[layer - 1]]
    if activation.steepest is None:
        return 0.0
    flat = activation.derivative(*_up_to(problem, parameters, layer)) < FLAT * activation.steepest
    return float(flat.mean())


def _up_to(problem: Problem, parameters: Array, layer: int) -> tuple[Array, Array]:
    """Pre-activations and outputs of a layer, each (samples, units)."""
    named, a = problem.named(parameters), problem.train.X
    with np.errstate(all="ignore"):
        for place in range(1, layer + 1):
            z = a @ named[f"W{place}"] + named[f"b{place}"]
            a = ACTIVATIONS[problem.activations[place - 1]](z)
    return z, a


def equal_units(problem: Problem, parameters: Array, layer: int) -> list[list[int]]:
    """Groups of equal units of a hidden layer (counted from 1), as in `units`."""
    named = problem.named(parameters)
    weights = np.vstack([named[f"W{layer}"], named[f"b{layer}"]])
    return alike_units(weights.T, named[f"W{layer + 1}"])


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
