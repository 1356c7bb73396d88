"""What the catalog tells, as models: see `vocabulary.answers`. Must not know which rows there are."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from fallline.vocabulary.open import OpenModel
from fallline.vocabulary.recipe import Recipe


class Parameter(OpenModel):
    """A parameter of a row of the catalog. Where null switches it off, `when_on` is the number to switch it on with."""

    name: str
    json_schema: dict[str, Any] = Field(alias="schema")
    default: float | int | None
    range: list[float | None]
    unit: str
    help: str
    source: str = ""
    when_on: float | int | None = None


class CatalogRow(OpenModel):
    """Something that a recipe may name; `source` says where it was published."""

    name: str
    help: str
    source: str
    parameters: list[Parameter]


class Need(OpenModel):
    """Something that a recipe says of one's own data, and a line of help."""

    name: str
    help: str


class DatasetRow(CatalogRow):
    """A data set. `features` and `samples` are null where the recipe decides, else what the set has. `missing` says why
    the set cannot be had on this server, null that it can. `needs` names what a recipe says of one's own table, whose
    task (null here) depends on the column.
    """

    missing: str | None
    task: Literal["regression", "classification"] | None
    features: int | None
    samples: int | None
    classes: list[str]
    needs: list[Need] = Field(default=[])


class LossRow(CatalogRow):
    """A loss: what it is made for, and how many classes it can tell apart (null: any number)."""

    task: Literal["regression", "classification"]
    most_classes: int | None


class ExportRow(OpenModel):
    """A file to take away; `of_first` says that of several runs it tells the first only."""

    name: str
    media_type: str
    help: str
    of_first: bool


class ExhibitView(OpenModel):
    """How an exhibit is seen best: the x axis, the measure of gradients, steps per second, what is kept even, and how
    far along the axis there is something to see.
    """

    x: Literal["steps", "samples"]
    measure: Literal["grad_l1", "grad_l2", "grad_mean", "ratio"]
    speed: int
    pace: Literal["steps", "samples"]
    until: int


class ExhibitRow(OpenModel):
    """A recipe worth showing, filled in. `line` says in a few words what it is about, the two `sentences` what to look
    at; `curves` are train losses by run, evenly along the axis up to `view.until`, null where a run has diverged.
    """

    name: str
    title: str
    line: str
    sentences: list[str]
    recipe: Recipe
    view: ExhibitView
    curves: dict[str, list[float | None]]


class Catalog(OpenModel):
    """Everything that a recipe may name, what it may cost, and the files that can be taken away. What nobody has
    watched for `idle_seconds` is paused.
    """

    datasets: list[DatasetRow]
    activations: list[CatalogRow]
    losses: list[LossRow]
    optimizers: list[CatalogRow]
    schedules: list[CatalogRow]
    initializers: list[CatalogRow]
    exports: list[ExportRow]
    bounds: dict[str, float]
    idle_seconds: float
    exhibits: list[ExhibitRow]
