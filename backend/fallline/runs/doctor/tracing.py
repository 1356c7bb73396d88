"""The first step of a trace in a run, from its gradients or by a replay.

The result depends on the recipe only. Must not know rules, nor the budget.
"""

from __future__ import annotations

import math

import numpy as np

from fallline.diagnosis.rule import Since, Trace
from fallline.engine.measures.probes import dead_units, equal_units, saturated_share
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.checks.bounds import step_seconds
from fallline.runs.past.checkpoints import Search
from fallline.runs.past.onset import MOST_CHECKS, Replayer, onset
from fallline.runs.run import Run

MOST_BUCKETS = 10_000
"""Most buckets of the history in the search for the last step that moved a layer."""

MOVES = frozenset(("optimizer", "l1", "l2", "redraw"))
"""Edits that may move parameters without a gradient."""

TRACED_SECONDS = 0.25
"""Most computing time replayed before the known states."""


def search_seconds(problem: Problem, run: Run, search: Search) -> float:
    """Return the expected seconds of a search."""
    check = 2.0 * step_seconds(problem.layout.sizes, 0, problem.train.count)
    passes = max(math.ceil(math.log(max(search.stretch, 2), MOST_CHECKS)), 1)
    checks = len(search.states) + passes * min(MOST_CHECKS, search.stretch)
    return search.stretch * run.step_seconds * MOST_CHECKS / (MOST_CHECKS - 1) + checks * check


def since_by_replay(problem: Problem, run: Run, search: Search, trace: Trace, most: float) -> Since:
    """Return the first step, by a replay that takes at most `most` seconds."""

    def holds(state: TrainingState) -> bool:
        return is_there(problem, state, trace)

    replayer, until = Replayer(problem, run.recipe, run.kernel), search.until
    for state in reversed(search.states):
        if not holds(state):
            return onset(replayer, state.copy(), until, holds, exact=True)
        until = state.step
    since = max(until - int(min(most, TRACED_SECONDS) / max(run.step_seconds, 1e-9)), trace.earliest, 0)
    start = run.checkpoints.before(since)
    replayer.go(start, since)
    return onset(replayer, start, until, holds, exact=since == trace.earliest)


def since_by_gradients(problem: Problem, run: Run, trace: Trace) -> Since | None:
    """Return the first step of a dead layer from its gradients, or None.

    Under plain descent without penalties, only their gradients move the layer and the layers before it. So the layer is
    dead, as it is now, after the last gradient that was not 0, which needed an active unit.
    """
    settings = run.settings
    units = problem.layout.sizes[trace.layer]
    if trace.kind != "dead" or len(trace.units) < units or settings.optimizer != "sgd" or settings.penalised:
        return None
    history = run.window(None, None, MOST_BUCKETS)
    names = [f"grad_l1/{kind}{layer}" for layer in range(1, trace.layer + 1) for kind in "Wb"]
    moved = (history.maximum[[history.names.index(name) for name in names]] != 0.0).any(axis=0)
    places = np.flatnonzero(moved)
    last = int(places[-1]) if len(places) else None
    if last is not None and history.first[last] != history.last[last]:
        return None
    since = 0 if last is None else int(history.last[last]) + 1
    if any(edit.at_step >= since and MOVES & set(edit.changes()) for edit in run.recipe.edits):
        return None
    return Since(since)


def is_there(problem: Problem, state: TrainingState, trace: Trace) -> bool:
    """True if the state shows the trace."""
    if trace.kind == "dead":
        dead = dead_units(problem, state.parameters, trace.layer)
        return tuple(np.flatnonzero(dead).tolist()) == trace.units
    if trace.kind == "saturated":
        return bool(saturated_share(problem, state.parameters, trace.layer) >= trace.units[0])
    return tuple(map(tuple, equal_units(problem, state.parameters, trace.layer))) == trace.units
