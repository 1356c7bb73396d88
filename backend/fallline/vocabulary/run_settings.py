"""The settings of a run, and what an edit may change of them.

Owns how a change makes new settings of old ones. Must not know which methods exist (the engine's tables say so) or what
they may cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from fallline.vocabulary.stop_conditions import StopCondition, Stops
from fallline.vocabulary.strict import LARGEST, RowName, StrictModel

OWN_SETTINGS = ("momentum", "decay", "beta1", "beta2", "epsilon", "weight_decay")
"""Settings that belong to one optimizer or another; they stand beside the optimizer's name."""

OWN_SCHEDULE = ("every", "factor", "steps", "least", "start")
"""Settings that belong to one schedule or another; they stand in its object."""

ALWAYS = ("optimizer", "learning_rate", "batch_size", "order")
"""What a filled-in recipe always says of a run."""

AT_ANY_TIME = ("l1", "l2", "clip_norm", "clip_value")
"""What every optimizer takes and a filled-in recipe says only where it is not at its default."""

EDITABLE = (*ALWAYS, *OWN_SETTINGS, "schedule", *AT_ANY_TIME, "stop", "redraw")
"""What an edit may name: settings, and what it does once."""

NULLABLE = ("batch_size", "clip_norm", "clip_value")
"""Settings for which null is a value: all samples, or off."""

MOST_REDRAWN = 64
"""Layers that one redraw may name."""

Order = Literal["shuffle", "sequential"]
LearningRate = Annotated[float, Field(gt=0, le=1e6)]
BatchSize = Annotated[int, Field(ge=1, le=LARGEST)]
OPTIMIZER = "how a gradient becomes a change: a row of the catalog"
LEARNING_RATE = "what the gradient is multiplied by"
BATCH_SIZE = "of how many samples the gradient of one step is; null: all of them"
ORDER = "of the samples: a new shuffle each pass, or as they stand in the data"
Coefficient = Annotated[float, Field(ge=0, le=1e6)]
Limit = Annotated[float, Field(gt=0, le=1e6)]


class ScheduleSettings(StrictModel):
    """A schedule of the rate, with its own parameters in the same object."""

    name: RowName
    every: int | None = None
    factor: float | None = None
    steps: int | None = None
    least: float | None = None
    start: float | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}

    @property
    def own(self) -> dict[str, float]:
        """The schedule's parameters, as far as they are said."""
        return {name: value for name in OWN_SCHEDULE if (value := getattr(self, name)) is not None}

    def as_json(self) -> str | dict[str, Any]:
        """Its name where there is no more to say, else the object."""
        return {"name": self.name, **self.own} if self.own else self.name


Schedule = RowName | ScheduleSettings


class Redraw(StrictModel):
    """Layers that are drawn anew, once: weights by an initializer, biases 0. The only way back for a dead layer."""

    layers: Annotated[
        list[Annotated[int, Field(ge=1, le=MOST_REDRAWN)]],
        Field(min_length=1, max_length=MOST_REDRAWN),
    ] = Field(description="k of the Wk and bk that are drawn anew")
    weights: RowName = Field(default="he", description="the initializer of the weights: a row of the catalog")

    @model_validator(mode="after")
    def _each_once(self) -> Redraw:
        if len(set(self.layers)) < len(self.layers):
            raise ValueError("each layer once")
        return self


CONSTANT = ScheduleSettings(name="constant")


def schedule_of(told: str | dict[str, Any] | ScheduleSettings) -> ScheduleSettings:
    """The schedule in its long form, whichever form was used."""
    if isinstance(told, ScheduleSettings):
        return told
    return ScheduleSettings.model_validate({"name": told} if isinstance(told, str) else told)


def stops_of(told: Iterable[dict[str, Any] | StopCondition]) -> tuple[StopCondition, ...]:
    """Conditions from what a recipe says of them."""
    return tuple(
        each if isinstance(each, StopCondition) else StopCondition.model_validate(each) for each in told
    )


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings in force at one step.

    `batch_size` None is the full batch; `own`: the optimizer's parameters. The clock of `schedule` shows 0 at step
    `schedule_since`. `l1` and `l2` are the coefficients of penalties on weights; `clip_norm` and `clip_value` bound the
    gradient, None does not. `stop` ends the run, at steps after `stop_since`.
    """

    optimizer: str
    learning_rate: float
    batch_size: int | None
    order: str
    own: dict[str, float] = field(default_factory=dict)
    schedule: ScheduleSettings = CONSTANT
    schedule_since: int = 0
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    stop: tuple[StopCondition, ...] = ()
    stop_since: int = 0

    @property
    def penalised(self) -> bool:
        """Whether more than the loss is descended."""
        return self.l1 > 0.0 or self.l2 > 0.0

    @property
    def clipped(self) -> bool:
        """Whether the gradient has bounds."""
        return self.clip_norm is not None or self.clip_value is not None

    def changed(self, change: dict[str, Any], at_step: int) -> RunSettings:
        """The settings after a change made at that step."""
        return self.folded([(at_step, change)])

    def folded(self, changes: Iterable[tuple[int, dict[str, Any]]]) -> RunSettings:
        """The settings after changes, each made at its step.

        A new optimizer drops the parameters of the one before; a schedule that is named begins at this step, even one
        that was in force.
        """
        own = dict(self.own)
        plain: dict[str, Any] = {"optimizer": self.optimizer}
        for at_step, change in changes:
            if change.get("optimizer", plain["optimizer"]) != plain["optimizer"]:
                own = {}
            for name, value in change.items():
                if name in OWN_SETTINGS:
                    own[name] = value
                elif name == "redraw":
                    continue  # no setting: done once, at its step
                elif name == "schedule":
                    plain.update(schedule=schedule_of(value), schedule_since=at_step)
                elif name == "stop":
                    plain.update(stop=stops_of(value), stop_since=at_step)
                else:
                    plain[name] = value
        return replace(self, own=own, **plain)

    def as_json(self) -> dict[str, Any]:
        """As a recipe says them: a schedule, penalties and bounds only where they are not at their defaults."""
        told: dict[str, Any] = {name: getattr(self, name) for name in ALWAYS}
        told.update(self.own)
        if self.schedule != CONSTANT:
            told["schedule"] = self.schedule.as_json()
        told.update({name: value for name in AT_ANY_TIME if (value := getattr(self, name))})
        if self.stop:
            told["stop"] = [condition.model_dump() for condition in self.stop]
        return told


_PENALTY = "adds {} over all weights to what is descended, and {}"


class MethodSettings(StrictModel):
    """What may be left out: parameters of one optimizer or another, whose ranges stand in the engine's tables; a
    schedule for the rate; penalties on weights; bounds of the gradient, which null takes away.
    """

    momentum: float | None = Field(default=None, description="share of the velocity kept from step to step")
    decay: float | None = Field(default=None, description="decay of the running mean of the squared gradient")
    beta1: float | None = Field(default=None, description="decay of the running mean of the gradient")
    beta2: float | None = Field(default=None, description="decay of the running mean of its square")
    epsilon: float | None = Field(default=None, description="added to the root, so that nothing divides by 0")
    weight_decay: float | None = Field(
        default=None, description="share that is lost at each step, over the rate"
    )
    schedule: Schedule | None = Field(
        default=None, description="how the rate changes from the step at which it is set"
    )
    l1: Coefficient | None = Field(
        default=None, description=_PENALTY.format("l1 * sum |W|", "pulls small weights to 0")
    )
    l2: Coefficient | None = Field(
        default=None, description=_PENALTY.format("l2 / 2 * sum W**2", "keeps weights small")
    )
    clip_norm: Limit | None = Field(
        default=None,
        description="a longer gradient is shortened to this norm, over all parameters; null: as long as it is",
    )
    clip_value: Limit | None = Field(
        default=None,
        description="entries of the gradient are cut at plus and minus this, after its norm; null: they are not",
    )
    stop: Stops | None = Field(
        default=None, description="the run finishes at the first step at which one of these is met; []: none"
    )


class Change(MethodSettings):
    """What an edit changes. A field left out stays as it is; `batch_size` null is the full batch."""

    optimizer: RowName | None = Field(default=None, description=OPTIMIZER)
    learning_rate: LearningRate | None = Field(default=None, description=LEARNING_RATE)
    batch_size: BatchSize | None = Field(default=None, description=BATCH_SIZE)
    order: Order | None = Field(default=None, description=ORDER)
    redraw: Redraw | None = Field(
        default=None, description="layers that are drawn anew at the end of this very step, once"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _null_only_where_it_says_something(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.field_name in EDITABLE and info.field_name not in NULLABLE:
            raise ValueError("should not be null: leave it out to keep it as it is")
        return value

    def given(self) -> dict[str, Any]:
        """Only the settings that the change names, as plain JSON."""
        fields = self.model_fields_set
        told = {name: getattr(self, name) for name in EDITABLE if name in fields}
        if "schedule" in told:
            told["schedule"] = schedule_of(told["schedule"]).as_json()
        if "stop" in told:
            told["stop"] = [condition.model_dump() for condition in told["stop"]]
        if "redraw" in told:
            told["redraw"] = told["redraw"].model_dump()
        return told


class Edit(Change):
    """A change of settings, in force from the step that takes the counter from `at_step` to `at_step` + 1."""

    at_step: Annotated[int, Field(ge=0, le=LARGEST, description="steps made before it is in force")]

    @model_serializer(mode="plain")
    def _only_what_is_given(self) -> dict[str, Any]:
        return {"at_step": self.at_step, **self.given()}
