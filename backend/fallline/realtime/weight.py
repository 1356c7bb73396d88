"""An estimate of how many bytes a message has as JSON, without encoding it."""

from __future__ import annotations

from typing import Any


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
