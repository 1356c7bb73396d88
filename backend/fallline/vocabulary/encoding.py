"""Encodings of arrays: a column as JSON list, in Plotly's binary form, or as CSV; and arrays with a header as bytes.

The bytes are stored: a checksum, a JSON header, then the arrays. The checksum detects a flipped bit, which disks and
databases may miss.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import zlib
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

_INT32 = np.iinfo(np.int32)


def finite_or_none(value: float) -> float | None:
    """Return the number, or None if it is not finite, which JSON cannot hold."""
    return value if math.isfinite(value) else None


def nullable_rows(values: NDArray[np.float64]) -> list[list[float | None]]:
    """Return the rows of (n, m) as lists, NaN as None; fast for rows without it."""
    rows: list[list[float | None]] = values.tolist()
    missing = np.isnan(values)
    for row in np.flatnonzero(missing.any(axis=1)):
        boxed = values[row].astype(object)
        boxed[missing[row]] = None
        rows[row] = boxed.tolist()
    return rows


def float_column(column: NDArray[np.float64]) -> dict[str, str]:
    """Encode as Plotly's typed array of float64, little-endian; NaN stays NaN."""
    return _typed("f8", np.ascontiguousarray(column, "<f8"))


def _typed(dtype: str, values: NDArray[Any]) -> dict[str, str]:
    return {"dtype": dtype, "bdata": base64.b64encode(values.data).decode("ascii")}


def float_columns(rows: NDArray[np.float64]) -> list[dict[str, str]]:
    """Encode each row of (n, m) as `float_column` does, with few calls for each."""
    size = 8 * rows.shape[1]
    if not rows.size:
        return [float_column(row) for row in rows]
    data = np.ascontiguousarray(rows, "<f8").data.cast("B")
    return [
        {"dtype": "f8", "bdata": b2a_base64(data[at : at + size], newline=False).decode("ascii")}
        for at in range(0, len(data), size)
    ]


def integer_column(column: NDArray[np.int64]) -> dict[str, str]:
    """Encode as Plotly's typed array of int32, or float64 (exact to 2**53) if needed."""
    if len(column) and (column.max() > _INT32.max or column.min() < _INT32.min):
        return float_column(column.astype(np.float64))
    return _typed("i4", column.astype("<i4"))


def array_of(values: NDArray[np.uint8] | NDArray[np.float32]) -> dict[str, str]:
    """Encode as Plotly's typed array of bytes or float32, with a matrix's shape.

    It is for values to look at, not to compute with.
    """
    dtype, little = values.dtype, np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    encoded = _typed(f"{dtype.kind}{dtype.itemsize}", little)
    return encoded if values.ndim == 1 else {**encoded, "shape": ", ".join(map(str, values.shape))}


def drawn_column(column: NDArray[np.float64]) -> dict[str, str]:
    """Encode values to look at: as float32, or as float64 if one is too large for it."""
    with np.errstate(over="ignore"):
        short = column.astype(np.float32)
    if (np.isinf(short) & np.isfinite(column)).any():
        return float_column(column)
    return array_of(short)


def weight_of(message: Any) -> int:
    """Estimate the bytes: 8 for a number, the length of a text, 4 around each."""
    match message:
        case str():
            return 4 + len(message)
        case dict():
            return 4 + sum(4 + len(str(key)) + weight_of(value) for key, value in message.items())
        case list() | tuple():
            return 4 + sum(map(weight_of, message))
        case _:
            return 12


CELLS_AT_ONCE = 4_000
"""Cells of a CSV that one call writes. It holds the interpreter lock, for some 4 ms."""


def csv_table(columns: Mapping[str, Iterable[object]]) -> str:
    """Write a CSV of equally long columns; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    rows = zip(*columns.values(), strict=True)
    rows_at_once = max(CELLS_AT_ONCE // len(columns), 1)
    while some := list(islice(rows, rows_at_once)):
        writer.writerows(some)
    return text.getvalue()


# ---------------------------------------------------------------------- packing

About = dict[str, Any]
Arrays = dict[str, NDArray[Any]]

_NUMBER = 4


class Damaged(ValueError):
    """Bytes that differ from the packed ones."""


def pack(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Pack arrays and `about`, plain JSON, into bytes that any machine can unpack."""
    little = {
        name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in arrays.items()
    }
    layout = [[name, array.dtype.str, array.shape] for name, array in little.items()]
    header = json.dumps([about, layout]).encode()
    body = b"".join([_number(len(header)), header, *(array.tobytes() for array in little.values())])
    return _number(zlib.crc32(body)) + body


def unpack(data: bytes, *, copy: bool = True) -> tuple[About, Arrays]:
    """Return the packed header and arrays. They are writable, or without `copy` views of the data. Raises Damaged."""
    if len(data) < 2 * _NUMBER or _read(data, 0) != zlib.crc32(memoryview(data)[_NUMBER:]):
        raise Damaged("the checksum does not match")
    place = 2 * _NUMBER + _read(data, _NUMBER)
    about, layout = json.loads(data[2 * _NUMBER : place])
    arrays: Arrays = {}
    for name, dtype, shape in layout:
        little = np.frombuffer(data, dtype, math.prod(shape), place).reshape(shape)
        arrays[name] = little.astype(little.dtype.newbyteorder("="), copy=copy)
        place += little.nbytes
    return about, arrays


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER, "little")


def _read(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + _NUMBER], "little")
