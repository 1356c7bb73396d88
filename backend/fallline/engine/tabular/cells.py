"""One field of a table: whether it is missing, which number it is, how it is shown. Must not know columns."""

from __future__ import annotations

import re
import unicodedata

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "?"})
"""What stands for no value, in capitals or not."""

LONGEST_SHOWN = 64
"""Characters of a name or a category; of a longer one the rest is cut."""

LONGEST_NUMBER = 64
LARGEST_NUMBER = 1e30
"""Beyond this the square of a prediction might not be finite."""

_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_BLANKS = re.compile(r"[ \u00a0\u202f]")


def _pattern(mark: str) -> re.Pattern[str]:
    """A number whose decimals come after `mark`; blanks may part its thousands."""
    whole = r"(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+)"
    return re.compile(rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d{{1,4}})?", re.ASCII)


_PATTERNS = {".": _pattern(r"\."), ",": _pattern(",")}


def is_missing(cell: str) -> bool:
    """Whether the field, without the blanks around it, says that there is no value."""
    return cell.lower() in MISSING


def number_in(cell: str, mark: str) -> float | None:
    """The number that the field says with this decimal mark, finite or not; None where it says something else."""
    if len(cell) > LONGEST_NUMBER:
        return None
    if _PATTERNS[mark].fullmatch(cell):
        plain = cell.replace(",", ".")
        return float(plain if plain.isascii() and " " not in plain else _BLANKS.sub("", plain))
    if _INFINITE.fullmatch(cell):
        return float(cell)
    return None


def has_decimal(cell: str, mark: str) -> bool:
    """Whether the field is a number that shows its decimal mark."""
    return mark in cell and number_in(cell, mark) is not None


def shown(text: str) -> str:
    """The text on one line, without what cannot be printed, not too long: for names, categories and reasons."""
    # Only the beginning is looked at: a field may hold a megabyte.
    start = unicodedata.normalize("NFC", text[: 4 * LONGEST_SHOWN])
    printable = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in start)
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_SHOWN else line[: LONGEST_SHOWN - 1] + "…"


def number_shown(value: float) -> str:
    """A number as the name of a class: whole ones without decimals, others to the last digit."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
