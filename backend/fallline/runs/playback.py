"""Playing at a speed: how many ticks are due, and when there will be something to do again.

A tick is one step of every run (pace `steps`), or one step of the run with the smallest batch, which the others follow
in samples paid for (pace `samples`). Told the time; never reads a clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

DEBT_SECONDS = 0.25
"""A machine that cannot keep up owes at most this much; the rest is forgotten instead of being made up in a rush."""

WAKE_SECONDS = 1 / 30
"""Steps of a fast pace are made in portions this far apart: nobody sees finer, and waking up has a cost."""


@dataclass(slots=True)
class Playback:
    """A pace asked for at `since` (seconds). `speed` is in ticks per second, or None for as fast as it goes."""

    speed: float | None
    pace: str
    since: float
    made: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    """Samples that each run has paid for since play began (pace `samples`)."""

    def due(self, now: float) -> float:
        """Ticks that are due; infinity without a speed limit."""
        if self.speed is None:
            return math.inf
        due = math.floor(self.speed * (now - self.since) + 1e-9) - self.made
        debt = max(math.ceil(self.speed * DEBT_SECONDS), 1)
        if due > debt:
            self.since += (due - debt) / self.speed
            due = debt
        return due

    def wake_at(self, now: float) -> float:
        """When to come back: at once if ticks are due, else at the next tick, but not more often than people see."""
        if self.speed is None or self.due(now) > 0:
            return now
        return max(self.since + (self.made + 1) / self.speed, now + WAKE_SECONDS)
