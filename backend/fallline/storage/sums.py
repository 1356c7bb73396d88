"""Checksums of rows, to detect damage, and the compression of answers. Both are stored: the methods never change."""

from __future__ import annotations

import json
import struct
import zlib

from fallline.vocabulary.journal import Json

Value = str | bytes | float | None


def checksum(*values: Value) -> int:
    """Return the CRC-32 of these values, each with its kind and its length."""
    crc = 0
    for value in values:
        kind, data = _as_bytes(value)
        crc = zlib.crc32(data, zlib.crc32(kind + struct.pack("<q", len(data)), crc))
    return crc


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
    """Decode text of a database, keeping the bytes that damage has made invalid UTF-8."""
    return data.decode("utf-8", "surrogateescape")


# ---------------------------------------------------------------------- answers


def packed(answer: Json) -> bytes:
    """Compress an answer."""
    return zlib.compress(json.dumps(answer, separators=(",", ":")).encode(), level=1)


def unpacked(data: bytes) -> Json:
    """Return the answer from its compressed form."""
    answer: Json = json.loads(zlib.decompress(data))
    return answer
