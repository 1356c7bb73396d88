"""Checksums of rows, so that a damaged row is noticed. Must not know the meaning of a row.

They are stored, so the method never changes.
"""

from __future__ import annotations

import struct
import zlib

Value = str | bytes | float | None


def checksum(*values: Value) -> int:
    """CRC-32 of these values, each with its kind and its length."""
    found = 0
    for value in values:
        kind, data = _as_bytes(value)
        found = zlib.crc32(data, zlib.crc32(kind + struct.pack("<q", len(data)), found))
    return found


def _as_bytes(value: Value) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"n", b""
        case str():
            return b"t", value.encode("utf-8", "surrogateescape")
        case bytes():
            return b"b", value
        case _:
            return b"r", struct.pack("<d", value)


def as_text(data: bytes) -> str:
    """Text of a database, which damage may have made no UTF-8: the bytes can be had again of it."""
    return data.decode("utf-8", "surrogateescape")
