"""The state of a run at one step, as plain data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from fallline.engine.problem import Problem
from fallline.vocabulary.arrays import Array


@dataclass(frozen=True, slots=True)
class Ahead:
    """A gradient that a kernel computed at the end of its slice, for the next slice.

    `key` is what it depends on besides the problem and the parameters; `values` are the kernel's own numbers.
    """

    problem: Problem
    parameters: Array
    key: tuple[object, ...]
    values: Array


@dataclass(slots=True)
class TrainingState:
    """A run after `step` changes of the parameters.

    - `parameters` is the flat vector; `slots` are the arrays of the optimizer named `optimizer` (empty name: none yet).
    - `diverged_at` is the step at which the run stays because the next one would not be finite.
    - `ahead` saves time and decides nothing: it is no part of a checkpoint.
    """

    step: int
    samples_seen: int
    parameters: Array
    optimizer: str = ""
    slots: dict[str, Array] = field(default_factory=dict)
    diverged_at: int | None = None
    ahead: Ahead | None = field(default=None, repr=False, compare=False)

    def keep_ahead(self, problem: Problem, key: tuple[object, ...], values: Array) -> None:
        """Keep a copy of `values` for the next slice."""
        self.ahead = Ahead(problem, self.parameters.copy(), key, values.copy())

    def recall_ahead(self, problem: Problem, key: tuple[object, ...]) -> Array | None:
        """The values of `keep_ahead`, or None if the key or the parameters differ."""
        ahead = self.ahead
        if ahead is None or ahead.problem is not problem or ahead.key != key:
            return None
        return ahead.values if ahead.parameters.tobytes() == self.parameters.tobytes() else None

    def copy(self) -> TrainingState:
        """A checkpoint: a copy that shares no array with this state."""
        slots = {name: values.copy() for name, values in self.slots.items()}
        return TrainingState(
            self.step, self.samples_seen, self.parameters.copy(), self.optimizer, slots, self.diverged_at
        )

    def copy_with_ahead(self) -> TrainingState:
        """Return a copy that also makes its next step as fast as this state."""
        copy = self.copy()
        copy.ahead = self.ahead  # never written to
        return copy

    def restore(self, checkpoint: TrainingState) -> None:
        """Restore the checkpoint into this state's own arrays."""
        self.step, self.samples_seen = checkpoint.step, checkpoint.samples_seen
        self.optimizer, self.diverged_at = checkpoint.optimizer, checkpoint.diverged_at
        np.copyto(self.parameters, checkpoint.parameters)
        self.slots = {name: values.copy() for name, values in checkpoint.slots.items()}

    def fingerprint(self) -> str:
        """Hash of every bit that the next step depends on."""
        digest = hashlib.sha256(
            repr((self.step, self.samples_seen, self.optimizer, self.diverged_at)).encode()
        )
        digest.update(self.parameters.tobytes())
        for name in sorted(self.slots):
            digest.update(name.encode())
            digest.update(self.slots[name].tobytes())
        return digest.hexdigest()


def begin(problem: Problem) -> TrainingState:
    """The state at step 0."""
    return TrainingState(step=0, samples_seen=0, parameters=problem.initial_parameters.copy())
