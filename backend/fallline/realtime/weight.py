"""About how many bytes a message has as JSON, without making the text."""

from __future__ import annotations

from typing import Any


def weight_of(message: Any) -> int:
    """Bytes, about: a number counts 8, a text its characters, and each value 4 for what stands around it."""
    match message:
        case str():
            return 4 + len(message)
        case dict():
            return 4 + sum(4 + len(str(key)) + weight_of(value) for key, value in message.items())
        case list() | tuple():
            return 4 + sum(map(weight_of, message))
        case _:
            return 12
