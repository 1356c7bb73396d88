"""One field of a table: missing value, number, or display text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

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
