"""Bytes of the messages that wait to go out on one socket, whichever experiment they are of."""

from __future__ import annotations

MOST_BYTES = 128 * 1024


class Unsent:
    """Bytes of all events, answers and replies of one socket. One message alone may weigh more."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._messages = 0
        self._most = most

    def add(self, weight: int) -> bool:
        """One message more. Is that still within the bound?"""
        self.bytes += weight
        self._messages += 1
        return self.bytes <= self._most or self._messages == 1

    def remove(self, weight: int) -> None:
        """One message less."""
        self.bytes -= weight
        self._messages -= 1
