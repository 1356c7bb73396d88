"""Bytes of the messages that wait to be sent on one socket, over all experiments."""

from __future__ import annotations

from typing import Any

MOST_BYTES = 128 * 1024


class Unsent:
    """Bytes of all unsent messages of one socket. A single one may exceed the limit."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._messages = 0
        self._most = most

    def add(self, weight: int) -> bool:
        """Count one message more. Return whether the limit still holds."""
        self.bytes += weight
        self._messages += 1
        return self.bytes <= self._most or self._messages == 1

    def remove(self, weight: int) -> None:
        """Count one message less."""
        self.bytes -= weight
        self._messages -= 1


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
