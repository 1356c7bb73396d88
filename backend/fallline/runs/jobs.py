"""A step job: steps or epochs of some runs, with one response at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fallline.runs.run import Run
from fallline.vocabulary.journal import Json, Receipt


@dataclass(slots=True)
class StepJob:
    """The target of each run: a step (`to_step`) or whole epochs (`to_epoch`).

    A job with a key (`receipt`) that has begun is stored, so that a repeat after a restart has the same target.
    """

    to_step: dict[str, int]
    to_epoch: dict[str, int]
    done: Callable[[Any], None]
    receipt: Receipt | None = None
    has_begun: bool = False
    caller: object = None
    """Identifies the client that waits for the job."""
    left_at: float | None = None
    """Time at which the last caller left, in seconds; None while one waits."""

    @classmethod
    def of_steps(cls, runs: list[Run], steps: int, done: Callable[[Any], None]) -> StepJob:
        return cls({run.name: run.state.step + steps for run in runs}, {}, done)

    @classmethod
    def of_epochs(cls, runs: list[Run], epochs: int, done: Callable[[Any], None]) -> StepJob:
        return cls({}, {run.name: int(run.epoch) + epochs for run in runs}, done)

    @classmethod
    def resumed(cls, stored: Json, done: Callable[[Any], None]) -> StepJob:
        """Return the stored job, which continues to its target."""
        return cls(dict(stored["to_step"]), dict(stored["to_epoch"]), done, has_begun=True)

    def as_json(self) -> Json:
        """Return the targets and a digest of the request, as they are stored."""
        digest = self.receipt.digest.hex() if self.receipt is not None else ""
        return {"to_step": dict(self.to_step), "to_epoch": dict(self.to_epoch), "digest": digest}

    def steps_left(self, run: Run) -> int:
        """Return the steps that `run` still needs with the settings in force."""
        if run.is_over:
            return 0
        if run.name in self.to_step:
            return max(self.to_step[run.name] - run.state.step, 0)
        if run.name in self.to_epoch:
            left = run.steps_until_epoch(self.to_epoch[run.name])
            ahead = run.steps_to_next_edit()
            return left if ahead is None else min(left, ahead)
        return 0

    def postpone(self, run: Run, steps: int, epochs: int) -> None:
        """Move the target by the steps and epochs of an earlier job."""
        if run.name in self.to_step:
            self.to_step[run.name] += steps
        if run.name in self.to_epoch:
            self.to_epoch[run.name] += epochs

    def forget(self, run: str) -> None:
        """Drop the target of a run that was removed or reset."""
        self.to_step.pop(run, None)
        self.to_epoch.pop(run, None)
