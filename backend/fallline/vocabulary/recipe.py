"""What an experiment *is*: its recipe, that is data, network, loss, and each run's settings and edits.

Owns the shape of a recipe and the fold of a run's edits (`RunRecipe.settings_at`). Must not know how a network is
trained, which methods exist (the engine's tables say so) or what a recipe may cost (`runs.recipe_check`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, takewhile
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from fallline.vocabulary.run_settings import (
    ALWAYS,
    AT_ANY_TIME,
    BATCH_SIZE,
    LEARNING_RATE,
    OPTIMIZER,
    ORDER,
    OWN_SETTINGS,
    BatchSize,
    Edit,
    LearningRate,
    MethodSettings,
    Order,
    Redraw,
    RunSettings,
)
from fallline.vocabulary.strict import LARGEST, Label, RowName, RunName, Seed, StrictModel, at_most

MOST_HIDDEN_LAYERS = 8
MOST_RUNS = 8
MOST_EDITS = 1_000
"""Of a run. Whoever sends more entries is told so before any of them is looked at."""

OWN_LOSS = ("delta",)
"""Settings that belong to one loss or another; they stand beside its name, in one object."""

OWN_DATA = ("degree", "turns")
"""Settings that belong to one data set or another; they stand beside its name."""


OF_A_TABLE = ("dataset", "target", "task")
"""Settings of one's own data: which table, which of its columns is to be learnt, and as what."""


SentId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Names something that somebody sent to this server."""


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
    dataset: SentId | None = None
    target: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    task: Literal["regression", "classification"] | None = None

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
    """A multi-layer perceptron: hidden layers, output activation, and how the first parameters are drawn; or, with
    `start`, which ones that somebody sent they are.
    """

    layers: Annotated[
        list[LayerSettings],
        Field(max_length=MOST_HIDDEN_LAYERS),
        at_most(MOST_HIDDEN_LAYERS, "hidden_layers"),
    ] = Field(default=[LayerSettings(units=4), LayerSettings(units=4)])
    output: RowName = "identity"
    weights: RowName | Initializer = "normal"
    biases: RowName | Initializer = "normal"
    seed: Seed = 0
    start: SentId | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}

    def initializer(self, which: Literal["weights", "biases"]) -> Initializer:
        """The initializer in its long form, whichever form the recipe used."""
        given: str | Initializer = getattr(self, which)
        return given if isinstance(given, Initializer) else Initializer(name=given)


_TOLD_FIRST = ("name", "label", "optimizer", "learning_rate", "batch_size", "order", "seed")


class Origin(StrictModel):
    """Whose past a fork shares, and up to which step. Told for people: no number depends on it."""

    run: Annotated[RunName, Field(description="the parent")]
    at_step: Annotated[int, Field(ge=0, le=LARGEST, description="the step up to which the past is shared")]


class RunRecipe(MethodSettings):
    """One run's settings at step 0 and its edits in the order of their steps; of a fork also where it comes from."""

    name: RunName = Field(default="run-1", description="unique within the experiment")
    label: Label | None = Field(default=None, description="a free text to show in place of the name")
    optimizer: RowName = Field(default="sgd", description=OPTIMIZER)
    learning_rate: LearningRate = Field(default=0.1, description=LEARNING_RATE)
    batch_size: BatchSize | None = Field(default=None, description=BATCH_SIZE)
    order: Order = Field(default="shuffle", description=ORDER)
    seed: Seed = Field(default=0, description="the order of the samples in each pass of the run")
    origin: Origin | None = Field(
        default=None, description="of a fork: where it comes from; no number depends on it"
    )
    edits: Annotated[
        list[Edit], Field(max_length=MOST_EDITS, fail_fast=True), at_most(MOST_EDITS, "edits_a_run")
    ] = Field(default=[], description="changes of settings, in the order of their steps")

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told = {
            key: value for key, value in handler(self).items() if value is not None or key == "batch_size"
        }
        return {**{name: told[name] for name in _TOLD_FIRST if name in told}, **told}

    @property
    def settings(self) -> RunSettings:
        """The settings at step 0, before any edit."""
        always = {name: getattr(self, name) for name in ALWAYS}
        told = {
            name: value
            for name in (*OWN_SETTINGS, "schedule", *AT_ANY_TIME, "stop")
            if (value := getattr(self, name)) is not None
        }
        return RunSettings(**always).changed(told, at_step=0)

    def settings_at(self, step: int) -> RunSettings:
        """The settings in force for the change from `step` to `step` + 1: all edits up to and at `step`, folded."""
        made = takewhile(lambda edit: edit.at_step <= step, self.edits)
        return self.settings.folded((edit.at_step, edit.given()) for edit in made)

    def segments(self, first: int, stop: int) -> Iterator[tuple[int, int, RunSettings]]:
        """The steps `first` <= step < `stop`, cut where edits stand: (first, stop, settings) with constant settings.

        A step at whose end layers are drawn anew is a piece of its own.
        """
        places = {edit.at_step for edit in self.edits}
        places |= {edit.at_step + 1 for edit in self.edits if edit.redraw is not None}
        cuts = sorted(place for place in places if first < place < stop)
        for begin, end in zip([first, *cuts], [*cuts, stop], strict=True):
            if begin < end:
                yield begin, end, self.settings_at(begin)

    def redraw_at(self, step: int) -> Redraw | None:
        """What is drawn anew at the end of the change from `step` to `step` + 1."""
        return next((edit.redraw for edit in self.edits if edit.at_step == step), None)


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
    runs: Annotated[
        list[RunRecipe],
        Field(min_length=1, max_length=MOST_RUNS, default_factory=_notebook_runs),
        at_most(MOST_RUNS, "runs"),
    ]

    @model_validator(mode="before")
    @classmethod
    def _name_the_nameless(cls, body: Any) -> Any:
        """Runs without a name are called after their place, run-1, run-2, ..., or by the next number that is free."""
        if not isinstance(body, dict) or not isinstance(body.get("runs"), list):
            return body
        if len(body["runs"]) > MOST_RUNS:
            return body  # refused below, by its length
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
