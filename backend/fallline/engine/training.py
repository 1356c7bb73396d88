"""The only loop that steps a network, for live training, replay and time travel.

The state after n steps depends only on the recipe, not on the slices or on readers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.kernels.table import Kernel, Slice
from fallline.engine.plateau import SLOT, cut_at_looks, in_force, look
from fallline.engine.problem import Problem
from fallline.engine.redrawing import redraw
from fallline.engine.series import series_names
from fallline.engine.state import TrainingState
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Redraw, RunSettings


def advance(
    problem: Problem, state: TrainingState, run: RunRecipe, steps: int, kernel: Kernel = NUMPY
) -> Records:
    """Make `steps` steps of a run in place; return one record per step.

    There are fewer records if the run diverges: `state.diverged_at` is then set and the state is the last finite one.
    A further call tries again, since an edit at that step may help.
    """
    names = series_names(problem)
    first, state.diverged_at = state.step, None
    values: NDArray[np.float64] = np.empty((len(names), steps))
    samples_seen = np.empty(steps, dtype=np.int64)
    done = 0
    for begin, end, settings in _segments(run, first, first + steps):
        columns = slice(begin - first, end - first)
        current = in_force(settings, state) if settings.watches_loss else settings
        request = Slice(current, run.seed, end - begin, values[:, columns], samples_seen[columns])
        drawn_layers = run.redraw_at(end - 1)
        before = state.parameters.copy() if drawn_layers is not None else state.parameters
        memory = state.slots.pop(SLOT, None)
        done += kernel.run(problem, state, request)
        if done == end - first and drawn_layers is not None:
            redraw(problem, state, run.seed, drawn_layers)
            _record_whole_change(problem, before, state, drawn_layers, values[:, done - 1])
        if memory is not None:
            state.slots[SLOT] = memory
        if done < end - first:
            break
        if settings.watches_loss:
            look(problem, state, settings)
    return Records(
        first=first,
        samples_seen=samples_seen[:done],
        seconds=np.zeros(done),
        names=names,
        values=values[:, :done],
    )


def _segments(run: RunRecipe, first: int, stop: int) -> Iterator[tuple[int, int, RunSettings]]:
    """Split steps where their rates or other settings change: (first, stop, settings)."""
    for segment in run.segments(first, stop):
        yield from cut_at_looks(*segment) if segment[2].watches_loss else (segment,)


def _record_whole_change(
    problem: Problem,
    before: NDArray[np.float64],
    state: TrainingState,
    drawn_layers: Redraw,
    record: NDArray[np.float64],
) -> None:
    """Record `ratio/P` over the whole change, redraw included."""
    names = series_names(problem)
    old, new = problem.named(before), problem.named(state.parameters)
    for name in (f"{kind}{layer}" for layer in drawn_layers.layers for kind in "Wb"):
        change, size = new[name] - old[name], np.linalg.norm(old[name])
        with np.errstate(all="ignore"):
            record[names.index(f"ratio/{name}")] = np.linalg.norm(change) / size
