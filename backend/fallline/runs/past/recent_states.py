"""States of a run since its last examination, to find the first step of a finding."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from fallline.engine.state import TrainingState
from fallline.runs.past.checkpoints import state_bytes

MOST_STATES = 64
"""More states than this are thinned out: every other one is dropped."""

MOST_BYTES = 250_000
"""Bytes of all states: a large network has fewer of them."""


class RecentStates:
    """The first state, and the states at ends of slices since, unchanged."""

    def __init__(self) -> None:
        self._states: list[TrainingState] = []
        self._apart = 1
        self._skipped = 0

    def begin(self, state: TrainingState) -> None:
        """Start anew at this state: everything before has been examined."""
        self._states, self._apart, self._skipped = [state], 1, 0

    def offer(self, state: TrainingState) -> None:
        """Store the state if one is due: the run has just reached it."""
        self._skipped += 1
        if self._skipped < self._apart:
            return
        self._states.append(state.copy())
        self._skipped = 0
        size = state.parameters.nbytes + sum(values.nbytes for values in state.slots.values())
        most = max(MOST_BYTES // size, 2)
        if len(self._states) > min(MOST_STATES, most):
            self._states = self._states[::2]
            self._apart *= 2

    @property
    def nbytes(self) -> int:
        """About the bytes of the states."""
        return sum(map(state_bytes, self._states))

    def before(self, step: int) -> tuple[TrainingState, ...]:
        """Return the states before that step."""
        return tuple(state for state in self._states if state.step < step)


@dataclass(frozen=True, slots=True)
class Search:
    """A search for the first step of a condition, among the `states` before `until`."""

    states: tuple[TrainingState, ...]
    until: int

    @property
    def stretch(self) -> int:
        """Most steps between two neighbours among the states and `until`."""
        steps = [*(state.step for state in self.states), self.until]
        return max((after - before for before, after in pairwise(steps)), default=0)
