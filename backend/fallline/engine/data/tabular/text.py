"""Decoding of UTF-8, with or without a byte order mark."""

from __future__ import annotations

import codecs
import re

from fallline.vocabulary.errors import UnusableTable

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters other than tabs and line ends, line separators, bidirectional controls.

Invisible joiners and marks such as U+200B and U+200E come with copied text: `cells.display_text` drops them.
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
