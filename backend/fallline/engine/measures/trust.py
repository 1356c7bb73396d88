"""Whether the numbers of a kernel can be trusted, checked at the network and the parameters at hand.

The gradient is taken from the kernel itself, as what a step of plain descent changes, so that what is checked is what
trains. Must not know runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.table import Kernel
from fallline.engine.network import forward
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]

STEP = 1e-6
"""Of central differences: beyond, the loss bends; below, its rounding shows."""

RATE = 2.0**-10
"""A power of two, so that a change divided by it is the gradient to the rounding of the parameters."""

MOST_ENTRIES = 200
"""Entries of the gradient that are checked; of more, so many are drawn, always the same."""

KINKED = ("relu", "leaky_relu")
"""Activations with a kink at 0: where a difference steps over it, it says nothing of the gradient on either side."""

HOMOGENEOUS = ("relu", "leaky_relu", "identity")


@dataclass(frozen=True, slots=True)
class Compared:
    """The largest difference found, and what it may be at most; `skipped` entries could not be compared.

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
    """The full-batch gradient without penalties, as the kernel's change tells it; None where a step diverges."""
    state = TrainingState(step=0, samples_seen=0, parameters=parameters.copy())
    records = advance(problem, state, RunRecipe(learning_rate=RATE, batch_size=None), 1, kernel)
    return (parameters - state.parameters) / RATE if len(records) else None


def differences(problem: Problem, parameters: Array, gradient: Array) -> Compared:
    """The gradient beside central differences of the loss that is descended, over all training samples.

    An entry is skipped where the step takes a unit over its kink at any sample. What may differ is a millionth of the
    gradient's largest entry, and what the rounding of the loss itself makes of a difference.
    """
    count = len(parameters)
    places = np.arange(count)
    if count > MOST_ENTRIES:
        places = np.sort(np.random.default_rng(0).choice(count, MOST_ENTRIES, replace=False))
    loss, here = _descended(problem, parameters)
    scale, rounding = float(np.abs(gradient).max()), 100 * np.finfo(np.float64).eps * abs(loss) / STEP
    worst, where, skipped = 0.0, "", 0
    for place in places.tolist():
        ahead, behind = parameters.copy(), parameters.copy()
        ahead[place] += STEP
        behind[place] -= STEP
        (up, one), (down, other) = _descended(problem, ahead), _descended(problem, behind)
        if not (np.array_equal(one, here) and np.array_equal(other, here)):
            skipped += 1
            continue
        error = abs((up - down) / (ahead[place] - behind[place]) - gradient[place])
        if not error <= worst:
            worst, where = float(error), _name(problem, place)
    rounding += 4 * np.finfo(np.float64).eps * float(np.abs(parameters).max()) / RATE
    return Compared(worst, 1e-6 * scale + rounding, len(places) - skipped, skipped, where)


def _descended(problem: Problem, parameters: Array) -> tuple[float, NDArray[np.bool_]]:
    """The loss that is descended, and on which side of its kink every unit is at every sample."""
    with np.errstate(all="ignore"):
        passed = forward(problem.named(parameters), problem.activations, problem.train.X)
        sides = [
            (z > 0.0).ravel() for name, z in zip(problem.activations, passed.z, strict=True) if name in KINKED
        ]
        loss = problem.loss.descended * problem.loss(passed.y_pred, problem.train.y)
    return float(loss), np.concatenate(sides) if sides else np.empty(0, dtype=np.bool_)


def _name(problem: Problem, place: int) -> str:
    """W2[0, 3], as one would index it."""
    layout = problem.layout
    which = max(number for number, offset in enumerate(layout.offsets) if offset <= place)
    row, column = divmod(place - layout.offsets[which], layout.shapes[which][1])
    return f"{layout.names[which]}[{row}, {column}]"


def balance(problem: Problem, parameters: Array, gradient: Array) -> Compared | None:
    """For every hidden unit whose activation is homogeneous, <w_in, dw_in> + b db = <w_out, dw_out>: Du, Hu and Lee
    2018, arXiv:1806.00900. None where there is no such layer.
    """
    blocks, slopes = problem.layout.blocks(parameters), problem.layout.blocks(gradient)
    worst, size, compared, where = 0.0, 0.0, 0, ""
    for layer, name in enumerate(problem.activations[:-1], start=1):
        if name not in HOMOGENEOUS:
            continue
        arriving = blocks[layer - 1] * slopes[layer - 1]
        leaving = blocks[layer][:-1] * slopes[layer][:-1]
        error = np.abs(arriving.sum(axis=0) - leaving.sum(axis=1))
        size = max(size, float(np.abs(arriving).sum(axis=0).max()), float(np.abs(leaving).sum(axis=1).max()))
        compared += len(error)
        if not error.max() <= worst:
            worst, where = float(error.max()), f"unit {int(error.argmax())} of layer {layer}"
    # The gradient is only as exact as the parameters that it is the difference of.
    rounding = 100 * np.finfo(np.float64).eps * float((parameters * parameters).sum()) / RATE
    return Compared(worst, 1e-9 * size + rounding, compared, where=where) if compared else None


def batches_agree(problem: Problem, parameters: Array, kernel: Kernel, steps: int = 20) -> Compared | None:
    """GD beside SGD whose batch is all samples, in the order of the data, for some steps: the same but for rounding.

    None where they diverge.
    """
    found = []
    for size in (None, problem.train.count):
        state = TrainingState(step=0, samples_seen=0, parameters=parameters.copy())
        run = RunRecipe(learning_rate=RATE, batch_size=size, order="sequential")
        if len(advance(problem, state, run, steps, kernel)) < steps:
            return None
        found.append(state.parameters)
    apart = np.abs(found[0] - found[1])
    return Compared(float(apart.max()), 1e-12 * max(float(np.abs(found[0]).max()), 1.0), len(apart))
