"""Classification of columns: numbers, categories, other text, or a constant.

It also guesses the task if a column is the target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fallline.engine.data.tabular.cells import (
    LARGEST_NUMBER,
    LONGEST_SHOWN,
    display_text,
    is_missing,
    number_in,
)

Array = NDArray[np.float64]
Kind: TypeAlias = Literal["number", "category", "text", "constant"]
Task: TypeAlias = Literal["regression", "classification"]

MOST_CATEGORIES = 32
"""Limit for the distinct values of a category, and for the classes of a target."""

ALWAYS_THE_SAME = "always the same value"

LARGEST_SHARE = 2 / 3
"""Largest share of distinct texts in a category; above it, texts are names or ids."""

MOST_GUESSED_CLASSES = 10
ROWS_A_GUESSED_CLASS = 5
"""Average rows per value from which a few distinct integers are taken for classes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column over the usable rows.

    `values` are numbers or indices into `categories`; empty for text and constants. `reason` explains why a column is
    not used; empty if it is. `task` is the guess if the column is the target.
    """

    name: str
    kind: Kind
    distinct: int
    values: Array
    categories: tuple[str, ...] = ()
    reason: str = ""
    task: Task | None = None

    @property
    def used(self) -> bool:
        return not self.reason

    def as_json(self) -> dict[str, object]:
        """The column as REST shows it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "distinct": self.distinct,
            "task": self.task,
            "used": self.used,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """A column over all rows, before the usable rows are determined.

    `numbers` maps the fields of a number column to their values; empty for other kinds. `bad` holds the fields that
    make a row unusable.
    """

    name: str
    cells: Sequence[str]
    kind: Kind
    reason: str
    numbers: Mapping[str, float | None]
    bad: frozenset[str]

    def complaint(self, row: int) -> str:
        """Reason why a row with a bad field is unusable."""
        cell = self.cells[row]
        if is_missing(cell):
            return f"no value in {self.name}"
        value = self.numbers[cell]
        if value is None:
            return f"{display_text(cell)!r} in {self.name} is not a number"
        is_what = f"beyond {LARGEST_NUMBER:g}" if isfinite(value) else "not finite"
        return f"{display_text(cell)!r} in {self.name} is {is_what}"

    def over(self, rows: Sequence[int]) -> Column:
        """The column over the usable rows."""
        cells = [self.cells[row] for row in rows]
        if self.reason:
            distinct = sum(not is_missing(cell) for cell in set(cells))
            return Column(self.name, self.kind, distinct, np.empty(0), reason=self.reason)
        if self.kind == "number":
            categories: tuple[str, ...] = ()
            values = np.array([self.numbers[cell] for cell in cells], np.float64)
        else:
            named = {cell: display_text(cell) or "?" for cell in set(cells)}
            categories = tuple(sorted(set(named.values()), key=lambda name: (name.casefold(), name)))
            place = {name: index for index, name in enumerate(categories)}
            values = np.array([place[named[cell]] for cell in cells], np.float64)
        distinct = len(np.unique(values))
        if distinct < 2:
            return Column(self.name, "constant", distinct, np.empty(0), reason=ALWAYS_THE_SAME)
        values.setflags(write=False)
        task: Task = "classification" if categories or _like_classes(values, distinct) else "regression"
        return Column(self.name, self.kind, distinct, values, categories, task=task)


def draft_of(name: str, cells: Sequence[str], mark: str) -> Draft:
    """Classify a column by all its stripped fields."""
    distinct = set(cells)
    missing = frozenset(cell for cell in distinct if is_missing(cell))
    present = [cell for cell in cells if cell not in missing]
    values = len(distinct) - len(missing)
    if values < 2:
        return _unused(name, cells, "constant", ALWAYS_THE_SAME if values else "no values")
    numbers = {cell: number_in(cell, mark) for cell in distinct}
    is_number = 2 * sum(numbers[cell] is not None for cell in present) > len(present)
    too_long = any(len(cell) > LONGEST_SHOWN for cell in distinct)
    too_many = values > MOST_CATEGORIES or values > max(2, LARGEST_SHARE * len(present))
    if not is_number and (too_long or too_many):
        what = f"with {values:,} different values" if too_many else f"of more than {LONGEST_SHOWN} characters"
        return _unused(name, cells, "text", f"text {what}")
    gaps = len(cells) - len(present)
    if 2 * gaps > len(cells):
        reason = f"{gaps:,} of {len(cells):,} values are missing"
        return _unused(name, cells, "number" if is_number else "category", reason)
    if not is_number:
        return Draft(name, cells, "category", "", {}, missing)
    bad = missing | {
        cell for cell, value in numbers.items() if value is None or not abs(value) <= LARGEST_NUMBER
    }
    return Draft(name, cells, "number", "", numbers, bad)


def _unused(name: str, cells: Sequence[str], kind: Kind, reason: str) -> Draft:
    return Draft(name, cells, kind, reason, {}, frozenset())


def is_of_numbers(cells: Sequence[str], mark: str) -> bool:
    """Return whether more than half of the present fields are numbers."""
    present = [cell for cell in cells if not is_missing(cell)]
    return 2 * sum(number_in(cell, mark) is not None for cell in present) > len(present)


def _like_classes(values: Array, distinct: int) -> bool:
    if not np.array_equal(values, np.round(values)):
        return False
    few = distinct <= MOST_GUESSED_CLASSES and len(values) >= ROWS_A_GUESSED_CLASS * distinct
    return distinct == 2 or few
