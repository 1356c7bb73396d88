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
_BLANKS = r" \u00a0\u202f"
_OTHER_MARK = {".": ",", ",": "."}


def _pattern(mark: str) -> re.Pattern[str]:
    """A number whose decimals come after `mark`; blanks may part its thousands.

    The other mark may where nothing else can be meant, as in 1.234,5 or 1.234.567: in 1.234 alone it may be either.
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
    """Whether the field, without the blanks around it, says that there is no value."""
    return cell.lower() in MISSING


def number_in(cell: str, mark: str) -> float | None:
    """The number that the field says with this decimal mark, finite or not; None where it says something else."""
    if len(cell) > LONGEST_NUMBER:
        return None
    if _PATTERNS[mark].fullmatch(cell):
        return float(_PARTING[mark].sub("", cell).replace(mark, "."))
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
