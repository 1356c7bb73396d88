"""Answers as they are kept: many, seldom read, and much alike. Must not know what they say."""

from __future__ import annotations

import json
import zlib

from fallline.vocabulary.journal import Json


def packed(answer: Json) -> bytes:
    """The answer as few bytes."""
    return zlib.compress(json.dumps(answer, separators=(",", ":")).encode(), level=1)


def unpacked(data: bytes) -> Json:
    """The answer, equal to what was packed."""
    answer: Json = json.loads(zlib.decompress(data))
    return answer
