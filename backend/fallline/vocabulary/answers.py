"""Response models of REST: experiments, runs, uploads and the server itself.

Findings and the catalog have modules beside it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PlainSerializer, SkipValidation

from fallline.vocabulary.finding_answers import Examining, Finding
from fallline.vocabulary.findings import Verdict
from fallline.vocabulary.questions import Clause, Rule
from fallline.vocabulary.recipe import Recipe
from fallline.vocabulary.run_settings import StopCondition
from fallline.vocabulary.strict import OpenModel

Number: TypeAlias = float | None
Matrix: TypeAlias = list[list[float]]
RenderedRecipe: TypeAlias = Annotated[Recipe, SkipValidation, PlainSerializer(dict)]
"""A recipe as plain JSON, which `Recipe.as_json` made: a thousand edits would take a millisecond to validate again."""


class WrongField(OpenModel):
    """An invalid field: its JSON pointer (RFC 6901), and what would be right."""

    pointer: str
    detail: str


class SkippedRow(OpenModel):
    """An unusable row: its first line in the file, counted from 1, and the reason."""

    line: int
    reason: str


class Problem(OpenModel):
    """RFC 9457 problem details.

    `type` is /problems/ and a code that the API description lists.
    """

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] = Field(default=[])
    more_errors: bool = Field(default=False, description="more fields are invalid than those listed")
    bound: str | None = None
    limit: float | None = None
    asked: float | None = None
    line: int | None = None
    offset: int | None = None
    skipped: list[SkippedRow] | None = None
    instance: str | None = None
    retry_after: float | None = Field(default=None, description="seconds, as in the header Retry-After")


class Latest(OpenModel):
    """The latest finite value of a series and its step."""

    step: int
    value: float


class RunState(OpenModel):
    """The present state of one run.

    `verdict` says in one word how it is doing: see docs/reference/doctor.md. The Doctor's findings are complete up to
    step `findings_complete_to`. `harm` is how many times its losses are above the lowest known for the recipe.
    `settings` are in force for the next step. A run that diverged stays at step `diverged_at`.
    """

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
    findings_complete_to: int
    verdict: Verdict
    harm: float | None
    doctor: Examining
    settings: dict[str, Any]
    diverged_at: int | None
    finished_by: StopCondition | None = None


class Provenance(OpenModel):
    """The kernel of each run, and the builds that all runs use.

    The same kernel and builds repeat a recipe to the bit; others repeat each step to rounding. The list `restored`
    has runs with steps that other builds repeated after a restart.
    """

    kernels: dict[str, str]
    builds: dict[str, str]
    restored: dict[str, str] = Field(default={})


class ExperimentState(OpenModel):
    """The present state of one experiment, with its complete recipe.

    - `next_kernel` is the kernel that a new run would use. `read_only`: the server cannot store, so it refuses changes.
    - `speed` and `pace` are the last requested ones; `until` is where play ends.
    - `parameters` counts the network's weights and biases. `inputs` names its inputs, and `outputs` counts its outputs.
      `classes` is empty in a regression.
    - `initial_loss` is the train loss at step 0. `baseline` is the loss in each split of a constant prediction, and
      `baseline_score` its score, of the kind `score`.
    """

    id: str
    recipe: RenderedRecipe
    kernel: str
    next_kernel: str
    provenance: Provenance
    runs: list[RunState]
    playing: bool
    speed: float | Literal["max"]
    pace: Literal["steps", "samples"]
    until: dict[str, int] | None = None
    train_samples: int
    test_samples: int
    parameters: int
    initial_loss: Number
    baseline: dict[str, Number]
    baseline_score: dict[str, Number]
    score: str
    inputs: list[str]
    outputs: int
    classes: list[str]
    read_only: bool = False
    undo: str | None = Field(default=None, description="after a reset: POST /undo/{undo} takes it back")


class Created(ExperimentState):
    """A new experiment with its token for changes, which is returned only here."""

    token: str


class Outcome(OpenModel):
    """The answer to a question: a choice, or a number; null if no choice fits."""

    choice: str | None = None
    number: float | None = None


class Story(OpenModel):
    """The rule of the answer to an exhibit's question, and what happened, step by step.

    For an experiment also its `outcome`, null before the end. If its recipe was `changed`, it is no longer the exhibit,
    so `explain` is empty.
    """

    id: str
    answer: Rule
    explain: list[Clause]
    outcome: Outcome | None = None
    changed: bool = False


class Edited(OpenModel):
    """An edit with the first step it applies to.

    The changed settings are further fields.
    """

    run: str
    at_step: int


class PackedColumn(OpenModel):
    """A column as Plotly reads it: base64 of little-endian numbers."""

    dtype: Literal["f8", "i4"]
    bdata: str


class Statistics(OpenModel):
    """One series: a value for each bucket.

    `count` is there if the series is not recorded at every step.
    """

    min: list[Number] | PackedColumn
    max: list[Number] | PackedColumn
    mean: list[Number] | PackedColumn
    last: list[Number] | PackedColumn
    count: list[int] | PackedColumn | None = None


class Columns(OpenModel):
    """Measurements, one entry a bucket: consecutive steps `first` ... `last`."""

    generation: int
    encoding: Literal["bdata"] | None = None
    first: list[int] | PackedColumn
    last: list[int] | PackedColumn
    samples_seen: list[int] | PackedColumn
    seconds: list[float] | PackedColumn
    series: dict[str, Statistics]


class Snapshot(OpenModel):
    """Parameters at a step, and gradient and batch of the next change."""

    step: int
    generation: int
    parameters: dict[str, Matrix]
    gradients: dict[str, Matrix]
    batch: list[int]


class LargestEntry(OpenModel):
    """The entry of an array with the largest absolute value; the first of several."""

    row: int
    column: int
    value: float


class LargestChange(OpenModel):
    """The entry of an array that changed most since its name occurred before."""

    row: int
    column: int
    before: float
    after: float


class SheetEntry(OpenModel):
    """A number or an array. Entries that are not finite are null.

    - `not_finite` counts them, and `not_finite_at` has row, column and kind.
    - If the rows are samples of the batch, `values` has `rows` of them from row `first` on, and `mean` is over all.
    - `zeros` and `negative` are the numbers of exact zeros and of negative entries, `largest` the largest absolute
      value of a finite one. They are over all entries.
    - With `block`, `values` may have only the first rows and columns of `shape`; `largest_at` and `change` cover the
      whole.
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
    """A line of NumPy, `name = expression`, and its result."""

    part: Literal["forward", "backward", "update"]
    expression: str


class Inspection(OpenModel):
    """The next change line by line: the inputs, then each line with its value.

    `batch` lists the rows of the data in this change. `functions` has code for functions that NumPy lacks.
    """

    step: int
    generation: int
    batch: list[int]
    functions: dict[str, str]
    given: list[SheetEntry]
    lines: list[SheetLine]


class InstrumentRow(OpenModel):
    """An instrument and a line of help."""

    name: str
    help: str


class Check(OpenModel):
    """One check; `passed` is null if it does not apply.

    `error` is the largest difference, `tolerance` its limit.
    """

    name: str
    title: str
    passed: bool | None
    says: str
    error: float | None
    tolerance: float | None


class SelfCheck(OpenModel):
    """The results of a run's checks at its present step, with its kernel."""

    step: int
    kernel: str
    checks: list[Check]


class Measured(OpenModel):
    """The measurement of an instrument at a step.

    Further fields depend on the instrument. An expensive one adds its cost in processor seconds. It also adds after
    how many seconds a client may repeat it without slowing training by more than 5 %. For a cheap one
    `pace_seconds` is the same, so that the pages of a whole class leave the processor to training.
    """

    step: int
    generation: int
    cost_seconds: float | None = None
    again_seconds: float | None = None
    pace_seconds: float | None = None


class RunThen(OpenModel):
    """A run at the moment: what a frame says of it, and the requested parts.

    `latest` has the values of this step: its losses and scores, and the measures of the next change. A series without a
    finite value there keeps its last one, such as all measures of changes in a diverged run.
    """

    status: Literal["paused", "playing", "finished", "diverged"]
    step: int
    epoch: float
    samples_seen: int
    generation: int
    latest: dict[str, Latest]
    verdict: Verdict
    harm: float | None
    findings_complete_to: int
    units: dict[str, Any]
    predictions: dict[str, Any] | None = None
    weights: dict[str, Any] | None = None
    map: Measured | None = None
    curve: Measured | None = None
    sheet: Inspection | None = None


class Moment(OpenModel):
    """All that a page shows of the runs, by name, with the cost of an instrument."""

    runs: dict[str, RunThen]
    cost_seconds: float
    again_seconds: float
    pace_seconds: float


class FallLinePoint(OpenModel):
    """A run on the plane: its place, its train loss, its distance from the start, and its path.

    `outside` is the share of the path's squared distances from the start that lies outside the plane. The `path` has
    columns: steps, s, t, and the same share of each point.
    """

    run: str
    generation: int
    step: int
    s: float
    t: float
    loss: Number = None
    distance: Number
    outside: Number
    path: dict[str, Any]


class FallLine(OpenModel):
    """The loss over the plane of several runs' paths, and the runs on it; the start is at 0, 0.

    `plane` says what it is of: "gradient", "path", "points" or "paths". `plane_steps` has the step of each run then.
    Both are null, and there are no points, if the request is for points only and these runs have no terrain yet.

    A terrain has `region` (west, east, south, north) and `heights` (powers of ten of the losses). Unless packed, it
    also has `s`, `t` and `losses`.
    """

    of: str
    runs: list[str]
    step: int
    plane: str | None
    plane_steps: dict[str, int] | None
    points: list[FallLinePoint]
    start_loss: Number = None
    region: list[float] | None = None
    heights: Any = None
    lens: dict[str, Any] | None = None
    cost_seconds: float
    again_seconds: float
    pace_seconds: float


class Samples(OpenModel):
    """The data in the network's units, and the row numbers of both splits.

    `features` names the columns of X. In a classification, y holds indices into `classes`.
    """

    X: Matrix
    y: Matrix
    train: list[int]
    test: list[int]
    features: list[str]
    classes: list[str]


class Figure(OpenModel):
    """A Plotly figure."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class Health(OpenModel):
    """The process is alive.

    - New runs use `kernel`; `not_compiled` says why it is not the compiled one.
    - `experiments` is the number of experiments in memory.
    - `storage` names the store.
    - `read_only`: the server cannot store now, so it refuses changes.
    """

    status: Literal["ok"]
    version: str
    python: str
    numpy: str
    kernel: str
    not_compiled: str | None = None
    experiments: int
    storage: str
    read_only: bool
    faults: int
    """Experiments closed because of a server fault."""


class Addresses(OpenModel):
    """URLs of the server for other machines, without a final slash, the likeliest first.

    Only a page on the server's own machine gets them. Elsewhere the page's own address will do.
    """

    addresses: list[str]


class Readiness(OpenModel):
    """The server accepts requests.

    `worker_seconds` and `store_seconds` are their response times. `loop_seconds` is the longest delay of the event loop
    in the last 5 s.
    """

    status: Literal["ready"]
    worker_seconds: float
    store_seconds: float
    loop_seconds: float


class OpenedLine(OpenModel):
    """A new line, and the key that its other calls need."""

    line: str
    key: str


class LineMessages(OpenModel):
    """The server's messages on a line, and the number of the last one."""

    messages: list[dict[str, Any]]
    next: int


class Accepted(OpenModel):
    """The number of a request whose messages were taken."""

    seq: int


class TableColumn(OpenModel):
    """A column of a table: numbers, categories (a few texts), other text, or constant.

    `reason` says why a column is not `used`. `task` is the suggested task if the column is the target, null if it
    cannot be.
    """

    name: str
    kind: Literal["number", "category", "text", "constant"]
    distinct: int
    task: Literal["regression", "classification"] | None
    used: bool
    reason: str | None


class Table(OpenModel):
    """An uploaded table with its id for recipes.

    - `rows` counts the usable rows, `preview` has the first of them.
    - `target` is the suggested target column.
    - `skipped` lists the first of `skipped_count` unusable rows.
    - `header` is true if the first row names the columns.
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


class SavedArray(OpenModel):
    """One parameter of a file."""

    name: str
    shape: list[int]


class Parameters(OpenModel):
    """Uploaded parameters with their id for recipes; `count` numbers in total."""

    id: str
    parameters: list[SavedArray]
    count: int
