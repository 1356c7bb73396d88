"""Saved states of one run, so that its past can be made again in little time: bounded in memory however long it trains.

Must not know what a state is looked at for, nor whose it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

from fallline.engine.state import TrainingState

SECONDS_APART = 0.1
"""Computing time between two checkpoints as long as memory allows: a look back then takes at most that long."""

MOST_BYTES = 1 << 20
FEWEST = 8
"""A run holds checkpoints of at most `MOST_BYTES`; of a large network, few of them."""

_OVERHEAD = 600
"""Bytes of a state beside its numbers, about."""


class Checkpoints:
    """States of a run from its beginning on, in the order of their steps.

    When they become too many every other one goes, and the distance at which new ones are kept doubles. What is held
    changes how long a look back takes, never what it shows.
    """

    def __init__(self, start: TrainingState) -> None:
        self._states = [start.copy()]
        self._steps = [start.step]
        self._seconds_apart = SECONDS_APART
        self._last_seconds = 0.0

    def __len__(self) -> int:
        return len(self._states)

    @property
    def nbytes(self) -> int:
        """Bytes of all states held, about."""
        return sum(_size(state) for state in self._states)

    def offer(self, state: TrainingState, seconds: float) -> None:
        """Keep a copy of the state if it is time to; `seconds` is the computing time of the run up to it."""
        if seconds - self._last_seconds < self._seconds_apart or state.step <= self._steps[-1]:
            return
        self._last_seconds = seconds
        self._states.append(state.copy())
        self._steps.append(state.step)
        if len(self._states) > max(MOST_BYTES // _size(state), FEWEST):
            self._thin()

    def __iter__(self) -> Iterator[TrainingState]:
        """The states after the first, which are never changed."""
        return iter(self._states[1:])

    def about(self) -> dict[str, Any]:
        """What the states do not say."""
        return {"apart": self._seconds_apart, "last": self._last_seconds}

    def restore(self, about: dict[str, Any], states: Iterable[TrainingState]) -> None:
        """Hold the first state and these, and go on as the checkpoints that told `about`."""
        self._states = [self._states[0], *sorted(states, key=lambda state: state.step)]
        self._steps = [state.step for state in self._states]
        self._seconds_apart, self._last_seconds = about["apart"], about["last"]

    def before(self, step: int) -> TrainingState:
        """A copy of the last state held that is not after `step`."""
        return self._states[bisect_right(self._steps, step) - 1].copy()

    def _thin(self) -> None:
        """The first state stays: a look at any step needs one before it."""
        self._states = self._states[::2]
        self._steps = self._steps[::2]
        self._seconds_apart *= 2


def _size(state: TrainingState) -> int:
    return state.parameters.nbytes + sum(values.nbytes for values in state.slots.values()) + _OVERHEAD
