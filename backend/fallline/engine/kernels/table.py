"""The interface of a kernel: one object that makes a slice of steps.

Settings are constant within a slice. All kernels share one kind of state (`TrainingState`: a flat vector and the
optimizer's slots), so one can replace another in the middle of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.run_settings import RunSettings


@dataclass(frozen=True, slots=True)
class Slice:
    """A request for `steps` changes under `settings`, recorded in `values`.

    `values` is (series, steps) in the order of `series.series_names`; `samples_seen` (steps,) is the count at each
    step's end.
    """

    settings: RunSettings
    seed: int
    steps: int
    values: NDArray[np.float64]
    samples_seen: NDArray[np.int64]


class Kernel(Protocol):
    """An implementation of steps."""

    @property
    def name(self) -> str:
        """The `kernel` field of an experiment."""

    def supports(self, problem: Problem) -> bool:
        """Return whether the kernel has code for this network and loss."""

    def run(self, problem: Problem, state: TrainingState, request: Slice) -> int:
        """Change the state in place and fill the records; return the number of steps made.

        There are fewer steps only on divergence. The rule does not depend on how slices are cut: the state at each
        step of the slice, and the one at its end (one gradient further), must have finite parameters, batch loss and
        gradient. At an evaluation point the training loss must be at most `DIVERGED` times the initial one.

        At the first bad step j, `diverged_at` is j - 1, the state is at step j - 1, and record j - 1 is missing. If
        the first state has a gradient that is not finite, no step is made and `diverged_at` is its step. Its training
        loss does not matter: a step once made is never taken back. Series that are not recorded are NaN.
        """


DIVERGED = 1e6
"""A training loss this many times the initial one is divergence (docs/reference/measurements.md, "Status")."""
