"""The only loop that steps a network: live training, replay and time travel all are `advance`.

Must not know time, users, charts, or why an edit came. The state after n steps depends only on the recipe:
not on where slices were cut, not on who looked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.kernels.table import Kernel, Slice
from fallline.engine.problem import Problem
from fallline.engine.series import series_names
from fallline.engine.state import TrainingState
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import RunRecipe


def advance(
    problem: Problem, state: TrainingState, run: RunRecipe, steps: int, kernel: Kernel = NUMPY
) -> Records:
    """Make `steps` steps of a run, changing the state in place; returns one record a step.

    Fewer when the run diverges: `state.diverged_at` is then set and the state is the last finite one. A
    diverged state that is advanced again tries again, since an edit at that very step may have cured it.
    """
    names = series_names(problem)
    first, state.diverged_at = state.step, None
    values: NDArray[np.float64] = np.empty((len(names), steps))
    samples_seen = np.empty(steps, dtype=np.int64)
    made = 0
    for begin, end, settings in run.segments(first, first + steps):
        columns = slice(begin - first, end - first)
        asked = Slice(settings, run.seed, end - begin, values[:, columns], samples_seen[columns])
        made += kernel.run(problem, state, asked)
        if made < end - first:
            break
    return Records(
        first=first,
        samples_seen=samples_seen[:made],
        seconds=np.zeros(made),
        names=names,
        values=values[:, :made],
    )
