"""Saved states of one run, so that its past can be made again in little time: bounded in memory however long it trains.

Must not know what a state is looked at for, whose it is, nor how the room that runs share is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from fallline.engine.state import TrainingState

SECONDS_APART = 0.1
"""Computing time between two checkpoints as long as memory allows: a look back then takes at most that long."""

REPLAY_SECONDS = 0.4
"""Computing time between two checkpoints beyond which a run asks for shared room rather than hold fewer of them: beside
training, which takes half of the time, a look then still takes less than a second.
"""

MOST_BYTES = 1 << 20
FEWEST = 8
"""Every run may hold checkpoints of `MOST_BYTES`, and so many whatever they take."""

MOST_SOON = 64 << 10
"""Bytes by which many small states grow in some minutes of computing."""

ENOUGH = 512
"""Of states so small that `MOST_BYTES` holds that many, a run holds no more: its memory has one bound for good."""

_OVERHEAD = 600
"""Bytes of a state beside its numbers, about."""


class Room(Protocol):
    """Memory that the checkpoints of all runs share, beyond what each may hold anyway."""

    def enter(self, holder: Checkpoints) -> None:
        """From here on what this one holds counts, until nobody has it any more."""

    def left_to(self, holder: Checkpoints) -> int:
        """Bytes that this one may hold beyond what it may hold anyway."""


class Checkpoints:
    """States of a run from its beginning on, in the order of their steps.

    When they become too many every other one goes, and the distance at which new ones are kept doubles. What is held
    changes how long a look back takes, never what it shows.
    """

    def __init__(self, start: TrainingState, room: Room | None = None) -> None:
        self._states = [start.copy()]
        self._steps = [start.step]
        self._seconds_apart = SECONDS_APART
        self._last_seconds = 0.0
        self._settle(room)

    def _settle(self, room: Room | None) -> None:
        self._room = room
        self.nbytes = sum(map(state_bytes, self._states))
        if room is not None:
            room.enter(self)

    def __len__(self) -> int:
        return len(self._states)

    @property
    def seconds_apart(self) -> float:
        """The computing time after which the next one is kept."""
        return self._seconds_apart

    @property
    def bytes_beyond(self) -> int:
        """Bytes held beyond what a run may hold anyway, which the shared room has to have."""
        return max(self.nbytes - self._own, 0)

    @property
    def most_soon(self) -> int:
        """Bytes that they may come to before long, without the room that runs share."""
        held = self.nbytes - self.bytes_beyond
        return max(held + MOST_SOON, FEWEST * state_bytes(self._states[-1]))

    @property
    def _own(self) -> int:
        return max(MOST_BYTES, FEWEST * state_bytes(self._states[-1]))

    def copy(self) -> Checkpoints:
        """Others that hold the same states, which nobody changes."""
        twin = Checkpoints(self._states[0], self._room)
        twin.restore(self.about(), self)
        return twin

    def offer(self, state: TrainingState, seconds: float) -> None:
        """Keep a copy of the state if it is time to; `seconds` is the computing time of the run up to it."""
        late = seconds - self._last_seconds - self._seconds_apart
        if late < 0 or state.step <= self._steps[-1]:
            return
        # What a slice was late is not added up: every other gap goes one day, and two become one.
        self._last_seconds = seconds - late % self._seconds_apart
        self._states.append(state.copy())
        self._steps.append(state.step)
        self.nbytes += state_bytes(state)
        if self._are_too_many():
            self._thin()

    def _are_too_many(self) -> bool:
        if not self.bytes_beyond:
            return False
        is_small = ENOUGH * state_bytes(self._states[-1]) <= MOST_BYTES
        if self._room is None or is_small or 2 * self._seconds_apart <= REPLAY_SECONDS:
            return True
        return self.bytes_beyond > self._room.left_to(self)

    def __iter__(self) -> Iterator[TrainingState]:
        """The states after the first, which are never changed."""
        return iter(self._states[1:])

    def about(self) -> dict[str, Any]:
        """What the states do not say."""
        return {"apart": self._seconds_apart, "last": self._last_seconds}

    def restore(self, about: dict[str, Any], states: Iterable[TrainingState]) -> None:
        """Hold the first state and these, as many as there is room for, and go on as the ones that told `about`."""
        self._states = [self._states[0], *sorted(states, key=lambda state: state.step)]
        self._steps = [state.step for state in self._states]
        self._seconds_apart, self._last_seconds = about["apart"], about["last"]
        self.nbytes = sum(map(state_bytes, self._states))
        while self._are_too_many():
            self._thin()

    def before(self, step: int) -> TrainingState:
        """A copy of the last state held that is not after `step`."""
        return self._states[bisect_right(self._steps, step) - 1].copy()

    def _thin(self) -> None:
        """The first stays, since a look at any step needs one before it, and the last, from which on time counts."""
        self._states = [*self._states[:1], *self._states[:0:-2][::-1]]
        self._steps = [state.step for state in self._states]
        self._seconds_apart *= 2
        self.nbytes = sum(map(state_bytes, self._states))


def state_bytes(state: TrainingState) -> int:
    """Bytes of a state, about."""
    return state.parameters.nbytes + sum(values.nbytes for values in state.slots.values()) + _OVERHEAD
