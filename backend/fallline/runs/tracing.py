"""Since when a run shows a trace: read off its gradients, or looked for on a replay, and what looking would cost.

The answer belongs to the recipe and not to when somebody looked. Must not know rules, nor what may be spent.
"""

from __future__ import annotations

import math

import numpy as np

from fallline.diagnosis.rule import Since, Trace
from fallline.engine.probes import dead_units, equal_units, saturated_share
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.cost import step_seconds
from fallline.runs.onset import LOOKS, Way, onset
from fallline.runs.run import Run
from fallline.runs.trail import Search

MOST_BUCKETS = 10_000
"""Of the history, at its finest, when one looks for the last step that moved a layer."""

MOVES = frozenset(("optimizer", "l1", "l2", "redraw"))
"""Edits by which parameters may move that have no gradient."""

TRACED_SECONDS = 0.25
"""Computing time that may be made again to find out since when something is so."""


def search_seconds(problem: Problem, run: Run, search: Search) -> float:
    """What it is expected to take to look along the trail, and then step by step in a gap of it."""
    look = 2.0 * step_seconds(problem.layout.sizes, 0, problem.train.count)
    rounds = max(math.ceil(math.log(max(search.stretch, 2), LOOKS)), 1)
    looks = len(search.trail) + rounds * min(LOOKS, search.stretch)
    return search.stretch * run.step_seconds * LOOKS / (LOOKS - 1) + looks * look


def found_by(problem: Problem, run: Run, search: Search, trace: Trace, most: float) -> Since:
    """Since when it is so: on the trail, or before it as far back as may be made again in `most` seconds."""

    def holds(state: TrainingState) -> bool:
        return is_there(problem, state, trace)

    way, until = Way(problem, run.recipe, run.kernel), search.until
    for state in reversed(search.trail):
        if not holds(state):
            return onset(way, state.copy(), until, holds, known=True)
        until = state.step
    since = max(until - int(min(most, TRACED_SECONDS) / max(run.step_seconds, 1e-9)), trace.earliest, 0)
    start = run.checkpoints.before(since)
    way.go(start, since)
    return onset(way, start, until, holds, known=since == trace.earliest)


def since_by_gradients(problem: Problem, run: Run, trace: Trace) -> Since | None:
    """Since when a whole layer is dead, as its gradients tell it, which costs no replay; None where they do not.

    Under plain descent without penalties nothing moves the layer and those before it but their gradients. So it is
    dead, as it is now, since the last of these that was not 0; and that one needed a unit that was active.
    """
    settings = run.settings
    units = problem.layout.sizes[trace.layer]
    if trace.kind != "dead" or len(trace.units) < units or settings.optimizer != "sgd" or settings.penalised:
        return None
    told = run.window(None, None, MOST_BUCKETS)
    names = [f"grad_l1/{kind}{layer}" for layer in range(1, trace.layer + 1) for kind in "Wb"]
    moved = (told.maximum[[told.names.index(name) for name in names]] != 0.0).any(axis=0)
    places = np.flatnonzero(moved)
    last = int(places[-1]) if len(places) else None
    if last is not None and told.first[last] != told.last[last]:
        return None
    since = 0 if last is None else int(told.last[last]) + 1
    if any(edit.at_step >= since and MOVES & set(edit.changes()) for edit in run.recipe.edits):
        return None
    return Since(since)


def is_there(problem: Problem, state: TrainingState, trace: Trace) -> bool:
    """Whether a state shows the trace."""
    if trace.kind == "dead":
        dead = dead_units(problem, state.parameters, trace.layer)
        return tuple(np.flatnonzero(dead).tolist()) == trace.units
    if trace.kind == "saturated":
        return bool(saturated_share(problem, state.parameters, trace.layer) >= trace.units[0])
    return tuple(map(tuple, equal_units(problem, state.parameters, trace.layer))) == trace.units
