"""What examining a run may take of the time that training could have. Must not know what is examined."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.05
"""Of the time that training computes, examining beside it may take no more."""

SAVED_SECONDS = 0.3
"""What is not spent may be saved for something costly, but no more of it: a burst would be felt."""


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
