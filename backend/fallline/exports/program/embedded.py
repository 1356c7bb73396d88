"""Tables that a program contains: the lines that hold one, and the functions that read them there."""

from __future__ import annotations

import base64
import io
import zlib
from textwrap import fill

import numpy as np

from fallline.exports.program.steps import LONG
from fallline.vocabulary.arrays import Array

MOST_WRITTEN_OUT = 60_000
"""Longest table that a program contains as readable text, in characters. A longer one is compressed."""


def unpacked(text: str, columns: int) -> Array:
    """Return a table of compressed 8-byte numbers."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<f8").reshape(-1, columns)


def written_out(text: str) -> Array:
    """Return a table from text with one line per row."""
    return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)


def embedded_table(table: Array) -> str:
    """Return lines that define `table`."""
    text = "\n".join(",".join(map(_shortest, row)) for row in table.tolist())
    if len(text) <= MOST_WRITTEN_OUT:
        return f'SAMPLES = """\n{text}\n"""\ntable = written_out(SAMPLES)'
    return f'SAMPLES = """\n{_packed(table)}\n"""\ntable = unpacked(SAMPLES, columns={table.shape[1]})'


def embedded_start(initial: Array) -> str:
    """Return lines that define `begin`, which sets uploaded initial parameters."""
    text = fill(" ".join(map(_shortest, initial.tolist())), LONG)
    numbers = "START.split()"
    if len(text) > MOST_WRITTEN_OUT:
        text, numbers = _packed(initial), "unpacked(START, columns=1).ravel()"
    return f'''START = """
{text}
"""

def begin():
    """Set the initial parameters, which were uploaded."""
    P[:] = np.array({numbers}, float)'''


def _packed(numbers: Array) -> str:
    """Compress numbers into lines of text."""
    packed = base64.b64encode(zlib.compress(numbers.astype("<f8").tobytes(), 9)).decode()
    return "\n".join(packed[start : start + LONG] for start in range(0, len(packed), LONG))


def _shortest(number: float) -> str:
    return repr(number).removesuffix(".0")
