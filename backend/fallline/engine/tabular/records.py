"""From text to records: which delimiter, and the fields of each record with the line that it begins on.

The csv module splits; this chooses the delimiter by how evenly the records come out. Must not know what fields mean.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from fallline.vocabulary.errors import UnusableTable

DELIMITERS = ("\t", ";", ",")
"""Rarest within a field first: where two split equally evenly, as in `1,5;2,5`, the earlier one is meant."""

LOOKED_AT = 100
"""Records that the choice of a delimiter rests on."""


@dataclass(frozen=True, slots=True)
class Record:
    """Fields, and the line of the file, from 1, on which they begin. A broken one has a reason and no fields."""

    line: int
    fields: list[str]
    broken: str = ""


def records(text: str, delimiter: str) -> Iterator[Record]:
    """The records that are not blank. One with a wrong quote is broken, and the next begins on the line after it."""
    # Lines as files have them: ended by LF, CRLF or CR, and those within quotes left as they are.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, [], _words(str(error), line, reader.line_num))
            continue
        is_hint = line == 1 and fields[:1] == ["sep="]  # a spreadsheet's note to itself on the delimiter
        if not is_hint and (len(fields) > 1 or (fields and fields[0].strip())):
            yield Record(line, fields)


def _words(error: str, first: int, last: int) -> str:
    what = "a quote that is opened here and not closed"
    if error.startswith("field larger"):
        what = f"a field longer than {csv.field_size_limit():,} characters"
    elif "expected after" in error:
        what = "text behind a closing quote"
    return what if last == first else f"{what}; lost up to line {last:,}"


def delimiter_of(text: str) -> str:
    """The delimiter under which most records have equally many fields, two or more. Raises UnusableTable."""
    evenness = {delimiter: _evenness(text, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: evenness[delimiter])
    if not evenness[best]:
        broken = next((record for record in islice(records(text, best), LOOKED_AT) if record.broken), None)
        if broken is not None:
            what = f"no row of the table can be used; line {broken.line:,}: {broken.broken}"
            raise UnusableTable(what, line=broken.line)
        raise UnusableTable(
            "the table has one column only: two are needed, parted by commas, semicolons or tabs", line=1
        )
    return best


def _evenness(text: str, delimiter: str) -> float:
    """The share of the records that have the usual number of fields; 0 where none has more than one."""
    found = list(islice(records(text, delimiter), LOOKED_AT))
    _, times = usual_width(found)
    return times / len(found) if found else 0.0


def usual_width(found: Iterable[Record]) -> tuple[int, int]:
    """How many fields, more than one, most records have; and how many records those are."""
    widths = Counter(width for record in found if (width := len(record.fields)) > 1)
    return widths.most_common(1)[0] if widths else (0, 0)
