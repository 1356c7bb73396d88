"""What a kernel promises: one object that makes a slice of steps with constant settings.

Must not know any particular kernel. Every kernel keeps the same state (`TrainingState`: one flat vector and
the optimizer's slots), so that one can take over from another in the middle of a run.
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
    """What a slice is asked to do: `steps` changes under `settings`, recorded from column 0 of `values` on.

    `values` is (series, steps) in the order of `series.series_names`, `samples_seen` (steps,) counts at each
    step's end.
    """

    settings: RunSettings
    seed: int
    steps: int
    values: NDArray[np.float64]
    samples_seen: NDArray[np.int64]


class Kernel(Protocol):
    """A way to make steps."""

    @property
    def name(self) -> str:
        """Told to the world as the `kernel` of an experiment."""

    def makes(self, problem: Problem) -> bool:
        """Whether it has code for this network and loss: a run is told to be made by a kernel that does make it."""

    def run(self, problem: Problem, state: TrainingState, asked: Slice) -> int:
        """Change the state in place by the steps asked for and fill the records; returns how many were made.

        Fewer only on divergence, judged so that it does not depend on where slices were cut: the state at
        each step of the slice, and the one at its end (one gradient of the slice's settings ahead), must have
        finite parameters, batch loss and gradient, and where it is an evaluation point a training loss of at
        most `DIVERGED` times the initial one. At the first bad step j, `diverged_at` is j - 1, the state is
        that of j - 1 and record j - 1 is not made. If the very first state has a gradient that is not finite,
        no step is made and it is that one. (How large its training loss is does not matter: a state that was
        reached is never taken back.) Series that are not recorded are NaN.
        """


DIVERGED = 1e6
"""A training loss this many times the initial one counts as divergence (CONTRACT "Status")."""
