"""Response models of the catalog: see `vocabulary.answers`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from fallline.vocabulary.answers import RenderedRecipe
from fallline.vocabulary.questions import Choice
from fallline.vocabulary.strict import OpenModel


class Parameter(OpenModel):
    """A parameter of a catalog row.

    If null switches it off, `when_on` is a number that switches it on. The default of a list is empty.
    """

    name: str
    json_schema: dict[str, Any] = Field(alias="schema")
    default: float | int | list[float] | None
    range: list[float | None]
    unit: str
    help: str
    source: str = ""
    when_on: float | int | None = None


class CatalogRow(OpenModel):
    """A method or data set that a recipe may name.

    `source` says where it was published.
    """

    name: str
    help: str
    source: str
    parameters: list[Parameter]


class Need(OpenModel):
    """A recipe field of uploaded data, and a line of help."""

    name: str
    help: str


class DatasetRow(CatalogRow):
    """A data set. `features` and `samples` are null if the recipe decides.

    `missing` says why this server does not have the set; null if it does. The list `needs` has the recipe fields of
    uploaded data. The task of uploaded data depends on the target column and is null here.
    """

    missing: str | None
    task: Literal["regression", "classification"] | None
    features: int | None
    samples: int | None
    classes: list[str]
    needs: list[Need] = Field(default=[])


class LossRow(CatalogRow):
    """A loss with its task and its largest number of classes (null: any number)."""

    task: Literal["regression", "classification"]
    most_classes: int | None


class ScheduleRow(CatalogRow):
    """A schedule. If it ends, `next` describes the setting that names the next one, else it is null."""

    next: Parameter | None


class InitializerRow(CatalogRow):
    """An initializer and the kinds of parameters that it draws.

    An alias names its row in `same_as`, else that is null.
    """

    draws: list[Literal["weights", "biases"]]
    same_as: str | None


class ExportRow(OpenModel):
    """A file to export; `of_first`: of several runs it holds only the first."""

    name: str
    media_type: str
    help: str
    of_first: bool


class ExhibitView(OpenModel):
    """The suggested view of an exhibit.

    It has the x axis, the measure of gradients, the panel under the loss, the pace, and the end of the question along
    the x axis. The speed is in steps per second.
    """

    x: Literal["steps", "samples"]
    measure: Literal["grad_l1", "grad_l2", "grad_mean", "ratio"]
    panel: Literal["gradients", "instruments"]
    speed: int
    pace: Literal["steps", "samples"]
    until: int


class PublicQuestion(OpenModel):
    """A question to bet on, without its answer.

    A `choice` question has choices, a `number` question a unit.
    """

    id: str
    prompt: str
    kind: Literal["choice", "number"]
    choices: list[Choice]
    unit: str | None = None


class ExhibitRow(OpenModel):
    """An example recipe, complete, with its topic in a few words (`line`) and its question."""

    name: str
    title: str
    line: str
    question: PublicQuestion
    recipe: RenderedRecipe
    view: ExhibitView


class RuleRow(OpenModel):
    """A rule that computes the answer to a question from the runs."""

    name: str
    help: str
    json_schema: dict[str, Any] = Field(alias="schema")


class Catalog(OpenModel):
    """Everything that a recipe may name, its bounds, and the export files.

    Experiments without a watcher for `idle_seconds` are paused.
    """

    datasets: list[DatasetRow]
    activations: list[CatalogRow]
    losses: list[LossRow]
    optimizers: list[CatalogRow]
    schedules: list[ScheduleRow]
    initializers: list[InitializerRow]
    run_settings: list[Parameter]
    data_settings: list[Parameter]
    seeds: list[Parameter]
    orders: list[str]
    standardize: list[str]
    exports: list[ExportRow]
    bounds: dict[str, float]
    idle_seconds: float
    exhibits: list[ExhibitRow]
    answer_rules: list[RuleRow]
