"""Arrays and a JSON header as bytes: the storage format of states and histories.

It has a checksum, the header, then the arrays. The checksum detects a flipped bit, which disks and databases may miss.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def unpack(data: bytes) -> tuple[About, Arrays]:
    """Return the packed header and arrays, which are writable. Raises Damaged."""
    if len(data) < 2 * _NUMBER or _read(data, 0) != zlib.crc32(memoryview(data)[_NUMBER:]):
        raise Damaged("the checksum does not match")
    place = 2 * _NUMBER + _read(data, _NUMBER)
    about, layout = json.loads(data[2 * _NUMBER : place])
    arrays: Arrays = {}
    for name, dtype, shape in layout:
        count = int(np.prod(shape, dtype=np.int64))
        little = np.frombuffer(data, dtype, count, place).reshape(shape)
        arrays[name] = little.astype(little.dtype.newbyteorder("="))
        place += little.nbytes
    return about, arrays


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER, "little")


def _read(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + _NUMBER], "little")
