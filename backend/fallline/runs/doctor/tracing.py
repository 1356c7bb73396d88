"""States of a run's past, by a replay, measured for the Doctor.

The result depends on the recipe only. Must not know rules, nor the budget.
"""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.view import Change, Layer, Measured, Noise
from fallline.engine.batches import batch_rows
from fallline.engine.measures.probes import examination_of, next_gradient
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.schedules import rate_of
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance, in_force
from fallline.runs.run import Run

MOST_ROWS = 10
"""Most rows of a batch that a change names."""


def measured(problem: Problem, state: TrainingState) -> Measured:
    """Measure a state over all samples."""
    found = examination_of(problem, state.parameters)
    names = zip(problem.activations, found.layers, strict=False)
    layers = tuple(
        Layer(ACTIVATIONS[name].lines[1], units.dead, units.saturated_share, units.alike)
        for name, units in names
    )
    noise = Noise(problem.train.count, found.trace, found.mean_squared, found.sizes, found.bias_sizes)
    return Measured(state.step, found.loss, found.test_loss, found.score, layers, noise)


def state_at(problem: Problem, run: Run, step: int) -> TrainingState:
    """Return a copy of the run's state at a past step, by a replay from the nearest known one before."""
    if step == run.state.step:
        return run.state.copy()
    kept, examined = run.case.kept.at(step), run.case.examined
    if kept is not None:
        return kept.copy()
    state = run.checkpoints.before(step)
    if examined is not None and state.step < examined.step <= step:
        state = examined.copy()
    advance(problem, state, run.recipe, step - state.step, run.kernel)
    return state


def replay_seconds(run: Run, step: int) -> float:
    """Return the expected cost of `state_at`."""
    if step == run.state.step or run.case.kept.at(step) is not None:
        return 0.0
    known = run.checkpoints.step_before(step)
    examined = run.case.examined
    if examined is not None and examined.step <= step:
        known = max(known, examined.step)
    return (step - known) * run.step_seconds


def states_between(problem: Problem, run: Run, until: int) -> list[Measured]:
    """Measure the states after the last examined one, before step `until`."""
    if run.case.examined is None:
        return []
    state, found = run.case.examined.copy(), []
    while state.step < until - 1:
        advance(problem, state, run.recipe, 1, run.kernel)
        found.append(measured(problem, state))
    return found


def change_at(problem: Problem, run: Run, step: int, layer: int | None) -> Change:
    """Return the parameter that moved most in the change from that step, up to a layer if one is given."""
    state = state_at(problem, run, step)
    settings = run.recipe.settings_at(step)
    gradients, _ = next_gradient(problem, state, run.recipe)
    rows = batch_rows(problem, settings, run.recipe.seed, state.samples_seen)
    rate = rate_of(in_force(settings, state))(step)
    before = state.parameters.copy()
    advance(problem, state, run.recipe, 1, run.kernel)
    count = sum(problem.layout.lengths[: None if layer is None else 2 * layer])
    place = int(np.abs(state.parameters - before)[:count].argmax())
    name, entry = _name_of(problem, place)
    return Change(
        step=step,
        parameter=name,
        entry=entry,
        before=float(before[place]),
        after=float(state.parameters[place]),
        rows=tuple(rows[:MOST_ROWS].tolist()),
        batch=len(rows),
        gradient=float(gradients[name].reshape(-1)[entry]),
        rate=rate,
    )


def _name_of(problem: Problem, place: int) -> tuple[str, int]:
    """Return the parameter at this place of the flat vector, and the place within it."""
    for name, length in zip(problem.layout.names, problem.layout.lengths, strict=True):
        if place < length:
            return name, place
        place -= length
    raise IndexError("beyond the last parameter")
