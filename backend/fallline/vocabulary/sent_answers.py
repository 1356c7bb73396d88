"""What is told of tables and parameters that people sent, as models: see `vocabulary.answers`.

Must not know how a file is read.
"""

from __future__ import annotations

from typing import Literal

from fallline.vocabulary.open import OpenModel


class TableColumn(OpenModel):
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


class SkippedRow(OpenModel):
    """A row that cannot be used: the line of the file on which it begins, counted from 1, and why."""

    line: int
    reason: str


class Table(OpenModel):
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


class SavedArray(OpenModel):
    """One parameter of a file."""

    name: str
    shape: list[int]


class Parameters(OpenModel):
    """Parameters that somebody sent, by the id under which a recipe may name them; `count` numbers in all."""

    id: str
    parameters: list[SavedArray]
    count: int
