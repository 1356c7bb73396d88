"""What examining a run may take of the time that training could have, and what it has taken. Must not know what is
examined.
"""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.025
"""Of the time that training computes, examining beside it may take no more: half of the 5 % by which looking at runs
may slow them, since instruments take their part beside it.
"""

SAVED_SECONDS = 0.3
"""What is not spent may be saved for something costly, but no more of it: a burst would be felt."""

PERIOD_SECONDS = 20.0
"""Computing time of which is told how long training waited, at least: in less, something costly that was saved for, or
one slow look, is a large share.
"""


@dataclass(slots=True)
class Allowance:
    """Seconds that examining a run may take while it trains as fast as it can, counted from the start of the run.

    `left` is what has been earned and not spent; below 0 it is owed, and has to be earned before the next one.
    """

    left: float = 0.0
    spent: float = 0.0

    def earn(self, seconds: float) -> None:
        """Training has computed for so long."""
        self.left = min(self.left + SHARE * seconds, SAVED_SECONDS)

    def bears(self, seconds: float) -> bool:
        """Whether something may be done that is expected to take so long. What takes more than can be saved waits
        until as much as that is.
        """
        return self.left >= min(seconds, SAVED_SECONDS)

    def spend(self, seconds: float) -> None:
        self.left -= seconds
        self.spent += seconds


@dataclass(slots=True)
class Lately:
    """How long training waited, of the last one or two periods that it computed; of all that it did, before that."""

    _computed: float = 0.0
    _waited: float = 0.0
    _before: tuple[float, float] = (0.0, 0.0)

    @property
    def computed(self) -> float:
        return self._before[0] + self._computed

    @property
    def waited(self) -> float:
        return self._before[1] + self._waited

    def computes(self, seconds: float) -> None:
        if self._computed >= PERIOD_SECONDS:
            self._before = (self._computed, self._waited)
            self._computed = self._waited = 0.0
        self._computed += seconds

    def waits(self, seconds: float) -> None:
        self._waited += seconds
