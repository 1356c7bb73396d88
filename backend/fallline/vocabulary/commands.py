"""What may be asked of an experiment: the bodies of commands, the same for REST and the socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Change, Redraw
from fallline.vocabulary.strict import LARGEST, Label, RunName, StrictModel

MOST_STEPS = 1_000_000
SLOWEST, FASTEST = 1 / 60, 1_000_000.0
"""Steps a second. The slowest pace is one step a minute."""


class Play(StrictModel):
    """Make steps until paused. `speed` is in steps per second, or "max"."""

    speed: Annotated[float, Field(ge=SLOWEST, le=FASTEST)] | Literal["max"] = 60.0
    pace: Literal["steps", "samples"] = "steps"


class Pause(StrictModel):
    """Stop at the step at hand."""


class Step(StrictModel):
    """Make `steps` steps, or steps until floor(epoch) has risen by `epochs`; of one run or of all."""

    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] | None = None
    epochs: Annotated[int, Field(ge=1, le=MOST_STEPS)] | None = None
    run: RunName | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Step:
        if self.steps is not None and self.epochs is not None:
            raise ValueError("either steps or epochs, not both")
        return self


class Reset(StrictModel):
    """Back to step 0, of one run or of all."""

    run: RunName | None = None


class EditRun(Change):
    """A live edit; `label` is the text to show, which is no edit."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    label: Label | None = Field(default=None, description="a free text to show in place of the name; no edit")

    @model_validator(mode="after")
    def _something(self) -> EditRun:
        if not self.model_fields_set:
            raise ValueError("at least one setting to change")
        return self


class AddRun(RunRecipe):
    """A new run from step 0; fields left out are those of the notebook's gd.

    With `fork_of` it goes on from that run's state at `at_step` (left out: where it stands) and what else is named is
    what it changes there.
    """

    fork_of: RunName | None = Field(
        default=None, description="the run to go on from: its exact state, its past"
    )
    at_step: Annotated[int, Field(ge=0, le=LARGEST)] | None = Field(
        default=None,
        description="with fork_of: the step to go on from, up to where that run stands; left out: there",
    )
    redraw: Redraw | None = Field(
        default=None, description="with fork_of: layers that are drawn anew at the end of its first step"
    )

    @model_validator(mode="after")
    def _a_step_of_something(self) -> AddRun:
        if self.at_step is not None and self.fork_of is None:
            raise ValueError("at_step needs fork_of, the run whose past is shared")
        if self.redraw is not None and self.fork_of is None:
            raise ValueError("redraw needs fork_of: a new run has just been drawn")
        return self


class RemoveRun(StrictModel):
    """Take the run out of its experiment."""


Command: TypeAlias = Play | Pause | Step | Reset | EditRun | AddRun | RemoveRun

COMMANDS: Mapping[str, type[Command]] = {
    "play": Play,
    "pause": Pause,
    "step": Step,
    "reset": Reset,
    "edit": EditRun,
    "add_run": AddRun,
    "remove_run": RemoveRun,
}
"""The verbs of the socket's `do`, and of the lab."""

NEEDS_RUN = frozenset({"edit", "remove_run"})
"""Commands that name their run in the REST path; on the socket it is the field `run`."""


def parse(do: str, body: Mapping[str, Any]) -> Command:
    """The command `do` with its body. Raises pydantic's ValidationError; KeyError for an unknown verb."""
    return COMMANDS[do].model_validate(dict(body))
