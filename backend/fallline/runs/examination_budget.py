"""The time that examinations may take from training."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.025
"""Share of the training time that examinations may take: half of the 5 % by which viewing a run may slow it, since
instruments use the other half.
"""

SAVED_SECONDS = 0.3
"""Most time that can be saved up for an expensive check: a longer pause would be noticed."""

PERIOD_SECONDS = 20.0
"""Shortest computing time over which waits are reported: in less, one expensive check is a large share."""


@dataclass(slots=True)
class ExaminationBudget:
    """Seconds that examinations of a run may take at full speed.

    `left` is the unspent part; below 0 it is a debt, which the run earns back first.
    """

    left: float = 0.0
    spent: float = 0.0

    def earn(self, seconds: float) -> None:
        """Add the share of so much training time."""
        self.left = min(self.left + SHARE * seconds, SAVED_SECONDS)

    def affords(self, seconds: float) -> bool:
        """True if it covers this cost; a full budget covers every cost."""
        return self.left >= min(seconds, SAVED_SECONDS)

    def spend(self, seconds: float) -> None:
        self.left -= seconds
        self.spent += seconds


@dataclass(slots=True)
class RecentWaits:
    """How long training waited in the last one or two periods."""

    _computed: float = 0.0
    _waited: float = 0.0
    _before: tuple[float, float] = (0.0, 0.0)

    @property
    def computed(self) -> float:
        return self._before[0] + self._computed

    @property
    def waited(self) -> float:
        return self._before[1] + self._waited

    def add_computing(self, seconds: float) -> None:
        if self._computed >= PERIOD_SECONDS:
            self._before = (self._computed, self._waited)
            self._computed = self._waited = 0.0
        self._computed += seconds

    def add_wait(self, seconds: float) -> None:
        self._waited += seconds
