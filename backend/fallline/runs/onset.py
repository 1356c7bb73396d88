"""Since when something has been so, found on a replay: a run's past is made again and looked at.

The answer belongs to the recipe and not to when somebody looked: it is the first step of the stretch, without a gap, at
whose end it is so now. Must not know what is looked for, nor runs.
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

LOOKS = 64
"""States that are looked at along a stretch; in a longer one, what came and went between two looks is not seen."""

Holds = Callable[[TrainingState], bool]


@dataclass(frozen=True, slots=True)
class Way:
    """How a run's past is made again."""

    problem: Problem
    recipe: RunRecipe
    kernel: Kernel

    def go(self, state: TrainingState, to: int) -> None:
        if to > state.step:
            advance(self.problem, state, self.recipe, to - state.step, self.kernel)


def onset(way: Way, start: TrainingState, until: int, holds: Holds, *, known: bool) -> Since:
    """Since when it `holds`, which it does at step `until`; looked for from `start` on, which is changed.

    `known`: before `start` it was not so, or there is nothing before. Else it may be so since before `start`.
    """
    if start.step >= until:
        return Since(until, exact=known)
    if (other := _last_other(way, start, until, holds)) is None:
        return Since(start.step, exact=known)
    while (stride := _stride(other.step, until)) > 1:
        until = min(other.step + stride, until)
        narrower = _last_other(way, other.copy(), until, holds)
        assert narrower is not None  # it begins where it was not so
        other = narrower
    return Since(other.step + 1)


def _stride(since: int, until: int) -> int:
    return -(-(until - since) // LOOKS)


def _last_other(way: Way, start: TrainingState, until: int, holds: Holds) -> TrainingState | None:
    """The last of the states looked at, from `start` to before `until`, at which it was not so."""
    stride, other, state = _stride(start.step, until), None, start.copy()
    while state.step < until:
        if not holds(state):
            other = state.copy()
        way.go(state, min(state.step + stride, until))
    return other
