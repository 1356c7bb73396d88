"""A step job: so many steps or epochs of some runs, made in slices, with one answer at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fallline.runs.run import Run
from fallline.vocabulary.journal import Json, Receipt


@dataclass(slots=True)
class StepJob:
    """Where each run is going: a step number (`to_step`) or a number of whole epochs (`to_epoch`).

    One that was asked for with a key (`receipt`) and has begun can be told, so that a repeat after a restart goes to
    the same place.
    """

    to_step: dict[str, int]
    to_epoch: dict[str, int]
    done: Callable[[Any], None]
    receipt: Receipt | None = None
    has_begun: bool = False
    caller: object = None
    """Whoever waits for it, as the one who asks names them."""
    left_at: float | None = None
    """When the last caller left (seconds); None while somebody waits."""

    @classmethod
    def of_steps(cls, runs: list[Run], steps: int, done: Callable[[Any], None]) -> StepJob:
        return cls({run.name: run.state.step + steps for run in runs}, {}, done)

    @classmethod
    def of_epochs(cls, runs: list[Run], epochs: int, done: Callable[[Any], None]) -> StepJob:
        return cls({}, {run.name: int(run.epoch) + epochs for run in runs}, done)

    @classmethod
    def goes_on(cls, told: Json, done: Callable[[Any], None]) -> StepJob:
        """The job that told where it was going."""
        return cls(dict(told["to_step"]), dict(told["to_epoch"]), done, has_begun=True)

    def as_json(self) -> Json:
        """Where it is going, and a digest of what was asked."""
        digest = self.receipt.digest.hex() if self.receipt is not None else ""
        return {"to_step": dict(self.to_step), "to_epoch": dict(self.to_epoch), "digest": digest}

    def steps_left(self, run: Run) -> int:
        """Steps that `run` still has to make, told with the settings in force; 0 when it has arrived or is over."""
        if run.is_over:
            return 0
        if run.name in self.to_step:
            return max(self.to_step[run.name] - run.state.step, 0)
        if run.name in self.to_epoch:
            left = run.steps_until_epoch(self.to_epoch[run.name])
            ahead = run.steps_to_next_edit()
            return left if ahead is None else min(left, ahead)
        return 0

    def begins_later(self, run: Run, steps: int, epochs: int) -> None:
        """Another job, asked for before, took the run so many steps and whole epochs on: those are not of this one."""
        if run.name in self.to_step:
            self.to_step[run.name] += steps
        if run.name in self.to_epoch:
            self.to_epoch[run.name] += epochs

    def forget(self, run: str) -> None:
        """The run was removed or reset: it has nowhere to go any more."""
        self.to_step.pop(run, None)
        self.to_epoch.pop(run, None)
