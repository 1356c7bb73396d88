"""A run's past, made again: from a checkpoint by `advance` on a copy, in slices, while the run itself goes on.

Must not know what is looked for. Training and its numbers are not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.table import Kernel
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.columns import Buckets, Records, coarsen, from_records, join
from fallline.vocabulary.dyadic import ceil, floor, pieces
from fallline.vocabulary.recipe import RunRecipe

Clock = Callable[[], float]


def finest_width(start: int, stop: int, at_most: int) -> int:
    """The width of the finest buckets of which at most so many tell start <= k < stop with rounded ends."""
    width = 1
    while (ceil(stop, width) - floor(start, width)) // width > at_most:
        width *= 2
    return width


@dataclass(slots=True)
class Replay:
    """A copy of a run on its way from `state` to step `to`, by its recipe and the kernel it began with.

    The recipe is the one of the moment of asking: later edits concern later steps. `step_seconds` is what a step is
    expected to cost, `spent` what they have cost so far.
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
        """What the rest of the way is expected to cost."""
        return (self.to - self.state.step) * self.step_seconds

    @property
    def arrived(self) -> bool:
        """Whether there is nothing left to make: the step is reached, or there is none beyond."""
        return self.state.step >= self.to or self.state.diverged_at is not None

    def work(self, budget: float, clock: Clock) -> Records:
        """Make steps worth about `budget` seconds; returns their records."""
        steps = min(self.to - self.state.step, max(int(budget / self.step_seconds), 1))
        began = clock()
        records = advance(self.problem, self.state, self.recipe, steps, self.kernel)
        took = clock() - began
        self.spent += took
        if len(records):
            self.step_seconds += 0.3 * (took / len(records) - self.step_seconds)
        return records


class Waiting(Protocol):
    """Something that takes many slices, with somebody waiting for it."""

    done: Callable[[Any], None]
    """Called once, with the answer or with the error that comes instead."""

    def work(self, budget: float, clock: Clock) -> bool:
        """Go on for about `budget` seconds; True when the answer has been given."""


class Look:
    """Somebody waits to see the state at a past step: `see` is shown it, and `done` gets what it says."""

    def __init__(
        self,
        replay: Replay,
        see: Callable[[TrainingState, RunRecipe], Any],
        done: Callable[[Any], None],
    ) -> None:
        self._replay, self._see, self.done = replay, see, done

    def work(self, budget: float, clock: Clock) -> bool:
        """Go on for about `budget` seconds; True when the answer has been given."""
        if not self._replay.arrived:
            self._replay.work(budget, clock)
        if not self._replay.arrived:
            return False
        self.done(self._see(self._replay.state, self._replay.recipe))
        return True


class Way:
    """Somebody waits for a run's states at some steps (`stops`, rising), to see the way that it went: `done` gets the
    states, the recipe, and how many seconds it took to make steps again. Those that are `held` already come first.
    """

    def __init__(
        self,
        replay: Replay,
        held: list[TrainingState],
        stops: list[int],
        done: Callable[[Any], None],
    ) -> None:
        self._replay, self._found, self._stops, self.done = replay, held, stops, done

    def work(self, budget: float, clock: Clock) -> bool:
        """Go on for about `budget` seconds; True when the answer has been given."""
        if self._stops:
            self._replay.to = self._stops[0]
            if not self._replay.arrived:
                self._replay.work(budget, clock)
            if self._replay.arrived:
                self._found.append(self._replay.state.copy())
                self._stops.pop(0)
        if self._stops:
            return False
        self.done((self._found, self._replay.recipe, self._replay.spent))
        return True


class Stretch:
    """Somebody waits for the records from step `since` to the replay's end, in buckets of at most `width` steps.

    `seconds` are two rising columns: steps made, and the computing time at which the run had made them; a replay tells
    the time of the run that is looked at, not its own.
    """

    def __init__(
        self,
        replay: Replay,
        since: int,
        width: int,
        seconds: tuple[NDArray[np.int64], NDArray[np.float64]],
        done: Callable[[Any], None],
    ) -> None:
        self._replay, self._since, self._seconds, self.done = replay, since, seconds, done
        self._at_most = pieces(since, replay.to, width)
        self._told: Buckets | None = None

    def work(self, budget: float, clock: Clock) -> bool:
        """Go on for about `budget` seconds; True when the answer has been given."""
        if not self._replay.arrived:
            self._keep(self._replay.work(budget, clock))
        if not self._replay.arrived:
            return False
        self.done(self._told)
        return True

    def _keep(self, records: Records) -> None:
        kept = records.part(max(self._since, records.first), records.stop)
        if not len(kept):
            return
        made = np.arange(kept.first + 1, kept.stop + 1)
        piece = from_records(kept.with_seconds(np.interp(made, *self._seconds)), at_most=self._at_most)
        self._told = piece if self._told is None else coarsen(join(self._told, piece), self._at_most)
