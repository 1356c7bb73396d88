"""Whose turn it is: deficit round robin over measured cost (Shreedhar and Varghese, 1996).

Everybody in the queue is given the same number of seconds a round and may spend them in slices; who overdrew pays back
before the next turn. Told what a turn cost; must not know what a turn does.
"""

from __future__ import annotations

from collections import deque


class DeficitRoundRobin:
    """A queue of keys with equal shares of time. `quantum` is in seconds."""

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._queue: deque[str] = deque()
        self._credit: dict[str, float] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._credit

    def __len__(self) -> int:
        return len(self._queue)

    def join(self, key: str) -> None:
        """Take part from now on, without credit or debt."""
        if key not in self._credit:
            self._credit[key] = 0.0
            self._queue.append(key)

    def leave(self, key: str) -> None:
        """Take part no longer; what was saved or owed is forgotten."""
        if self._credit.pop(key, None) is not None:
            self._queue.remove(key)

    def next(self) -> tuple[str, float]:
        """Whose turn it is, and how many seconds they may spend. The queue must not be empty."""
        while True:
            key = self._queue[0]
            self._queue.rotate(-1)
            # What is left of a turn, less than a step, is kept for the next; but nobody saves up for a long one.
            self._credit[key] = min(self._credit[key] + self._quantum, 2 * self._quantum)
            if self._credit[key] > 0:
                return key, self._credit[key]

    def charge(self, key: str, cost: float) -> None:
        """The turn took `cost` seconds."""
        if key in self._credit:
            self._credit[key] -= cost
