"""Compression of stored answers, which are many, similar, and rarely read."""

from __future__ import annotations

import json
import zlib

from fallline.vocabulary.journal import Json


def packed(answer: Json) -> bytes:
    """Compress an answer."""
    return zlib.compress(json.dumps(answer, separators=(",", ":")).encode(), level=1)


def unpacked(data: bytes) -> Json:
    """Return the answer from its compressed form."""
    answer: Json = json.loads(zlib.decompress(data))
    return answer
