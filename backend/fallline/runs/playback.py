"""Play at a set speed: how many ticks are due, and when the next one is.

At pace `steps` a tick is one step of every run. At pace `samples` it is one step of the run with the smallest batch,
and the others follow in samples taken. Receives the time; never reads a clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

DEBT_SECONDS = 0.25
"""Most play time that a slow machine catches up on; the rest is dropped."""

WAKE_SECONDS = 1 / 30
"""Least interval between two wake-ups at a fast pace: one frame of a display."""


@dataclass(slots=True)
class Playback:
    """Play since `since` (seconds) at `speed` ticks a second, or None: full speed."""

    speed: float | None
    pace: str
    since: float
    ticks: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    """Samples that each run has taken since play began (pace `samples`)."""

    def due(self, now: float) -> float:
        """Return the ticks that are due; infinity at full speed."""
        if self.speed is None:
            return math.inf
        due = math.floor(self.speed * (now - self.since) + 1e-9) - self.ticks
        debt = max(math.ceil(self.speed * DEBT_SECONDS), 1)
        if due > debt:
            self.since += (due - debt) / self.speed
            due = debt
        return due

    def wake_at(self, now: float) -> float:
        """Return the time of the next work."""
        if self.speed is None or self.due(now) > 0:
            return now
        return max(self.since + (self.ticks + 1) / self.speed, now + WAKE_SECONDS)
