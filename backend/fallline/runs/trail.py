"""States on the way of a run since it was last examined, for whoever asks since when something is so.

Must not know what is asked of them, nor when.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from fallline.engine.state import TrainingState
from fallline.runs.checkpoints import state_bytes

MOST_STATES = 64
"""Beyond, every other one is forgotten."""

MOST_BYTES = 250_000
"""Of all of them: a large network leaves fewer."""


class Trail:
    """The state at which it begins, and those at ends of slices since, in order. States in it are not changed."""

    def __init__(self) -> None:
        self._states: list[TrainingState] = []
        self._apart = 1
        self._skipped = 0

    def begin(self, state: TrainingState) -> None:
        """What was before this state has been looked at."""
        self._states, self._apart, self._skipped = [state], 1, 0

    def pass_by(self, state: TrainingState) -> None:
        """The run has come this far."""
        self._skipped += 1
        if self._skipped < self._apart:
            return
        self._states.append(state.copy())
        self._skipped = 0
        size = state.parameters.nbytes + sum(values.nbytes for values in state.slots.values())
        room = max(MOST_BYTES // size, 2)
        if len(self._states) > min(MOST_STATES, room):
            self._states = self._states[::2]
            self._apart *= 2

    @property
    def nbytes(self) -> int:
        """Bytes of the states, about."""
        return sum(map(state_bytes, self._states))

    def before(self, step: int) -> tuple[TrainingState, ...]:
        """Those at which it has not come to that step."""
        return tuple(state for state in self._states if state.step < step)


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for the step since which something is so that is so at step `until`: the `trail` before it."""

    trail: tuple[TrainingState, ...]
    until: int

    @property
    def stretch(self) -> int:
        """The most steps between two states of the trail, or the last one and the end."""
        steps = [*(state.step for state in self.trail), self.until]
        return max((after - before for before, after in pairwise(steps)), default=0)
