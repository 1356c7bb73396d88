"""Commands to an experiment: their bodies, the same for REST and the socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Change, Redraw
from fallline.vocabulary.strict import LARGEST, Label, RunName, StrictModel

MOST_STEPS = 1_000_000
SLOWEST, FASTEST = 1 / 60, 1_000_000.0
"""Steps per second. The slowest is one step a minute."""
MOST_UNDO = 64
"""Characters of the id of a change."""


class Until(StrictModel):
    """A step, or a number of samples seen: one of both."""

    steps: Annotated[int, Field(ge=1, le=LARGEST)] | None = None
    samples: Annotated[int, Field(ge=1, le=LARGEST)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Until:
        if (self.steps is None) == (self.samples is None):
            raise ValueError("must have steps or samples, and not both")
        return self


class Play(StrictModel):
    """Make steps until paused. `speed` is in steps per second, or "max".

    With `until`, each run stops there, and play pauses when all have.
    """

    speed: Annotated[float, Field(ge=SLOWEST, le=FASTEST)] | Literal["max"] = 60.0
    pace: Literal["steps", "samples"] = "steps"
    until: Until | None = None


class Pause(StrictModel):
    """Stop after the present step."""


class Step(StrictModel):
    """Make `steps` steps, or steps until floor(epoch) has risen by `epochs`.

    It is for one run, or for all.
    """

    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] | None = None
    epochs: Annotated[int, Field(ge=1, le=MOST_STEPS)] | None = None
    run: RunName | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Step:
        if self.steps is not None and self.epochs is not None:
            raise ValueError("must have steps or epochs, not both")
        return self


class Reset(StrictModel):
    """Go back to step 0, in one run or in all."""

    run: RunName | None = None


class EditRun(Change):
    """A live edit. `label`, the text to show, is not an edit."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    label: Label | None = Field(default=None, description="a text to show instead of the name; not an edit")

    @model_validator(mode="after")
    def _something(self) -> EditRun:
        if not self.model_fields_set:
            raise ValueError("must change at least one setting")
        return self


class AddRun(RunRecipe):
    """A new run from step 0; the defaults are the notebook's gd.

    With `fork_of` it continues from that run's state at `at_step` (default: its present step), and the other fields are
    changes at that step. Without `name` and `label` it gets a label that says what differs: "GD, Adam, batch 8".
    """

    fork_of: RunName | None = Field(
        default=None, description="the run to continue from, with its exact state and history"
    )
    at_step: Annotated[int, Field(ge=0, le=LARGEST)] | None = Field(
        default=None,
        description="with fork_of: the step to continue from; default: the present step of that run",
    )
    redraw: Redraw | None = Field(
        default=None, description="with fork_of: layers to initialize again at the end of its first step"
    )

    @field_validator("at_step", "redraw")
    @classmethod
    def _only_of_a_fork(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("fork_of", "") is None:  # "": it is wrong itself
            raise ValueError("must be left out without fork_of, the run to continue from")
        return value


class RemoveRun(StrictModel):
    """Remove the run from its experiment."""


class Undo(StrictModel):
    """Take back the change with this id: a reset, or the removal of a run or of the experiment."""

    undo: Annotated[str, Field(min_length=1, max_length=MOST_UNDO)]


Command: TypeAlias = Play | Pause | Step | Reset | EditRun | AddRun | RemoveRun | Undo

COMMANDS: Mapping[str, type[Command]] = {
    "play": Play,
    "pause": Pause,
    "step": Step,
    "reset": Reset,
    "edit": EditRun,
    "add_run": AddRun,
    "remove_run": RemoveRun,
}
"""Commands by the value of the socket's `do`."""

NEEDS_RUN = frozenset({"edit", "remove_run"})
"""Commands with their run in the REST path; on the socket it is the field `run`."""


def parse(do: str, body: Mapping[str, Any]) -> Command:
    """Parse a command's body. Raises ValidationError, KeyError for an unknown `do`."""
    return COMMANDS[do].model_validate(dict(body))
