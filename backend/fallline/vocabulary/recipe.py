"""The recipe of an experiment: data, network, loss, and runs with their edits.

Owns the format of a recipe and how a run's edits change its settings (`RunRecipe.settings_at`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Annotated, Any, Literal, Self

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
    NamedRow,
    Order,
    Redraw,
    RunSettings,
    SparseModel,
)
from fallline.vocabulary.strict import (
    LARGEST,
    Label,
    RowName,
    RunName,
    Seed,
    StrictModel,
    at_most,
)

MOST_HIDDEN_LAYERS = 8
MOST_RUNS = 8
MOST_EDITS = 1_000
"""Edits of one run. A longer list is refused before any entry is validated."""

OWN_DATA = ("degree", "turns")
"""Settings of particular data sets, beside the name."""

OF_A_TABLE = ("dataset", "target", "task")
"""Settings of uploaded data: the table, its target column, and the task."""

UploadId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Id of an upload to this server."""


class DataSettings(StrictModel):
    """The data set. `samples` counts training and test samples together.

    `label_noise` is the share of labels that are replaced. The JSON leaves out 0, and settings of other data sets.
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
    dataset: UploadId | None = None
    target: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    task: Literal["regression", "classification"] | None = None

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = {key: value for key, value in handler(self).items() if value is not None}
        if not self.label_noise:
            fields.pop("label_noise", None)
        return fields

    @property
    def own(self) -> dict[str, float]:
        """The data set's own parameters in the recipe."""
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


class Initializer(NamedRow):
    """A method to draw initial parameters, with its own parameters in the same object."""

    scale: Annotated[float, Field(ge=0, le=1e6)] | None = None
    value: Annotated[float, Field(ge=-1e6, le=1e6)] | None = None


class LossSettings(NamedRow):
    """A loss, with its own parameters in the same object."""

    delta: float | None = None


class NetworkSettings(SparseModel):
    """A multi-layer perceptron: layers, output activation, and initial parameters.

    The parameters are drawn with `weights`, `biases` and `seed`, or read from the upload `start`.
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
    start: UploadId | None = None

    def initializer(self, which: Literal["weights", "biases"]) -> Initializer:
        """Return the initializer in its long form, whichever form the recipe used."""
        value: str | Initializer = getattr(self, which)
        return value if isinstance(value, Initializer) else Initializer(name=value)


_FIRST_FIELDS = ("name", "label", "optimizer", "learning_rate", "batch_size", "order", "seed")


class Origin(StrictModel):
    """The parent of a fork and the last shared step.

    For information: no number depends on it.
    """

    run: Annotated[RunName, Field(description="the parent")]
    at_step: Annotated[int, Field(ge=0, le=LARGEST, description="the step up to which the history is shared")]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run's edits, folded once: stepping through n of them takes n times the work of one.

    - `steps` are the steps of the edits, rising, and `changes` what each changes.
    - `settings` are the settings before the first edit, then the settings from each edit on.
    - `cuts` are the steps at which a segment begins, rising.
    - `redraws` has the layers to draw again, by step.
    """

    steps: list[int]
    changes: list[dict[str, Any]]
    settings: list[RunSettings]
    cuts: list[int]
    redraws: dict[int, Redraw]
    may_stop: bool


class RunRecipe(MethodSettings):
    """One run's settings at step 0 and its edits in the order of their steps.

    For a fork also its origin.
    """

    name: RunName = Field(default="run-1", description="unique within the experiment")
    label: Label | None = Field(default=None, description="a text to show instead of the name")
    optimizer: RowName = Field(default="sgd", description=OPTIMIZER)
    learning_rate: LearningRate = Field(default=0.1, description=LEARNING_RATE)
    batch_size: BatchSize | None = Field(default=None, description=BATCH_SIZE)
    order: Order = Field(default="shuffle", description=ORDER)
    seed: Seed = Field(default=0, description="seed of the order of the samples in each pass")
    origin: Origin | None = Field(default=None, description="for a fork: its parent; no number depends on it")
    edits: Annotated[
        list[Edit], Field(max_length=MOST_EDITS, fail_fast=True), at_most(MOST_EDITS, "edits_a_run")
    ] = Field(default=[], description="changes of settings, in the order of their steps")

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = {
            key: value for key, value in handler(self).items() if value is not None or key == "batch_size"
        }
        return {**{name: fields[name] for name in _FIRST_FIELDS if name in fields}, **fields}

    @cached_property
    def _timeline(self) -> Timeline:
        steps = [edit.at_step for edit in self.edits]
        changes = [edit.changes() for edit in self.edits]
        settings = [self.settings]
        for step, change in zip(steps, changes, strict=True):
            settings.append(settings[-1].changed(change, step))
        redraws = {edit.at_step: edit.redraw for edit in self.edits if edit.redraw is not None}
        cuts = sorted({*steps, *(step + 1 for step in redraws)})
        return Timeline(steps, changes, settings, cuts, redraws, any(each.stop for each in settings))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the recipe; the update may change the timeline."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_timeline", None)
        return copied

    @property
    def may_stop(self) -> bool:
        """True if there are stop conditions anywhere."""
        return self._timeline.may_stop

    @property
    def settings(self) -> RunSettings:
        """The settings at step 0, before any edit."""
        always = {name: getattr(self, name) for name in ALWAYS}
        optional = {
            name: value
            for name in (*OWN_SETTINGS, "schedule", *AT_ANY_TIME, "stop")
            if (value := getattr(self, name)) is not None
        }
        return RunSettings(**always).changed(optional, at_step=0)

    @property
    def settings_at_start(self) -> RunSettings:
        """The settings with which the run begins: of a fork those at its own first step."""
        return self.settings if self.origin is None else self.settings_at(self.origin.at_step)

    def settings_at(self, step: int) -> RunSettings:
        """Return the settings for the change from `step` to `step` + 1."""
        timeline = self._timeline
        return timeline.settings[bisect_right(timeline.steps, step)]

    def changes_before(self, step: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the edits before a step, each with its own step."""
        steps, changes = self._timeline.steps, self._timeline.changes
        place = bisect_left(steps, step)
        return list(zip(steps[:place], changes[:place], strict=True))

    def segments(self, first: int, stop: int) -> Iterator[tuple[int, int, RunSettings]]:
        """Split the steps `first` <= step < `stop` at edits: (first, stop, settings).

        A step that ends with layers being drawn again is a segment of its own.
        """
        cuts = self._timeline.cuts
        cuts = cuts[bisect_right(cuts, first) : bisect_left(cuts, stop)]
        for begin, end in zip([first, *cuts], [*cuts, stop], strict=True):
            if begin < end:
                yield begin, end, self.settings_at(begin)

    def redraw_at(self, step: int) -> Redraw | None:
        """Return the layers to draw again at the end of the change from `step`."""
        return self._timeline.redraws.get(step)


def _notebook_runs() -> list[RunRecipe]:
    return [RunRecipe(name="gd"), RunRecipe(name="sgd", learning_rate=0.01, batch_size=1)]


class Recipe(StrictModel):
    """Everything that determines an experiment. Plain JSON; same recipe, same numbers.

    `{}` is the notebook's. The default loss is mse for a regression, binary_cross_entropy for two classes,
    softmax_cross_entropy for more.
    """

    data: DataSettings = DataSettings()
    network: NetworkSettings = NetworkSettings()
    loss: RowName | LossSettings = "mse"
    runs: Annotated[
        list[RunRecipe],
        Field(min_length=1, max_length=MOST_RUNS),
        at_most(MOST_RUNS, "runs"),
    ] = Field(default_factory=_notebook_runs)

    @model_validator(mode="before")
    @classmethod
    def _add_missing_names(cls, body: Any) -> Any:
        """Name runs without a name by their place (run-1, ...) or the next free number."""
        if not isinstance(body, dict) or not isinstance(body.get("runs"), list):
            return body
        if len(body["runs"]) > MOST_RUNS:
            return body  # refused by its length below
        names = [run["name"] for run in body["runs"] if isinstance(run, dict) and "name" in run]
        runs = []
        for place, run in enumerate(body["runs"], start=1):
            if isinstance(run, dict) and "name" not in run:
                name = next(name for number in count(place) if (name := f"run-{number}") not in names)
                names.append(name)
                runs.append({**run, "name": name})
            else:
                runs.append(run)
        return {**body, "runs": runs}

    @property
    def loss_settings(self) -> LossSettings:
        """The loss in its long form, whichever form the recipe used."""
        return self.loss if isinstance(self.loss, LossSettings) else LossSettings(name=self.loss)

    def as_json(self) -> dict[str, Any]:
        """Return the recipe as plain JSON in the documented order."""
        return self.model_dump(mode="json")
