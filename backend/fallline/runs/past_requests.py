"""Requests about a run's past, answered at once or by a replay in slices.

Each function calls `done` and returns None, or returns a pending request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.past.replay import PendingRequest, Slices, finest_width, history_in, state_in
from fallline.runs.run import Run
from fallline.vocabulary.columns import ceil, floor
from fallline.vocabulary.errors import FalllineError, invalid
from fallline.vocabulary.recipe import RunRecipe

STRETCH_SECONDS = 2.0
"""Most computing time of one replay for an old part of the history."""

Later = Callable[[dict[str, Any] | FalllineError], None]
"""Called once, with the response or with an error."""

See = Callable[[Problem, TrainingState, RunRecipe], dict[str, Any]]
SeePath = Callable[[Problem, list[TrainingState], RunRecipe], dict[str, Any]]


def state_at(problem: Problem, run: Run, step: int | None, see: See, done: Later) -> PendingRequest | None:
    """Pass the run's exact state at a step to `see`, its result to `done`.

    A past step is replayed on a copy, in slices beside the training.
    """
    to, generation = _step_in_past(run, step), {"generation": run.generation}

    def response(state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
        return {"step": state.step, **generation, **see(problem, state, recipe)}

    if to == run.state.step:
        done(response(run.state, run.recipe))
        return None
    return PendingRequest(state_in(run.replay(to, to), response), done)


def path_to(problem: Problem, run: Run, step: int | None, see: SeePath, done: Later) -> PendingRequest:
    """Pass the run's states up to a step to `see`, its result to `done`.

    `made_seconds` of the result is the time of the replay.
    """
    to, generation = _step_in_past(run, step), {"generation": run.generation}

    def slices() -> Slices:
        states, recipe, seconds = yield from run.path(to)
        response = see(problem, states, recipe)
        return {"step": states[-1].step, **generation, "made_seconds": seconds, **response}

    return PendingRequest(slices(), done)


def history_of(
    run: Run, since: int | None, until: int | None, at_most: int, done: Callable[[Any], None]
) -> PendingRequest | None:
    """Pass the run's generation and its history of a range to `done`.

    The history has at most `at_most` whole buckets. If the stored buckets are coarser than that allows, the steps are
    replayed, in at most `STRETCH_SECONDS`.
    """
    generation, stored = run.generation, run.window(since, until, at_most)

    if since is None or until is None or not len(stored):
        done((generation, stored))
        return None
    width = finest_width(since, min(until + 1, run.state.step), at_most)
    first, stop = floor(since, width), min(ceil(until + 1, width), run.state.step)
    replay = run.replay(first, stop)
    if int((stored.last - stored.first).max()) < width or replay.seconds_left > STRETCH_SECONDS:
        done((generation, stored))
        return None

    def slices() -> Slices:
        return generation, (yield from history_in(replay, first, width, run.seconds_by_step()))

    return PendingRequest(slices(), done)


def _step_in_past(run: Run, step: int | None) -> int:
    """Return the step, or the present one for None. Raises InvalidRequest."""
    present = run.state.step
    if step is not None and step > present:
        raise invalid("/step", f"must be a step from 0 to {present}, the run's present one")
    return present if step is None else step


def fork_of(run: Run, to: int, arrived: Callable[[Run], dict[str, Any]]) -> Slices:
    """Return the response to a fork whose past is replayed from step 0.

    That is an error if its name or the last place was taken meanwhile.
    """
    while run.state.step < to and not run.diverged:
        budget, clock = yield
        steps = min(to - run.state.step, max(int(budget / run.step_seconds), 1))
        run.advance(steps, clock, stops=False)
    try:
        return arrived(run)
    except FalllineError as error:
        return error
