"""A replay of a run's past on a copy, in slices, while the run continues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.interface import Kernel
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.columns import Buckets, Records, ceil, coarsen, floor, from_records, join, pieces
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

    The recipe is the one at the request: later edits concern later steps. `step_seconds` is the expected cost of a
    step. `spent` is the cost so far, in seconds.
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


class PendingRequest(Protocol):
    """A request that takes several slices."""

    done: Callable[[Any], None]
    """Called once, with the result or with an error."""

    def work(self, budget: float, clock: Clock) -> bool:
        """Work for about `budget` seconds; return True after the response."""


class StateRequest:
    """A request for the state at a past step: `done` gets what `see` returns for it."""

    def __init__(
        self, replay: Replay, see: Callable[[TrainingState, RunRecipe], Any], done: Callable[[Any], None]
    ) -> None:
        self._replay, self._see, self.done = replay, see, done

    def work(self, budget: float, clock: Clock) -> bool:
        """Work for about `budget` seconds; return True after the response."""
        if not self._replay.arrived:
            self._replay.work(budget, clock)
        if not self._replay.arrived:
            return False
        self.done(self._see(self._replay.state, self._replay.recipe))
        return True


class PathRequest:
    """A request for states at rising steps (`stops`), after the `stored` ones.

    `done` gets the states, the recipe, and the seconds that the replay took.
    """

    def __init__(
        self, replay: Replay, stored: list[TrainingState], stops: list[int], done: Callable[[Any], None]
    ) -> None:
        self._replay, self._states, self._stops, self.done = replay, stored, stops, done

    def work(self, budget: float, clock: Clock) -> bool:
        """Work for about `budget` seconds; return True after the response."""
        if self._stops:
            self._replay.to = self._stops[0]
            if not self._replay.arrived:
                self._replay.work(budget, clock)
            if self._replay.arrived:
                self._states.append(self._replay.state.copy())
                self._stops.pop(0)
        if self._stops:
            return False
        self.done((self._states, self._replay.recipe, self._replay.spent))
        return True


class HistoryRequest:
    """A request for the records from step `since` on, in buckets of `width`.

    `seconds` has two rising columns: steps, and the run's computing time by then. The buckets have these times, not the
    replay's.
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
        self._buckets: Buckets | None = None

    def work(self, budget: float, clock: Clock) -> bool:
        """Work for about `budget` seconds; return True after the response."""
        if not self._replay.arrived:
            self._append(self._replay.work(budget, clock))
        if not self._replay.arrived:
            return False
        self.done(self._buckets)
        return True

    def _append(self, records: Records) -> None:
        within = records.part(max(self._since, records.first), records.stop)
        if not len(within):
            return
        steps = np.arange(within.first + 1, within.stop + 1)
        piece = from_records(within.with_seconds(np.interp(steps, *self._seconds)), at_most=self._at_most)
        buckets = self._buckets
        self._buckets = piece if buckets is None else coarsen(join(buckets, piece), self._at_most)
