"""The text of a table, split into records, and the choice of the delimiter.

The text is UTF-8, with or without a byte order mark. The csv module splits. The chosen delimiter is the one that gives
the most even records.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from fallline.vocabulary.errors import UnusableTable

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters other than tabs and line ends, line separators, bidirectional controls.

Invisible joiners and marks such as U+200B and U+200E come with copied text: `columns.display_text` drops them.
"""


def check_characters(body: bytes) -> None:
    """Raise UnusableTable for a character that would break or reverse display."""
    text = decoded(body)
    match = _FORBIDDEN.search(text)
    if match is not None:
        offset = len(body) - len(text[match.start() :].encode())
        what = f"begins U+{ord(match[0]):04X}, which reverses or breaks displayed lines: remove it"
        raise _stray(body, offset, what)


def decoded(body: bytes) -> str:
    """The text of a CSV. Raises UnusableTable with line and offset of an invalid byte."""
    if body.startswith(_WIDE):
        raise UnusableTable("the table is UTF-16: save it as CSV in UTF-8", line=1, offset=0)
    marked = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    try:
        text = body[marked:].decode("utf-8")
    except UnicodeDecodeError as error:
        raise _stray(body, marked + error.start, "is not UTF-8: save it as CSV in UTF-8") from None
    nul = body.find(b"\0")
    if nul >= 0:
        raise _stray(body, nul, "is NUL, which a CSV cannot contain: is this a spreadsheet file?")
    if not text.strip():
        raise UnusableTable("the table is empty: it needs a header and a line for each sample")
    return text


def _stray(body: bytes, offset: int, what: str) -> UnusableTable:
    before = body[:offset]
    line = 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
    return UnusableTable(f"the byte at offset {offset:,} (line {line:,}) {what}", line=line, offset=offset)


DELIMITERS = ("\t", ";", ",")
"""In order of preference: in `1,5;2,5` two split equally evenly, and the first is right."""

SAMPLE_SIZE = 100
"""Number of records that decide about the delimiter."""


@dataclass(frozen=True, slots=True)
class Record:
    """Fields, and their first line in the file, from 1.

    A broken record has a reason and no fields.
    """

    line: int
    fields: list[str]
    broken: str = ""


def records(text: str, delimiter: str) -> Iterator[Record]:
    """The records that are not blank.

    A misplaced quote breaks a record; the next begins one line later.
    """
    # newline="" keeps the file's line ends: LF, CRLF or CR, also inside quotes.
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
        is_hint = line == 1 and fields[:1] == ["sep="]  # a spreadsheet's hint about the delimiter
        if not is_hint and (len(fields) > 1 or (fields and fields[0].strip())):
            yield Record(line, fields)


def _words(error: str, first: int, last: int) -> str:
    what = "a quote opens here and does not close"
    if error.startswith("field larger"):
        what = f"a field longer than {csv.field_size_limit():,} characters"
    elif "expected after" in error:
        what = "text after a closing quote"
    return what if last == first else f"{what}; lost up to line {last:,}"


def delimiter_of(text: str) -> str:
    """The delimiter with the most records of equal width, two fields or more.

    Raises UnusableTable.
    """
    evenness = {delimiter: _evenness(text, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: evenness[delimiter])
    if not evenness[best]:
        broken = next((record for record in islice(records(text, best), SAMPLE_SIZE) if record.broken), None)
        if broken is not None:
            what = f"no row of the table is usable; line {broken.line:,}: {broken.broken}"
            raise UnusableTable(what, line=broken.line)
        raise UnusableTable(
            "the table has only one column: use at least two, separated by commas, semicolons or tabs", line=1
        )
    return best


def _evenness(text: str, delimiter: str) -> float:
    """Share of the records with the most common number of fields; 0 if none has two."""
    sample = list(islice(records(text, delimiter), SAMPLE_SIZE))
    _, times = usual_width(sample)
    return times / len(sample) if sample else 0.0


def usual_width(sample: Iterable[Record]) -> tuple[int, int]:
    """The most common number of fields above one, and the number of records with it."""
    widths = Counter(width for record in sample if (width := len(record.fields)) > 1)
    return widths.most_common(1)[0] if widths else (0, 0)
