"""What the server answers, as models: they document REST and hold tests to it. Nothing is parsed with them at run time.

Owns what is told of experiments, their runs, and the server itself; findings, the catalog, and what people sent have
files of their own beside this one.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from fallline.vocabulary.finding_answers import Examining, Finding
from fallline.vocabulary.open import OpenModel
from fallline.vocabulary.recipe import Recipe
from fallline.vocabulary.sent_answers import SkippedRow
from fallline.vocabulary.stop_conditions import StopCondition

Number: TypeAlias = float | None
Matrix: TypeAlias = list[list[float]]


class WrongField(OpenModel):
    """A field that is wrong: its JSON pointer (RFC 6901) in the body, and what would be right."""

    pointer: str
    detail: str


class Problem(OpenModel):
    """RFC 9457 problem details. `type` is /problems/ and one of the codes that the API's description lists."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] = Field(default=[])
    more_errors: bool = Field(default=False, description="further fields are wrong than those listed")
    bound: str | None = None
    limit: float | None = None
    asked: float | None = None
    line: int | None = None
    offset: int | None = None
    skipped: list[SkippedRow] | None = None
    instance: str | None = None


class Latest(OpenModel):
    """The newest finite value of a series and its step."""

    step: int
    value: float


class RunState(OpenModel):
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


class Provenance(OpenModel):
    """What makes the numbers: the kernel of each run, and the builds that all compute with. The same kernel and builds
    repeat a recipe to the bit; others repeat each step to rounding. `restored` names runs of which some steps were made
    again by others after a restart.
    """

    kernels: dict[str, str]
    builds: dict[str, str]
    restored: dict[str, str] = Field(default={})


class ExperimentState(OpenModel):
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


class Edited(OpenModel):
    """An edit, and the step from which on it is in force; the changed settings stand beside them."""

    run: str
    at_step: int


class PackedColumn(OpenModel):
    """A column as Plotly reads it: base64 of little-endian numbers."""

    dtype: Literal["f8", "i4"]
    bdata: str


class Statistics(OpenModel):
    """One series: a value for each bucket. `count` where the series is not recorded at every step."""

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
    """The entry of an array whose size is the largest, the first of several."""

    row: int
    column: int
    value: float


class LargestChange(OpenModel):
    """The entry of an array that differs most from what it was when its name was told before."""

    row: int
    column: int
    before: float
    after: float


class SheetEntry(OpenModel):
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


class Inspection(OpenModel):
    """The next change line by line: what is given, then each line with its value, reckoned from the values before it.

    `batch` are the rows of the data that the change takes. `functions` says how to make those that NumPy has not.
    """

    step: int
    generation: int
    batch: list[int]
    functions: dict[str, str]
    given: list[SheetEntry]
    lines: list[SheetLine]


class InstrumentRow(OpenModel):
    """An instrument and what it tells."""

    name: str
    help: str


class Check(OpenModel):
    """One check: null where it does not apply. `error` is the largest difference found, `tolerance` what it may be."""

    name: str
    title: str
    passed: bool | None
    says: str
    error: float | None
    tolerance: float | None


class SelfCheck(OpenModel):
    """What a run finds when it checks itself at its present step, with the kernel that makes its steps."""

    step: int
    kernel: str
    checks: list[Check]


class Measured(OpenModel):
    """What an instrument tells of a run at a step; the other fields depend on the instrument.

    A costly one also tells what it cost, in seconds of a processor, and how soon it may be asked again by whoever is to
    slow no training by more than 5 %.
    """

    step: int
    generation: int
    cost_seconds: float | None = None
    again_seconds: float | None = None


class Samples(OpenModel):
    """The data in the network's units, and which rows are for training and which for testing.

    `features` names the columns of X. Where `classes` are told apart, y holds indices into them.
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
    """The process is alive. Runs that begin now take `kernel`; `not_compiled` says why that is not the compiled one.

    `storage` says what stores; `read_only` that nothing can be stored at present, so that no change is taken.
    """

    status: Literal["ok"]
    version: str
    kernel: str
    not_compiled: str | None = None
    storage: str
    read_only: bool
    faults: int
    """Experiments that were closed since the server failed while it worked on them."""


class Readiness(OpenModel):
    """The server takes requests.

    `worker_seconds` and `store_seconds` say how soon these answered, `loop_seconds` how long the event loop was held up
    at most in the last 5 s.
    """

    status: Literal["ready"]
    worker_seconds: float
    store_seconds: float
    loop_seconds: float
