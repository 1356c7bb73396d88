"""Checks of a kernel's numbers at a given network and parameters.

The gradient comes from the kernel itself, as the change of one step of plain descent, so the checks cover the code
that trains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.interface import Kernel
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.network import forward
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.recipe import RunRecipe

STEP = 1e-6
"""Step of central differences: larger steps see curvature, smaller ones rounding."""

RATE = 2.0**-10
"""A power of two: the change divided by it is exact to the rounding of the parameters."""

COMPARED_STEPS = 20
"""Steps of GD that SGD on all samples has to repeat."""

MOST_ENTRIES = 200
"""Maximum entries of the gradient to check; a fixed random choice of larger ones."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The largest difference and its limit; `skipped` entries could not be compared.

    `where` names the entry with the largest difference.
    """

    error: float
    tolerance: float
    compared: int
    skipped: int = 0
    where: str = ""

    @property
    def passed(self) -> bool:
        return bool(self.error <= self.tolerance)


def kernels_gradient(problem: Problem, parameters: Array, kernel: Kernel) -> Array | None:
    """The full-batch gradient without penalties, from the kernel's change.

    None if a step diverges.
    """
    state = TrainingState(step=0, samples_seen=0, parameters=parameters.copy())
    records = advance(problem, state, RunRecipe(learning_rate=RATE, batch_size=None), 1, kernel)
    return (parameters - state.parameters) / RATE if len(records) else None


def differences(problem: Problem, parameters: Array, gradient: Array) -> Comparison:
    """Compare the gradient with central differences over all training samples.

    An entry is skipped if the step takes a unit across its kink at any sample. The limit is a millionth of the
    gradient's largest entry, plus the effect of the loss's rounding on a difference.
    """
    count = len(parameters)
    places = np.arange(count)
    if count > MOST_ENTRIES:
        places = np.sort(np.random.default_rng(0).choice(count, MOST_ENTRIES, replace=False))
    loss, here = _objective(problem, parameters)
    scale, rounding = float(np.abs(gradient).max()), 100 * np.finfo(np.float64).eps * abs(loss) / STEP
    worst, where, skipped = 0.0, "", 0
    for place in places.tolist():
        ahead, behind = parameters.copy(), parameters.copy()
        ahead[place] += STEP
        behind[place] -= STEP
        (up, one), (down, other) = _objective(problem, ahead), _objective(problem, behind)
        if not (np.array_equal(one, here) and np.array_equal(other, here)):
            skipped += 1
            continue
        error = abs((up - down) / (ahead[place] - behind[place]) - gradient[place])
        if not error <= worst:
            worst, where = float(error), _name(problem, place)
    rounding += 4 * np.finfo(np.float64).eps * float(np.abs(parameters).max()) / RATE
    return Comparison(worst, 1e-6 * scale + rounding, len(places) - skipped, skipped, where)


def _objective(problem: Problem, parameters: Array) -> tuple[float, NDArray[np.bool_]]:
    """The objective, and the side of its kink of every unit at every sample.

    A difference across a kink says nothing about the gradient.
    """
    with np.errstate(all="ignore"):
        passed = forward(problem.named(parameters), problem.activations, problem.train.X)
        sides = [
            (z > 0.0).ravel()
            for name, z in zip(problem.activations, passed.z, strict=True)
            if ACTIVATIONS[name].kinked
        ]
        loss = problem.loss.objective_share * problem.loss(passed.y_pred, problem.train.y)
    return float(loss), np.concatenate(sides) if sides else np.empty(0, dtype=np.bool_)


def _name(problem: Problem, place: int) -> str:
    """Name of an entry as an index, such as W2[0, 3]."""
    layout = problem.layout
    which = max(number for number, offset in enumerate(layout.offsets) if offset <= place)
    row, column = divmod(place - layout.offsets[which], layout.shapes[which][1])
    return f"{layout.names[which]}[{row}, {column}]"


def balance(problem: Problem, parameters: Array, gradient: Array) -> Comparison | None:
    """Check <w_in, dw_in> + b db = <w_out, dw_out> for homogeneous activations.

    Du, Hu and Lee 2018, arXiv:1806.00900. None if there is no such layer.
    """
    blocks, slopes = problem.layout.blocks(parameters), problem.layout.blocks(gradient)
    worst, size, compared, where = 0.0, 0.0, 0, ""
    for layer, name in enumerate(problem.activations[:-1], start=1):
        if not ACTIVATIONS[name].homogeneous:
            continue
        arriving = blocks[layer - 1] * slopes[layer - 1]
        leaving = blocks[layer][:-1] * slopes[layer][:-1]
        error = np.abs(arriving.sum(axis=0) - leaving.sum(axis=1))
        size = max(size, float(np.abs(arriving).sum(axis=0).max()), float(np.abs(leaving).sum(axis=1).max()))
        compared += len(error)
        if not error.max() <= worst:
            worst, where = float(error.max()), f"unit {int(error.argmax())} of layer {layer}"
    # The gradient is a difference of parameters, so their rounding limits it.
    rounding = 100 * np.finfo(np.float64).eps * float((parameters * parameters).sum()) / RATE
    return Comparison(worst, 1e-9 * size + rounding, compared, where=where) if compared else None


def batches_agree(problem: Problem, parameters: Array, kernel: Kernel) -> Comparison | None:
    """Compare GD with SGD on all samples in data order: equal except for rounding.

    None if they diverge.
    """
    ends = []
    for size in (None, problem.train.count):
        state = TrainingState(step=0, samples_seen=0, parameters=parameters.copy())
        run = RunRecipe(learning_rate=RATE, batch_size=size, order="sequential")
        if len(advance(problem, state, run, COMPARED_STEPS, kernel)) < COMPARED_STEPS:
            return None
        ends.append(state.parameters)
    apart = np.abs(ends[0] - ends[1])
    return Comparison(float(apart.max()), 1e-12 * max(float(np.abs(ends[0]).max()), 1.0), len(apart))
