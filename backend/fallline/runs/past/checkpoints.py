"""The stored states of one run, in bounded memory: checkpoints for replays, and recent ones for the Doctor."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from fallline.engine.state import TrainingState

SECONDS_APART = 0.1
"""Computing time between two checkpoints while memory allows: the longest replay of a past step."""

REPLAY_SECONDS = 0.4
"""Longest computing time between two checkpoints before a run uses the shared budget to keep more of them. A replay
beside training, which takes half of the time, then still takes less than a second.
"""

MOST_BYTES = 1 << 20
FEWEST = 8
"""Every run may store `MOST_BYTES` of checkpoints, and at least `FEWEST` of any size."""

MOST_SOON = 64 << 10
"""Bytes by which many small states grow in a few minutes of computing."""

ENOUGH = 512
"""Number of states that makes a state small: if `MOST_BYTES` has room for so many, the run uses no shared budget."""

_OVERHEAD = 600
"""About the bytes of a state beside its arrays."""

RECENT_BYTES = 500_000
"""Bytes of the states that wait for their examination. The notebook's run keeps the states of its last four doublings,
which have 15 of 16 steps. A large network keeps fewer.
"""


class CheckpointBudget(Protocol):
    """Memory that the checkpoints of all runs share, beyond each run's own."""

    def register(self, holder: Checkpoints) -> None:
        """Count what these checkpoints store, until they are garbage collected."""

    def available_to(self, holder: Checkpoints) -> int:
        """Bytes that these checkpoints may store beyond their own."""


class Checkpoints:
    """States of a run from step 0, in the order of their steps.

    When there are too many, every other state is dropped, and the distance between new ones doubles. Checkpoints change
    the time of a replay, never its result.
    """

    def __init__(self, start: TrainingState, budget: CheckpointBudget | None = None) -> None:
        self._states = [start.copy()]
        self._steps = [start.step]
        self.seconds_apart = SECONDS_APART
        """Computing time between two checkpoints."""
        self._last_seconds = 0.0
        self._budget = budget
        self.nbytes = sum(map(state_bytes, self._states))
        if budget is not None:
            budget.register(self)

    def __len__(self) -> int:
        return len(self._states)

    @property
    def bytes_beyond(self) -> int:
        """Bytes beyond the run's own, taken from the shared budget."""
        return max(self.nbytes - self._own, 0)

    @property
    def most_soon(self) -> int:
        """Bytes that they may soon take, without the shared budget."""
        own_bytes = self.nbytes - self.bytes_beyond
        return max(own_bytes + MOST_SOON, FEWEST * state_bytes(self._states[-1]))

    @property
    def _own(self) -> int:
        return max(MOST_BYTES, FEWEST * state_bytes(self._states[-1]))

    def copy(self) -> Checkpoints:
        """Return checkpoints that share these states, which are never changed."""
        twin = Checkpoints(self._states[0], self._budget)
        twin.restore(self.about(), self)
        return twin

    def offer(self, state: TrainingState, seconds: float) -> None:
        """Store a copy of the state if due; `seconds` is the computing time so far."""
        late = seconds - self._last_seconds - self.seconds_apart
        if late < 0 or state.step <= self._steps[-1]:
            return
        # Late slices do not add up: thinning later merges two gaps into one.
        self._last_seconds = seconds - late % self.seconds_apart
        self._states.append(state.copy())
        self._steps.append(state.step)
        self.nbytes += state_bytes(state)
        if self._are_too_many():
            self._thin()

    def _are_too_many(self) -> bool:
        if not self.bytes_beyond:
            return False
        is_small = ENOUGH * state_bytes(self._states[-1]) <= MOST_BYTES
        if self._budget is None or is_small or 2 * self.seconds_apart <= REPLAY_SECONDS:
            return True
        return self.bytes_beyond > self._budget.available_to(self)

    def __iter__(self) -> Iterator[TrainingState]:
        """Iterate over the states after the first, which are never changed."""
        return iter(self._states[1:])

    def about(self) -> dict[str, Any]:
        """Return the fields that the states do not contain."""
        return {"apart": self.seconds_apart, "last": self._last_seconds}

    def restore(self, about: dict[str, Any], states: Iterable[TrainingState]) -> None:
        """Store as many of these states as fit, and the fields of `about`."""
        self._states = [self._states[0], *sorted(states, key=lambda state: state.step)]
        self._steps = [state.step for state in self._states]
        self.seconds_apart, self._last_seconds = about["apart"], about["last"]
        self.nbytes = sum(map(state_bytes, self._states))
        while self._are_too_many():
            self._thin()

    def before(self, step: int) -> TrainingState:
        """Return a copy of the last stored state at or before `step`."""
        return self._states[bisect_right(self._steps, step) - 1].copy()

    def step_before(self, step: int) -> int:
        """Return the step of that state."""
        return self._steps[bisect_right(self._steps, step) - 1]

    def _thin(self) -> None:
        """Drop every other state, but not the first and the last."""
        self._states = [*self._states[:1], *self._states[:0:-2][::-1]]
        self._steps = [state.step for state in self._states]
        self.seconds_apart *= 2
        self.nbytes = sum(map(state_bytes, self._states))


def state_bytes(state: TrainingState) -> int:
    """About the bytes of a state."""
    return state.parameters.nbytes + sum(values.nbytes for values in state.slots.values()) + _OVERHEAD


class KeptStates:
    """States of a run at the steps that are still to be examined, unchanged, in the order of their steps.

    When they are too large, the earliest are dropped. These are replayed, which takes least for them: examinations are
    further apart the later they are.
    """

    def __init__(self) -> None:
        self._states: dict[int, TrainingState] = {}
        self._bytes = 0

    def offer(self, state: TrainingState) -> None:
        """Store a copy of the state, which is the last so far, if there is none of its step."""
        if state.step in self._states:
            return
        self._states[state.step] = state.copy()
        self._bytes += state_bytes(state)
        while self._bytes > RECENT_BYTES and len(self._states) > 1:
            self._bytes -= state_bytes(self._states.pop(next(iter(self._states))))

    @property
    def nbytes(self) -> int:
        return self._bytes

    def at(self, step: int) -> TrainingState | None:
        """Return the state at that step, not to be changed, or None."""
        return self._states.get(step)

    def drop(self, first: int, last: int) -> None:
        """Drop the states first <= step <= last."""
        for step in [step for step in self._states if first <= step <= last]:
            self._bytes -= state_bytes(self._states.pop(step))

    def copy(self) -> KeptStates:
        """Return another collection of the same states."""
        twin = KeptStates()
        twin._states, twin._bytes = dict(self._states), self._bytes
        return twin
