"""A parsed table: columns over the usable rows, and the skipped rows.

It also owns the limits of a table, the choice of the header, and the rules for usable rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from sys import getsizeof
from typing import Any

from fallline.engine.data.tabular.columns import (
    Column,
    Draft,
    display_text,
    draft_of,
    has_decimal,
    is_missing,
    is_of_numbers,
    number_in,
    unique,
)
from fallline.engine.data.tabular.records import (
    Record,
    check_characters,
    decoded,
    delimiter_of,
    records,
    usual_width,
)
from fallline.vocabulary.errors import TooExpensive, UnusableTable

MOST_BYTES = 1 << 20
MOST_ROWS = 5_000
MOST_COLUMNS = 32

MOST_SKIPPED = 100
PREVIEWED = 8
HEADER_SAMPLE = 100
"""Rows below the first one that decide whether it is a header."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An unusable row: its first line in the file, and the reason."""

    line: int
    reason: str

    def as_json(self) -> dict[str, object]:
        return {"line": self.line, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Table:
    """Two or more usable columns over the same rows.

    `skipped` has the first of `skipped_count` rows.
    """

    columns: tuple[Column, ...]
    rows: int
    skipped: tuple[Skipped, ...]
    skipped_count: int
    preview: tuple[tuple[str, ...], ...]
    delimiter: str
    header: bool

    @property
    def target(self) -> str:
        """The default target: the last usable column."""
        return self.usable[-1].name

    @property
    def usable(self) -> tuple[Column, ...]:
        """Columns that can be inputs or the target."""
        return tuple(column for column in self.columns if column.used)

    def column(self, name: str) -> Column | None:
        return next((each for each in self.usable if each.name == name), None)

    @property
    def size(self) -> int:
        """Approximate size in bytes."""
        texts = chain(
            chain.from_iterable((each.name, each.reason, *each.categories) for each in self.columns),
            (each.reason for each in self.skipped),
            chain.from_iterable(self.preview),
        )
        return sum(each.values.nbytes for each in self.columns) + sum(map(getsizeof, texts))

    def as_json(self) -> dict[str, Any]:
        """The table as REST shows it."""
        return {
            "columns": [column.as_json() for column in self.columns],
            "rows": self.rows,
            "target": self.target,
            "preview": [list(row) for row in self.preview],
            "skipped": [each.as_json() for each in self.skipped],
            "skipped_count": self.skipped_count,
            "delimiter": self.delimiter,
            "header": self.header,
        }


def read_new_table(body: bytes) -> Table:
    """Parse an upload. Tables in storage predate this check of characters and skip it."""
    check_characters(body)
    return read_table(body)


def read_table(body: bytes) -> Table:
    """Parse a CSV. Raises UnusableTable, or TooExpensive if it is too large."""
    text = decoded(body)
    delimiter = delimiter_of(text)
    parsed = records(text, delimiter)
    first_records = list(islice(parsed, MOST_ROWS + 1))
    further = sum(1 for _ in parsed)
    width, _ = usual_width(first_records)
    if width > MOST_COLUMNS:
        raise TooExpensive("csv_columns", MOST_COLUMNS, width)
    regular, skipped = _regular(first_records, width)
    cells = [[field.strip() for field in record.fields] for record in regular]
    mark = _decimal_mark(cells) if delimiter != "," else "."
    header = bool(cells) and _is_header(cells[0], cells[1 : HEADER_SAMPLE + 1], mark)
    names = _names(cells[0] if header else [""] * width)
    if header:
        regular, cells = regular[1:], cells[1:]
    below = len(cells) + len(skipped) + further
    if below > MOST_ROWS:
        raise TooExpensive("csv_rows", MOST_ROWS, below)
    drafts = [
        draft_of(name, column, mark) for name, column in zip(names, _columns_of(cells, width), strict=True)
    ]
    rows, unusable, unusable_count = _usable(regular, drafts)
    first_skipped = sorted([*skipped, *unusable], key=lambda each: each.line)[:MOST_SKIPPED]
    table = Table(
        columns=tuple(draft.over(rows) for draft in drafts),
        rows=len(rows),
        skipped=tuple(first_skipped),
        skipped_count=len(skipped) + unusable_count,
        preview=tuple(tuple(map(display_text, cells[row])) for row in rows[:PREVIEWED]),
        delimiter=delimiter,
        header=header,
    )
    _check(table)
    return table


def _check(table: Table) -> None:
    """Require an input and a target. Raises UnusableTable."""
    skipped = [each.as_json() for each in table.skipped[:10]]
    if not table.rows and not skipped:
        raise UnusableTable("the table has no rows below its header", line=1)
    if not table.rows:
        first = table.skipped[0]
        why = f"no row of the table is usable; line {first.line:,}: {first.reason}"
        raise UnusableTable(why, line=first.line, skipped=skipped)
    if len(table.usable) < 2:
        unused = "; ".join(f"{each.name}: {each.reason}" for each in table.columns if not each.used)
        rows = f"{table.rows:,} usable row{'s' if table.rows > 1 else ''}"
        why = f"the table needs two columns of numbers or categories that vary; it has {rows}"
        raise UnusableTable(f"{why}; {unused}", skipped=skipped)


def _regular(parsed: Iterable[Record], width: int) -> tuple[list[Record], list[Skipped]]:
    """The non-empty records of that width; and the others."""
    regular, skipped = [], []
    for record in parsed:
        fields = len(record.fields)
        if record.broken:
            skipped.append(Skipped(record.line, record.broken))
        elif fields != width:
            has = f"{fields:,} field{'s' if fields > 1 else ''}"
            skipped.append(Skipped(record.line, f"{has} instead of {width}"))
        elif not any(map(str.strip, record.fields)):
            skipped.append(Skipped(record.line, "no values"))
        else:
            regular.append(record)
    return regular, skipped


def _decimal_mark(cells: Iterable[Sequence[str]]) -> str:
    """Comma if more numbers have a comma than a point, else point."""
    distinct = set(chain.from_iterable(cells))
    commas, points = (sum(has_decimal(cell, mark) for cell in distinct) for mark in ",.")
    return "," if commas > points else "."


def _is_header(first: Sequence[str], below: Sequence[Sequence[str]], mark: str) -> bool:
    """Return whether the first row names the columns.

    A row without numbers does, a row of only numbers does not. A mixed row is data if its numbers are above numbers
    and its texts occur again below.
    """
    values = [cell for cell in first if not is_missing(cell)]
    numbers = sum(number_in(cell, mark) is not None for cell in values)
    if numbers in (0, len(values)):
        return numbers == 0

    def is_like(cell: str, under: Sequence[str]) -> bool:
        of_numbers = number_in(cell, mark) is not None and is_of_numbers(under, mark)
        return is_missing(cell) or of_numbers or cell in under

    columns = _columns_of(below, len(first))
    return not all(is_like(cell, under) for cell, under in zip(first, columns, strict=True))


def _columns_of(cells: Sequence[Sequence[str]], width: int) -> list[tuple[str, ...]]:
    return list(zip(*cells, strict=True)) if cells else [()] * width


def _names(header: Sequence[str]) -> list[str]:
    """Unique names, with `column-3` for an empty one."""
    return unique(display_text(cell) or f"column-{place}" for place, cell in enumerate(header, start=1))


def _usable(parsed: Sequence[Record], drafts: Sequence[Draft]) -> tuple[list[int], list[Skipped], int]:
    """Indices of the usable rows; the first skipped ones, and their total."""
    reasons: dict[int, Draft] = {}
    for draft in reversed(drafts):
        if draft.bad:
            reasons.update((row, draft) for row, cell in enumerate(draft.cells) if cell in draft.bad)
    rows = [row for row in range(len(parsed)) if row not in reasons]
    first = sorted(reasons)[:MOST_SKIPPED]
    skipped = [Skipped(parsed[row].line, reasons[row].complaint(row)) for row in first]
    return rows, skipped, len(reasons)
