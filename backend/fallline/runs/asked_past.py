"""What is asked of a run's past: answered at once where it is held, else by something that takes many slices.

Each function gives the answer to `done` and returns None, or returns what is to be waited for. Must not know who asks,
nor how slices are shared out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.lookback import Look, Stretch, Waiting, finest_width
from fallline.runs.run import Run
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.dyadic import ceil, floor
from fallline.vocabulary.errors import FalllineError, FieldError, InvalidRequest
from fallline.vocabulary.recipe import RunRecipe

STRETCH_SECONDS = 2.0
"""Computing time that one look at an old stretch of the history may take."""

Later = Callable[[dict[str, Any] | FalllineError], None]
"""Called once, with the answer or with the error that comes instead."""

See = Callable[[Problem, TrainingState, RunRecipe], dict[str, Any]]
SeeWay = Callable[[Problem, list[TrainingState], RunRecipe], dict[str, Any]]


def state_at(problem: Problem, run: Run, step: int | None, see: See, done: Later) -> Waiting | None:
    """Show `see` the run's state at a step (None: the present one), exactly; `done` gets what it says.

    A past step is made again on a copy, in slices beside the training, which does not notice.
    """
    to, generation = _step_made(run, step), {"generation": run.generation}

    def told(state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
        return {"step": state.step, **generation, **see(problem, state, recipe)}

    if to == run.state.step:
        done(told(run.state, run.recipe))
        return None
    return Look(run.replay(to, to), told, done)


def way_to(problem: Problem, run: Run, step: int | None, see: SeeWay, done: Later) -> Waiting:
    """Show `see` the way that a run went to a step (None: the present one), as states by their steps; `made_seconds`
    says how long it took to make steps of it again.
    """
    to, generation = _step_made(run, step), {"generation": run.generation}

    def told(found: tuple[list[TrainingState], RunRecipe, float]) -> None:
        states, recipe, made = found
        seen = see(problem, states, recipe)
        done({"step": states[-1].step, **generation, "made_seconds": made, **seen})

    return run.way(to, told)


def stretch_of(
    run: Run, since: int | None, until: int | None, at_most: int, done: Callable[[Any], None]
) -> Waiting | None:
    """The history from step `since` to `until`, both included, in at most so many whole buckets.

    `done` gets the run's generation with it. A stretch of which only coarser buckets are held than would fit is made
    again, where that takes no more than `STRETCH_SECONDS`.
    """
    generation, held = run.generation, run.window(since, until, at_most)

    def told(buckets: Buckets) -> None:
        done((generation, buckets))

    if since is None or until is None or not len(held):
        told(held)
        return None
    width = finest_width(since, min(until + 1, run.state.step), at_most)
    first, stop = floor(since, width), min(ceil(until + 1, width), run.state.step)
    replay = run.replay(first, stop)
    if int((held.last - held.first).max()) < width or replay.seconds_left > STRETCH_SECONDS:
        told(held)
        return None
    return Stretch(replay, first, width, run.seconds_made(), told)


def _step_made(run: Run, step: int | None) -> int:
    """The step that is asked for, by default the present one. Raises InvalidRequest for one that is not made yet."""
    present = run.state.step
    if step is not None and step > present:
        raise InvalidRequest(FieldError("/step", f"a step from 0 to {present}, the run's present one"))
    return present if step is None else step
