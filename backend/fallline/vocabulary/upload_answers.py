"""Response models of uploaded tables and parameters: see `vocabulary.answers`."""

from __future__ import annotations

from typing import Literal

from fallline.vocabulary.strict import OpenModel


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


class SkippedRow(OpenModel):
    """An unusable row: its first line in the file, counted from 1, and the reason."""

    line: int
    reason: str


class Table(OpenModel):
    """An uploaded table with its id for recipes.

    `rows` counts the usable rows, `preview` has the first of them. `target` is the suggested target column. `skipped`
    lists the first of `skipped_count` unusable rows. `header` is true if the first row names the columns.
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
