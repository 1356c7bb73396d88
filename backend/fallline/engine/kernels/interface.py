"""The interface of a kernel: it makes a slice of steps and measures losses. Also the series that it records.

Settings are constant within a slice. All kernels share one kind of state (`TrainingState`: a flat vector and the
optimizer's slots). So one can replace another in the middle of a run. For series and evaluation points see
docs/reference/measurements.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.run_settings import RunSettings

MEASURES = ("grad_l1", "grad_l2", "grad_mean", "ratio")
"""Recorded for every parameter, in this order."""

WHOLE = ("learning_rate", "grad_norm", "grad_norm_clipped", "objective")
"""Recorded once a step, in this order: the rate in force, the norm of the whole gradient, and the minimised value.

The norm after clipping is recorded only under a bound, the objective only under a penalty.
"""

EVERY_STEP_BELOW = 1024
"""Every step below is an evaluation point; beyond, 512 in each doubling."""


_NAMES: WeakKeyDictionary[Problem, tuple[str, ...]] = WeakKeyDictionary()


def series_names(problem: Problem) -> tuple[str, ...]:
    """All series of a run, in the order of `Records`."""
    names = _NAMES.get(problem)
    if names is None:
        measures = tuple(f"{measure}/{name}" for name in problem.layout.names for measure in MEASURES)
        names = _NAMES[problem] = ("batch_loss", *measures, *WHOLE, *evaluated_series(problem))
    return names


def evaluated_series(problem: Problem) -> tuple[str, ...]:
    """The series that only evaluation points have, last in `series_names`."""
    return evaluated_names(problem.score.name, has_test=problem.test is not None)


def evaluated_names(score: str, *, has_test: bool) -> tuple[str, ...]:
    """The same, for a problem with that score."""
    if not has_test:
        return ("train_loss", f"train_{score}")
    return ("train_loss", "test_loss", f"train_{score}", f"test_{score}")


def is_evaluation_point(step: int, samples_seen: int, settings: RunSettings, m: int) -> bool:
    """Return whether the state at `step` is evaluated over all m training samples.

    The last state of a pass is one: samples_seen is a multiple of m.
    """
    if step < EVERY_STEP_BELOW or settings.batch_size is None:
        return True
    return step % (1 << (step.bit_length() - 10)) == 0 or samples_seen % m == 0


NO_PATH: Array = np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class Slice:
    """A request for `steps` changes under `settings`, recorded in `values`.

    `values` is (series, steps) in the order of `series_names`; `samples_seen` (steps,) is the count at each
    step's end. `path` (steps, parameters) gets the parameters that each step begins with; without rows nobody wants
    them.
    """

    settings: RunSettings
    seed: int
    steps: int
    values: Array
    samples_seen: NDArray[np.int64]
    path: Array


class Kernel(Protocol):
    """An implementation of steps and losses."""

    @property
    def name(self) -> str:
        """The `kernel` field of an experiment."""

    def supports(self, problem: Problem) -> bool:
        """Return whether the kernel has code for this network and loss."""

    def run(self, problem: Problem, state: TrainingState, request: Slice) -> int:
        """Change the state in place and fill the records; return the number of steps made.

        There are fewer steps only on divergence. The rule does not depend on how slices are cut. The state at each
        step of the slice must have finite parameters, batch loss and gradient. So must the one at its end (one
        gradient further). At an evaluation point the training loss must be at most `DIVERGED` times the initial
        one.

        At the first bad step j, `diverged_at` and the step of the state are j - 1, and record j - 1 is missing. If
        the first state has a gradient that is not finite, no step is made and `diverged_at` is its step. Its
        training loss does not matter: a step once made is never taken back. Series that are not recorded are NaN.
        """

    def losses(self, problem: Problem, start: Array, directions: Array, s: Array, t: Array) -> Array:
        """Return the training losses (t, s) at start + s directions[0] + t directions[1].

        They are inf or NaN where they are not finite. It changes nothing, and needs no support.
        """


DIVERGED = 1e6
"""A training loss this many times the initial one is divergence (docs/reference/measurements.md, "Status")."""
