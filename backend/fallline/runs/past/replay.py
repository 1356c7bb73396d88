"""A replay of a run's past on a copy, in slices, while the run continues."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.interface import Kernel
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records, ceil, coarsen, floor, from_records, join, pieces
from fallline.vocabulary.recipe import RunRecipe

Clock = Callable[[], float]


def finest_width(start: int, stop: int, at_most: int) -> int:
    """Return the finest width that needs at most `at_most` buckets."""
    width = 1
    while (ceil(stop, width) - floor(start, width)) // width > at_most:
        width *= 2
    return width


@dataclass(slots=True)
class Replay:
    """A copy of a run on its way from `state` to step `to`.

    The recipe is the one at the request: later edits concern later steps. The expected cost of a step is
    `step_seconds`, the cost so far `spent`, in seconds.
    """

    problem: Problem
    recipe: RunRecipe
    kernel: Kernel
    state: TrainingState
    to: int
    step_seconds: float
    spent: float = 0.0

    @property
    def seconds_left(self) -> float:
        """Expected cost of the remaining steps."""
        return (self.to - self.state.step) * self.step_seconds

    @property
    def arrived(self) -> bool:
        """True if no step is left: it is at `to`, or at the last step before divergence."""
        return self.state.step >= self.to or self.state.diverged_at is not None

    def work(self, budget: float, clock: Clock) -> Records:
        """Make steps for about `budget` seconds; return their records."""
        steps = min(self.to - self.state.step, max(int(budget / self.step_seconds), 1))
        began = clock()
        records = advance(self.problem, self.state, self.recipe, steps, self.kernel)
        took = clock() - began
        self.spent += took
        if len(records):
            self.step_seconds += 0.3 * (took / len(records) - self.step_seconds)
        return records


Slices = Generator[None, tuple[float, Clock], Any]
"""Work in slices: it gets the budget of each, in seconds, with a clock, and returns its result in the end."""


class PendingRequest:
    """A request that takes several slices. `done` is called once, with the result or with an error."""

    def __init__(self, slices: Slices, done: Callable[[Any], None]) -> None:
        self._slices, self._has_begun, self.done = slices, False, done

    def work(self, budget: float, clock: Clock) -> bool:
        """Work for about `budget` seconds; return True after the response."""
        try:
            if not self._has_begun:
                self._has_begun = True
                next(self._slices)
            self._slices.send((budget, clock))
        except StopIteration as end:
            self.done(end.value)
            return True
        return False


def state_in(replay: Replay, see: Callable[[TrainingState, RunRecipe], Any]) -> Slices:
    """Return what `see` returns for the state at a past step."""
    yield from _arrival(replay)
    return see(replay.state, replay.recipe)


def _arrival(replay: Replay) -> Slices:
    while not replay.arrived:
        replay.work(*(yield))


def path_in(replay: Replay, stored: list[TrainingState], stops: list[int]) -> Slices:
    """Return the `stored` states and those at rising steps, the recipe, and the seconds that the replay took."""
    states = list(stored)
    for replay.to in stops:
        yield from _arrival(replay)
        states.append(replay.state.copy())
    return states, replay.recipe, replay.spent


def history_in(
    replay: Replay, since: int, width: int, seconds: tuple[NDArray[np.int64], NDArray[np.float64]]
) -> Slices:
    """Return the records from step `since` on, in buckets of `width`.

    `seconds` has two rising columns: steps, and the run's computing time by then. The buckets have these times, not the
    replay's.
    """
    at_most, buckets = pieces(since, replay.to, width), None
    while not replay.arrived:
        records = replay.work(*(yield))
        within = records.part(max(since, records.first), records.stop)
        if len(within):
            steps = np.arange(within.first + 1, within.stop + 1)
            piece = from_records(within.with_seconds(np.interp(steps, *seconds)))
            buckets = coarsen(piece if buckets is None else join(buckets, piece), at_most)
    return buckets
