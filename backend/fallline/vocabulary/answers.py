"""What the server answers, as models: they document REST and hold tests to it. Nothing is parsed with them at run time.

Further fields may be added to any answer, so these models let them pass.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from fallline.vocabulary.finding_answers import Examining, Finding
from fallline.vocabulary.recipe import Recipe
from fallline.vocabulary.stop_conditions import StopCondition

Number: TypeAlias = float | None
Matrix: TypeAlias = list[list[float]]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class Problem(_Answer):
    """RFC 9457 problem details. `type` is /problems/ and one of the codes that the API's description lists."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] = []
    bound: str | None = None
    limit: float | None = None
    asked: float | None = None
    line: int | None = None
    offset: int | None = None
    skipped: list[SkippedRow] | None = None
    instance: str | None = None


class WrongField(_Answer):
    """A field that is wrong: its JSON pointer (RFC 6901) in the body, and what would be right."""

    pointer: str
    detail: str


class Latest(_Answer):
    """The newest finite value of a series and its step."""

    step: int
    value: float


class RunState(_Answer):
    """One run now."""

    name: str
    label: str | None
    status: Literal["paused", "playing", "finished", "diverged"]
    step: int
    epoch: float
    samples_seen: int
    generation: int
    kernel: str
    latest: dict[str, Latest]
    findings: list[Finding]
    doctor: Examining
    finished_by: StopCondition | None = None


class Provenance(_Answer):
    """What makes the numbers: the kernel of each run, and the builds that all compute with. The same kernel and builds
    repeat a recipe to the bit; others repeat each step to rounding. `restored` names runs of which some steps were made
    again by others after a restart.
    """

    kernels: dict[str, str]
    builds: dict[str, str]
    restored: dict[str, str] = {}


class ExperimentState(_Answer):
    """One experiment now, its recipe filled in.

    `next_kernel` is the one that its runs would take if they began now. `read_only`: nothing can be stored, and so no
    change is taken.
    """

    id: str
    recipe: Recipe
    kernel: str
    next_kernel: str
    provenance: Provenance
    runs: list[RunState]
    read_only: bool = False


class Created(ExperimentState):
    """A new experiment and, this once, the token that allows to change it."""

    token: str


class Edited(_Answer):
    """An edit, and the step from which on it is in force; the changed settings stand beside them."""

    run: str
    at_step: int


class PackedColumn(_Answer):
    """A column as Plotly reads it: base64 of little-endian numbers."""

    dtype: Literal["f8", "i4"]
    bdata: str


class Statistics(_Answer):
    """One series: a value for each bucket. `count` where the series is not recorded at every step."""

    min: list[Number] | PackedColumn
    max: list[Number] | PackedColumn
    mean: list[Number] | PackedColumn
    last: list[Number] | PackedColumn
    count: list[int] | PackedColumn | None = None


class Columns(_Answer):
    """Measurements, one entry a bucket: consecutive steps `first` ... `last`."""

    generation: int
    encoding: Literal["bdata"] | None = None
    first: list[int] | PackedColumn
    last: list[int] | PackedColumn
    samples_seen: list[int] | PackedColumn
    seconds: list[float] | PackedColumn
    series: dict[str, Statistics]


class Snapshot(_Answer):
    """Parameters at a step, and gradient and batch of the next change."""

    step: int
    generation: int
    parameters: dict[str, Matrix]
    gradients: dict[str, Matrix]
    batch: list[int]


class LargestEntry(_Answer):
    """The entry of an array whose size is the largest, the first of several."""

    row: int
    column: int
    value: float


class LargestChange(_Answer):
    """The entry of an array that differs most from what it was when its name was told before."""

    row: int
    column: int
    before: float
    after: float


class SheetEntry(_Answer):
    """A number or an array. What is not finite is null; `not_finite` counts it, `not_finite_at` has row, column, kind.

    Where the rows are those of the batch, `values` tells `rows` of them from row `first` on, and `mean` is over all. Of
    all entries: how many are exactly 0, how many negative, and the largest size of a finite one. Asked for with
    `block`, `values` may be the first rows and columns of `shape` only; `largest_at` and `change` are of the whole.
    """

    name: str
    shape: list[int]
    values: Number | list[list[Number]]
    zeros: int
    negative: int
    largest: float
    first: int | None = None
    rows: int | None = None
    mean: list[Number] | None = None
    not_finite: dict[Literal["nan", "inf", "-inf"], int] | None = None
    not_finite_at: list[tuple[int, int, Literal["nan", "inf", "-inf"]]] | None = None
    largest_at: LargestEntry | None = None
    change: LargestChange | None = None


class SheetLine(SheetEntry):
    """A line of NumPy, `name = expression`, and what it gives."""

    part: Literal["forward", "backward", "update"]
    expression: str


class Inspection(_Answer):
    """The next change line by line: what is given, then each line with its value, reckoned from the values before it.

    `batch` are the rows of the data that the change takes. `functions` says how to make those that NumPy has not.
    """

    step: int
    generation: int
    batch: list[int]
    functions: dict[str, str]
    given: list[SheetEntry]
    lines: list[SheetLine]


class InstrumentRow(_Answer):
    """An instrument and what it tells."""

    name: str
    help: str


class Check(_Answer):
    """One check: null where it does not apply. `error` is the largest difference found, `tolerance` what it may be."""

    name: str
    title: str
    passed: bool | None
    says: str
    error: float | None
    tolerance: float | None


class SelfCheck(_Answer):
    """What a run finds when it checks itself at its present step, with the kernel that makes its steps."""

    step: int
    kernel: str
    checks: list[Check]


class Measured(_Answer):
    """What an instrument tells of a run at a step; the other fields depend on the instrument.

    A costly one also tells what it cost, in seconds of a processor, and how soon it may be asked again by whoever is to
    slow no training by more than 5 %.
    """

    step: int
    generation: int
    cost_seconds: float | None = None
    again_seconds: float | None = None


class Samples(_Answer):
    """The data in the network's units, and which rows are for training and which for testing.

    `features` names the columns of X. Where `classes` are told apart, y holds indices into them.
    """

    X: Matrix
    y: Matrix
    train: list[int]
    test: list[int]
    features: list[str]
    classes: list[str]


class TableColumn(_Answer):
    """A column of a table: numbers, categories (texts, of which there are few), other text, or always the same value.

    `reason` says why a column is not `used`. `task` is what is guessed if the column is the target, null where it
    cannot be.
    """

    name: str
    kind: Literal["number", "category", "text", "constant"]
    distinct: int
    task: Literal["regression", "classification"] | None
    used: bool
    reason: str | None


class SkippedRow(_Answer):
    """A row that cannot be used: the line of the file on which it begins, counted from 1, and why."""

    line: int
    reason: str


class Table(_Answer):
    """A table that somebody sent, by the id under which a recipe may name it.

    `rows` counts those that can be used, `preview` shows the first of them. `target` is the column that is suggested.
    `skipped` lists the first of `skipped_count` rows. `header` tells whether the first row was taken to name the
    columns.
    """

    id: str
    columns: list[TableColumn]
    rows: int
    target: str
    preview: list[list[str]]
    skipped: list[SkippedRow]
    skipped_count: int
    delimiter: Literal[",", ";", "\t"]
    header: bool


class SavedArray(_Answer):
    """One parameter of a file."""

    name: str
    shape: list[int]


class Parameters(_Answer):
    """Parameters that somebody sent, by the id under which a recipe may name them; `count` numbers in all."""

    id: str
    parameters: list[SavedArray]
    count: int


class Figure(_Answer):
    """A Plotly figure."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class Parameter(_Answer):
    """A parameter of a row of the catalog. Where null switches it off, `when_on` is the number to switch it on with."""

    name: str
    json_schema: dict[str, Any] = Field(alias="schema")
    default: float | int | None
    range: list[Number]
    unit: str
    help: str
    source: str = ""
    when_on: float | int | None = None


class CatalogRow(_Answer):
    """Something that a recipe may name; `source` says where it was published."""

    name: str
    help: str
    source: str
    parameters: list[Parameter]


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
    needs: list[Need] = []


class Need(_Answer):
    """Something that a recipe says of one's own data, and a line of help."""

    name: str
    help: str


class LossRow(CatalogRow):
    """A loss: what it is made for, and how many classes it can tell apart (null: any number)."""

    task: Literal["regression", "classification"]
    most_classes: int | None


class ExportRow(_Answer):
    """A file to take away; `of_first` says that of several runs it tells the first only."""

    name: str
    media_type: str
    help: str
    of_first: bool


class ExhibitView(_Answer):
    """How an exhibit is seen best: the x axis, the measure of gradients, steps per second, what is kept even, and how
    far along the axis there is something to see.
    """

    x: Literal["steps", "samples"]
    measure: Literal["grad_l1", "grad_l2", "grad_mean", "ratio"]
    speed: int
    pace: Literal["steps", "samples"]
    until: int


class ExhibitRow(_Answer):
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


class Catalog(_Answer):
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


class Health(_Answer):
    """The process is alive. Runs that begin now take `kernel`; `not_compiled` says why that is not the compiled one.

    `storage` says what stores; `read_only` that nothing can be stored at present, so that no change is taken.
    """

    status: Literal["ok"]
    version: str
    kernel: str
    not_compiled: str | None = None
    storage: str
    read_only: bool


class Readiness(_Answer):
    """The server takes requests."""

    status: Literal["ready"]


Problem.model_rebuild()
DatasetRow.model_rebuild()
