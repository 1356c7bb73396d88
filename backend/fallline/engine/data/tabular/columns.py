"""One field of a table, and the classification of columns: numbers, categories, other text, or a constant.

A field is a missing value, a number, or display text. It also guesses the task if a column is the target.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias

import numpy as np

from fallline.vocabulary.arrays import Array

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "?"})
"""Texts for a missing value, in lower case."""

LONGEST_SHOWN = 64
"""Characters of a displayed name or category; the rest is cut."""

LONGEST_NUMBER = 64
LARGEST_NUMBER = 1e30
"""Limit of a number: beyond it the square of a prediction may overflow."""

_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_BLANKS = r" \u00a0\u202f"
_OTHER_MARK = {".": ",", ",": "."}


def _pattern(mark: str) -> re.Pattern[str]:
    """A number with the decimal mark `mark`; blanks may group its thousands.

    The other mark may group thousands where that is unambiguous: 1.234,5 or 1.234.567, but not 1.234.
    """
    other = _OTHER_MARK[mark]
    blanks = rf"\d{{1,3}}(?:[{_BLANKS}]\d{{3}})+"
    marked = rf"[1-9]\d{{0,2}}(?:(?:[{other}]\d{{3}}){{2,}}|(?:[{other}]\d{{3}})(?=[{mark}]))"
    return re.compile(
        rf"[+-]?(?:(?:{blanks}|{marked}|\d+)(?:[{mark}]\d*)?|[{mark}]\d+)(?:[eE][+-]?\d{{1,4}})?", re.ASCII
    )


_PATTERNS = {mark: _pattern(mark) for mark in _OTHER_MARK}
_PARTING = {mark: re.compile(f"[{_BLANKS}{other}]") for mark, other in _OTHER_MARK.items()}


def is_missing(cell: str) -> bool:
    """Return whether the stripped field means a missing value."""
    return cell.lower() in MISSING


def number_in(cell: str, mark: str) -> float | None:
    """The number in the field, finite or not; None if the field is not a number."""
    if len(cell) > LONGEST_NUMBER:
        return None
    if _PATTERNS[mark].fullmatch(cell):
        return float(_PARTING[mark].sub("", cell).replace(mark, "."))
    if _INFINITE.fullmatch(cell):
        return float(cell)
    return None


def has_decimal(cell: str, mark: str) -> bool:
    """Return whether the field is a number with a decimal mark."""
    return mark in cell and number_in(cell, mark) is not None


def display_text(text: str) -> str:
    """The text on one line, printable and shortened, for display."""
    # Only the start: a field may have a megabyte.
    start = unicodedata.normalize("NFC", text[: 4 * LONGEST_SHOWN])
    printable = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in start)
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_SHOWN else line[: LONGEST_SHOWN - 1] + "…"


def unique(names: Iterable[str]) -> list[str]:
    """The names, with `size-2` for the second `size`."""
    result: dict[str, None] = {}
    for base in names:
        name, number = base, 1
        while name in result:
            number += 1
            name = f"{base}-{number}"
        result[name] = None
    return list(result)


def number_text(value: float) -> str:
    """A number as a class name: integers without decimals, others with all digits."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


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

    - `values` are numbers or indices into `categories`; empty for text and constants.
    - `reason` explains why a column is not used; empty if it is.
    - `task` is the guess if the column is the target.
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
