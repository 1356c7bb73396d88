"""The settings of a run with its stop conditions, and how an edit changes them.

Stop conditions change no number, only where the run ends.
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

from fallline.vocabulary.strict import LARGEST, RowName, StrictModel

SERIES = ("train_loss", "test_loss", "train_r2", "test_r2", "train_accuracy", "test_accuracy")
MOST_STOPS = 8
PATIENCE, LEAST = 500, 0.01
"""Defaults: a loss stalls if it has not fallen by this share within this many steps."""

OWN_SETTINGS = (
    "momentum",
    "dampening",
    "decay",
    "beta1",
    "beta2",
    "epsilon",
    "weight_decay",
    "bias_decay",
    "momentum_decay",
    "history_size",
)
"""Settings of particular optimizers, beside the optimizer's name."""

ALWAYS = ("optimizer", "learning_rate", "batch_size", "order")
"""Settings of a run that a complete recipe always contains."""

AT_ANY_TIME = ("l1", "l2", "clip_norm", "clip_value", "layer_rates")
"""Settings of every optimizer that a complete recipe contains only if they are not at their default."""

EDITABLE = (*ALWAYS, *OWN_SETTINGS, "schedule", *AT_ANY_TIME, "stop", "redraw")
"""Fields of an edit: settings, and `redraw`, which happens once."""

NULLABLE = ("batch_size", "clip_norm", "clip_value")
"""Settings for which null is a value: all samples, or off."""

MOST_REDRAWN = 64
"""Layers in one redraw."""

Order = Literal["shuffle", "sequential", "replacement"]
LearningRate = Annotated[float, Field(gt=0, le=1e6)]
BatchSize = Annotated[int, Field(ge=1, le=LARGEST)]
OPTIMIZER = "the method that turns a gradient into a change: a row of the catalog"
LEARNING_RATE = "factor of the gradient in each step"
BATCH_SIZE = "number of samples in the gradient of one step; null: all training samples"
ORDER = "order of the samples: a new shuffle each pass, the order of the data, or draws with replacement"
Coefficient = Annotated[float, Field(ge=0, le=1e6)]
Limit = Annotated[float, Field(gt=0, le=1e6)]
LayerRate = Annotated[float, Field(ge=0, le=1e3)]


class SparseModel(StrictModel):
    """A request model whose JSON leaves out fields that are null."""

    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


class NamedRow(SparseModel):
    """A table's row by name, with the row's own parameters in the same object."""

    name: RowName

    @property
    def own(self) -> dict[str, float]:
        """The parameters that are set."""
        return {name: value for name, value in self if name != "name" and value is not None}


class StopCondition(SparseModel):
    """One condition.

    With an evaluated series in `when`, the run stops `above` or `below` a value. With `layer_dies`, it stops when all
    units of a hidden layer output 0 for every training sample. With `loss_stalls`, it stops when for `steps` steps the
    train loss has not fallen by the share `below` of its minimum.
    """

    when: Literal[
        "train_loss",
        "test_loss",
        "train_r2",
        "test_r2",
        "train_accuracy",
        "test_accuracy",
        "layer_dies",
        "loss_stalls",
    ]
    above: Annotated[float, Field(ge=-1e300, le=1e300)] | None = None
    below: Annotated[float, Field(ge=-1e300, le=1e300)] | None = None
    steps: Annotated[int, Field(ge=1, le=LARGEST)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> StopCondition:
        if self.when in SERIES:
            if (self.above is None) == (self.below is None) or self.steps is not None:
                raise ValueError(f"must have either above or below with {self.when}, and no other field")
        elif self.when == "layer_dies":
            if (self.above, self.below, self.steps) != (None, None, None):
                raise ValueError("must have no other field with layer_dies")
        elif self.above is not None or not 0.0 <= self.share < 1.0:
            raise ValueError(
                "must have no field but steps with loss_stalls, and below as a share of at least 0 and less than 1"
            )
        return self

    @property
    def share(self) -> float:
        """For `loss_stalls`: the share of its minimum by which the loss has to fall."""
        return LEAST if self.below is None else self.below

    @property
    def patience(self) -> int:
        """For `loss_stalls`: the number of steps to wait."""
        return PATIENCE if self.steps is None else self.steps


Stops = Annotated[list[StopCondition], Field(max_length=MOST_STOPS)]


class Stage(NamedRow):
    """One schedule of the learning rate, with its own parameters in the same object."""

    every: int | None = None
    factor: float | None = None
    steps: int | None = None
    least: float | None = None
    start: float | None = None
    growth: int | None = None
    power: float | None = None
    peak: float | None = None
    patience: int | None = None

    def as_json(self) -> str | dict[str, Any]:
        """Return its name, or the object if it has parameters."""
        return {"name": self.name, **self.own} if self.own else self.name


class ScheduleSettings(Stage):
    """A schedule of the learning rate, or two in sequence.

    The schedule `next` follows when the `steps` of the first one are over.
    """

    next: RowName | Stage | None = None

    @property
    def own(self) -> dict[str, float]:
        """The parameters of the first schedule that are set."""
        return {name: value for name, value in super().own.items() if name != "next"}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The schedules in the order of their steps, each in its long form."""
        if self.next is None:
            return (self,)
        return (self, self.next if isinstance(self.next, Stage) else Stage(name=self.next))

    def as_json(self) -> str | dict[str, Any]:
        """Return its name, or the object if it has parameters."""
        _, *later = self.stages
        following = {"next": later[0].as_json()} if later else {}
        return {"name": self.name, **self.own, **following} if self.own or following else self.name


Schedule = RowName | ScheduleSettings


class Redraw(StrictModel):
    """Draw layers again, once: weights by an initializer, biases 0.

    Only this revives a dead layer.
    """

    layers: Annotated[
        list[Annotated[int, Field(ge=1, le=MOST_REDRAWN)]], Field(min_length=1, max_length=MOST_REDRAWN)
    ] = Field(description="numbers k of the Wk and bk to draw again")
    weights: RowName = Field(default="he", description="the initializer of the weights: a row of the catalog")

    @model_validator(mode="after")
    def _each_once(self) -> Redraw:
        if len(set(self.layers)) < len(self.layers):
            raise ValueError("must name each layer once")
        return self


CONSTANT = ScheduleSettings(name="constant")
PLATEAU = "plateau"
"""The only schedule that depends on losses."""


def schedule_of(value: str | dict[str, Any] | ScheduleSettings) -> ScheduleSettings:
    """Return the schedule in its long form, whichever form the recipe used."""
    if isinstance(value, ScheduleSettings):
        return value
    return ScheduleSettings.model_validate({"name": value} if isinstance(value, str) else value)


def stops_of(values: Iterable[dict[str, Any] | StopCondition]) -> tuple[StopCondition, ...]:
    """Return the stop conditions, parsed if they are JSON."""
    return tuple(
        each if isinstance(each, StopCondition) else StopCondition.model_validate(each) for each in values
    )


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings in force at one step.

    - `batch_size` None is the full batch; `own` has the optimizer's parameters.
    - `schedule` starts at step `schedule_since`.
    - `l1` and `l2` are the coefficients of penalties on weights.
    - `clip_norm` and `clip_value` bound the gradient; None is no bound.
    - `layer_rates` are factors of the rate, one per layer; empty for 1 in all.
    - `stop` ends the run, at steps after `stop_since`.
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
    layer_rates: tuple[float, ...] = ()
    stop: tuple[StopCondition, ...] = ()
    stop_since: int = 0

    @property
    def penalised(self) -> bool:
        """True if training minimises a penalty beside the loss."""
        return self.l1 > 0.0 or self.l2 > 0.0

    @property
    def watches_loss(self) -> bool:
        """True if the rate depends on losses."""
        return self.schedule.stages[-1].name == PLATEAU

    @property
    def clipped(self) -> bool:
        """True if the gradient is bounded."""
        return self.clip_norm is not None or self.clip_value is not None

    def changed(self, change: dict[str, Any], at_step: int) -> RunSettings:
        return self.folded([(at_step, change)])

    def folded(self, changes: Iterable[tuple[int, dict[str, Any]]]) -> RunSettings:
        """Return the settings after several changes, each with its step.

        A new optimizer drops the parameters of the one before. A schedule in a change starts at its step, even if it is
        the present one.
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
                    continue  # not a setting: happens once, at its step
                elif name == "schedule":
                    plain.update(schedule=schedule_of(value), schedule_since=at_step)
                elif name == "layer_rates":
                    plain[name] = tuple(value)
                elif name == "stop":
                    plain.update(stop=stops_of(value), stop_since=at_step)
                else:
                    plain[name] = value
        return replace(self, own=own, **plain)

    def as_json(self) -> dict[str, Any]:
        """Return the fields of a recipe.

        Schedule, penalties and bounds only if they are not at their defaults.
        """
        fields: dict[str, Any] = {name: getattr(self, name) for name in ALWAYS}
        fields.update(self.own)
        if self.schedule != CONSTANT:
            fields["schedule"] = self.schedule.as_json()
        fields.update({name: value for name in AT_ANY_TIME if (value := getattr(self, name))})
        if self.layer_rates:
            fields["layer_rates"] = list(self.layer_rates)
        if self.stop:
            fields["stop"] = [condition.model_dump() for condition in self.stop]
        return fields


_PENALTY = "adds {} over all weights to the minimised loss, and {}"


class MethodSettings(StrictModel):
    """Optional settings: optimizer parameters, schedule, penalties, gradient bounds.

    The engine's tables have the ranges of the parameters. Null removes a bound.
    """

    momentum: float | None = Field(default=None, description="share of the velocity that each step keeps")
    dampening: float | None = Field(
        default=None, description="share of each gradient that the velocity leaves out"
    )
    decay: float | None = Field(default=None, description="decay of the running mean of the squared gradient")
    beta1: float | None = Field(
        default=None,
        description="decay of the running mean of the gradient; in lion: share of the running mean in the sign, beside "
        "the newest gradient",
    )
    beta2: float | None = Field(
        default=None,
        description="decay of the running mean of the squared gradient; in adamax: decay of the largest size of the "
        "gradient; in lion: decay of the running mean of the gradient",
    )
    epsilon: float | None = Field(
        default=None,
        description="added to the root to avoid division by 0; in adadelta: added to both means before their roots; in "
        "adamax: added to the gradient's size to avoid division by 0",
    )
    weight_decay: float | None = Field(
        default=None, description="share of the parameters lost per step, divided by the rate"
    )
    bias_decay: float | None = Field(
        default=None, description="weight decay of biases, as a share of the decay of weights"
    )
    momentum_decay: float | None = Field(
        default=None, description="speed at which the momentum rises from half of beta1"
    )
    history_size: int | None = Field(
        default=None, description="how many of the last changes the estimate uses"
    )
    schedule: Schedule | None = Field(
        default=None, description="how the rate changes, from the step that sets it"
    )
    l1: Coefficient | None = Field(
        default=None, description=_PENALTY.format("l1 * sum |W|", "pulls small weights to 0")
    )
    l2: Coefficient | None = Field(
        default=None, description=_PENALTY.format("l2 / 2 * sum W**2", "keeps weights small")
    )
    clip_norm: Limit | None = Field(
        default=None,
        description="largest norm of the gradient over all parameters; a longer one is shortened; null: no limit",
    )
    clip_value: Limit | None = Field(
        default=None, description="largest size of a gradient entry, applied after the norm; null: no limit"
    )
    layer_rates: Annotated[list[LayerRate], Field(max_length=MOST_REDRAWN)] | None = Field(
        default=None, description="factor of the rate in each layer, from the first; []: 1 in all layers"
    )
    stop: Stops | None = Field(
        default=None, description="the run finishes at the first step that meets one of these; []: none"
    )


class Change(MethodSettings):
    """The changes of an edit.

    A missing field stays as it is; `batch_size` null is the full batch.
    """

    optimizer: RowName | None = Field(default=None, description=OPTIMIZER)
    learning_rate: LearningRate | None = Field(default=None, description=LEARNING_RATE)
    batch_size: BatchSize | None = Field(default=None, description=BATCH_SIZE)
    order: Order | None = Field(default=None, description=ORDER)
    redraw: Redraw | None = Field(
        default=None, description="layers to draw again, once, at the end of this step"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _null_only_where_it_is_a_value(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.field_name in EDITABLE and info.field_name not in NULLABLE:
            raise ValueError("must not be null: omit it to leave it unchanged")
        return value

    def changes(self) -> dict[str, Any]:
        """Return only the fields in the change, as plain JSON."""
        changes = {name: getattr(self, name) for name in EDITABLE if name in self.model_fields_set}
        if "schedule" in changes:
            changes["schedule"] = schedule_of(changes["schedule"]).as_json()
        if "stop" in changes:
            changes["stop"] = [condition.model_dump() for condition in changes["stop"]]
        if "redraw" in changes:
            changes["redraw"] = changes["redraw"].model_dump()
        return changes


class Edit(Change):
    """A change of settings, applied from the change `at_step` -> `at_step` + 1 on."""

    at_step: Annotated[int, Field(ge=0, le=LARGEST, description="steps made before the change applies")]

    @model_serializer(mode="plain")
    def _only_changes(self) -> dict[str, Any]:
        return {"at_step": self.at_step, **self.changes()}
