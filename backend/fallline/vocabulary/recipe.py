"""What an experiment *is*: its recipe, that is data, network, loss, and each run's settings and edits.

Owns the shape of a recipe and the fold of a run's edits (`RunRecipe.settings_at`). Must not know how a network is
trained, which methods exist (the engine's tables say so) or what a recipe may cost (`runs.recipe_check`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

LARGEST = 2**53
"""Integers beyond this are not exact in every JSON reader."""

OWN_SETTINGS = ("momentum", "beta1", "beta2", "epsilon")
"""Settings that belong to one optimizer or another; they stand beside the optimizer's name."""

OWN_LOSS = ("delta",)
"""Settings that belong to one loss or another; they stand beside its name, in one object."""

OWN_DATA = ("degree", "turns")
"""Settings that belong to one data set or another; they stand beside its name."""

EDITABLE = ("optimizer", "learning_rate", "batch_size", "order", *OWN_SETTINGS)
"""What an edit may change."""


def _printable(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in text):
        raise ValueError("a text without control characters")
    return unicodedata.normalize("NFC", text)


Seed = Annotated[int, Field(ge=0, lt=2**32)]
RowName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
RunName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
Label = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
Order = Literal["shuffle", "sequential"]
LearningRate = Annotated[float, Field(gt=0, le=1e6)]
BatchSize = Annotated[int, Field(ge=1, le=LARGEST)]


class StrictModel(BaseModel):
    """A frozen word: no unknown fields, no coerced types, no NaN."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class DataSettings(StrictModel):
    """Which samples: `samples` counts training and test samples together.

    `label_noise` is the share of labels that are replaced. What belongs to one data set only, and labels that are all
    right, are left out of the JSON.
    """

    name: RowName = "log_linear"
    samples: Annotated[int, Field(ge=1, le=LARGEST)] = 900
    features: Annotated[int, Field(ge=1, le=LARGEST)] = 5
    noise: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    test_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    standardize: Literal["none", "inputs", "targets", "both"] = "none"
    seed: Seed = 0
    label_noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    degree: int | None = None
    turns: float | None = None

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told = {key: value for key, value in handler(self).items() if value is not None}
        if not self.label_noise:
            told.pop("label_noise", None)
        return told

    @property
    def own(self) -> dict[str, float]:
        """What the recipe says of the data set's own parameters."""
        return {name: value for name in OWN_DATA if (value := getattr(self, name)) is not None}

    @property
    def test_samples(self) -> int:
        return round(self.samples * self.test_fraction)

    @property
    def train_samples(self) -> int:
        return self.samples - self.test_samples


class LayerSettings(StrictModel):
    """One hidden layer."""

    units: Annotated[int, Field(ge=1, le=LARGEST)]
    activation: RowName = "relu"


class Initializer(StrictModel):
    """A way to draw initial parameters, with its own parameters in the same object."""

    name: RowName
    scale: Annotated[float, Field(ge=0, le=1e6)] | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


class LossSettings(StrictModel):
    """A loss, with its own parameters in the same object."""

    name: RowName
    delta: float | None = None

    @property
    def own(self) -> dict[str, float]:
        """What the recipe says of the loss's own parameters."""
        return {name: value for name in OWN_LOSS if (value := getattr(self, name)) is not None}

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


class NetworkSettings(StrictModel):
    """A multi-layer perceptron: hidden layers, output activation, and how the first parameters are drawn."""

    layers: list[LayerSettings] = [LayerSettings(units=4), LayerSettings(units=4)]
    output: RowName = "identity"
    weights: RowName | Initializer = "normal"
    biases: RowName | Initializer = "normal"
    seed: Seed = 0

    def initializer(self, which: Literal["weights", "biases"]) -> Initializer:
        """The initializer in its long form, whichever form the recipe used."""
        given: str | Initializer = getattr(self, which)
        return given if isinstance(given, Initializer) else Initializer(name=given)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings in force at one step. `batch_size` None is the full batch; `own`: the optimizer's parameters."""

    optimizer: str
    learning_rate: float
    batch_size: int | None
    order: str
    own: dict[str, float] = field(default_factory=dict)

    def changed(self, change: dict[str, Any]) -> RunSettings:
        """The settings after a change; a new optimizer drops the parameters of the one before."""
        optimizer = change.get("optimizer", self.optimizer)
        own = dict(self.own) if optimizer == self.optimizer else {}
        own.update({name: change[name] for name in OWN_SETTINGS if name in change})
        return RunSettings(
            optimizer=optimizer,
            learning_rate=change.get("learning_rate", self.learning_rate),
            batch_size=change.get("batch_size", self.batch_size),
            order=change.get("order", self.order),
            own=own,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "order": self.order,
            **self.own,
        }


class Change(StrictModel):
    """What an edit changes. A field left out stays as it is; `batch_size` null is the full batch."""

    optimizer: RowName | None = None
    learning_rate: LearningRate | None = None
    batch_size: BatchSize | None = None
    order: Order | None = None
    momentum: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    epsilon: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _null_only_for_the_batch(cls, body: Any) -> Any:
        if isinstance(body, dict):
            for name in EDITABLE:
                if name != "batch_size" and name in body and body[name] is None:
                    raise ValueError(f"{name} is null: leave it out to keep it as it is")
        return body

    def given(self) -> dict[str, Any]:
        """Only the settings that the change names."""
        return {name: getattr(self, name) for name in EDITABLE if name in self.model_fields_set}


class Edit(Change):
    """A change of settings, in force from the step that takes the counter from `at_step` to `at_step` + 1."""

    at_step: Annotated[int, Field(ge=0, le=LARGEST)]

    @model_serializer(mode="plain")
    def _only_what_is_given(self) -> dict[str, Any]:
        return {"at_step": self.at_step, **self.given()}


class RunRecipe(StrictModel):
    """One run's settings at step 0 and its edits in the order of their steps."""

    name: RunName = "run-1"
    label: Label | None = None
    optimizer: RowName = "sgd"
    learning_rate: LearningRate = 0.1
    batch_size: BatchSize | None = None
    order: Order = "shuffle"
    seed: Seed = 0
    momentum: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    epsilon: float | None = None
    edits: list[Edit] = []

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {
            key: value for key, value in handler(self).items() if value is not None or key == "batch_size"
        }

    @property
    def settings(self) -> RunSettings:
        """The settings at step 0, before any edit."""
        own = {name: value for name in OWN_SETTINGS if (value := getattr(self, name)) is not None}
        return RunSettings(self.optimizer, self.learning_rate, self.batch_size, self.order, own)

    def settings_at(self, step: int) -> RunSettings:
        """The settings in force for the change from `step` to `step` + 1: all edits up to and at `step`, folded."""
        settings = self.settings
        for edit in self.edits:
            if edit.at_step > step:
                break
            settings = settings.changed(edit.given())
        return settings

    def segments(self, first: int, stop: int) -> Iterator[tuple[int, int, RunSettings]]:
        """The steps `first` <= step < `stop`, cut where edits stand: (first, stop, settings) with constant settings."""
        cuts = sorted({edit.at_step for edit in self.edits if first < edit.at_step < stop})
        for begin, end in zip([first, *cuts], [*cuts, stop], strict=True):
            if begin < end:
                yield begin, end, self.settings_at(begin)


def _notebook_runs() -> list[RunRecipe]:
    return [RunRecipe(name="gd"), RunRecipe(name="sgd", learning_rate=0.01, batch_size=1)]


class Recipe(StrictModel):
    """Everything that determines an experiment. Plain JSON; same recipe, same numbers. `{}` is the notebook's.

    A loss that is left out is mse for a regression, binary_cross_entropy for two classes, softmax_cross_entropy for
    more.
    """

    data: DataSettings = DataSettings()
    network: NetworkSettings = NetworkSettings()
    loss: RowName | LossSettings = "mse"
    runs: Annotated[list[RunRecipe], Field(min_length=1, default_factory=_notebook_runs)]

    @model_validator(mode="before")
    @classmethod
    def _name_the_nameless(cls, body: Any) -> Any:
        """Runs without a name are called after their place, run-1, run-2, ..., or by the next number that is free."""
        if not isinstance(body, dict) or not isinstance(body.get("runs"), list):
            return body
        taken = [run["name"] for run in body["runs"] if isinstance(run, dict) and "name" in run]
        named = []
        for place, run in enumerate(body["runs"], start=1):
            if isinstance(run, dict) and "name" not in run:
                name = next(name for number in count(place) if (name := f"run-{number}") not in taken)
                taken.append(name)
                named.append({**run, "name": name})
            else:
                named.append(run)
        return {**body, "runs": named}

    @property
    def loss_settings(self) -> LossSettings:
        """The loss in its long form, whichever form the recipe used."""
        return self.loss if isinstance(self.loss, LossSettings) else LossSettings(name=self.loss)

    def as_json(self) -> dict[str, Any]:
        """The recipe as plain JSON, as CONTRACT prints it."""
        return self.model_dump(mode="json")
