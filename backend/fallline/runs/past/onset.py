"""The first step of a lasting condition, found on a replay of a run's past.

The result depends on the recipe only. It is the first step of the unbroken stretch in which the condition holds up to
now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fallline.diagnosis.rule import Since
from fallline.engine.kernels.table import Kernel
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.recipe import RunRecipe

MOST_CHECKS = 64
"""States checked along a stretch; in a longer stretch, a change between two checks is missed."""

Holds = Callable[[TrainingState], bool]


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays steps of a run."""

    problem: Problem
    recipe: RunRecipe
    kernel: Kernel

    def go(self, state: TrainingState, to: int) -> None:
        if to > state.step:
            advance(self.problem, state, self.recipe, to - state.step, self.kernel)


def onset(replayer: Replayer, start: TrainingState, until: int, holds: Holds, *, exact: bool) -> Since:
    """Return the first step since which it `holds`, up to step `until`.

    Searches from `start` on and changes it. `exact`: it did not hold before `start`, or there is no step before.
    Otherwise it may hold since before `start`.
    """
    if start.step >= until:
        return Since(until, exact=exact)
    if (other := _last_other(replayer, start, until, holds)) is None:
        return Since(start.step, exact=exact)
    while (stride := _stride(other.step, until)) > 1:
        until = min(other.step + stride, until)
        narrower = _last_other(replayer, other.copy(), until, holds)
        assert narrower is not None  # it starts where it did not hold
        other = narrower
    return Since(other.step + 1)


def _stride(since: int, until: int) -> int:
    return -(-(until - since) // MOST_CHECKS)


def _last_other(replayer: Replayer, start: TrainingState, until: int, holds: Holds) -> TrainingState | None:
    """Return the last checked state in [start, until) at which it did not hold."""
    stride, other, state = _stride(start.step, until), None, start.copy()
    while state.step < until:
        if not holds(state):
            other = state.copy()
        replayer.go(state, min(state.step + stride, until))
    return other
