"""New experiments and uploads that nobody uses: how many a share may make.

A class that opens the page uses what it creates within seconds, so it never comes near the limit. A loop that only
creates does. Owns the counts; callers know what a use is, and pass the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fallline.realtime.limits import Budgets
from fallline.vocabulary.errors import TooManyRequests

COUNTED_SECONDS = 600.0
"""How long an unused creation counts, about."""


class Creations:
    """At most `most` creations of a share in ten minutes that nobody uses."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._budgets = Budgets(most / COUNTED_SECONDS, most)

    @contextmanager
    def counted(self, share: str, now: float, *costly: type[Exception]) -> Iterator[None]:
        """Count a creation of this share, unless it fails. Raises TooManyRequests.

        Failures of the types `costly` count too: they take the server as much time as a success.
        """
        budget = self._budgets.of(share, now)
        if not budget.take(now):
            raise TooManyRequests(
                f"{self._most:,} new experiments and uploads in 10 minutes were not used: step or watch an experiment, "
                "and create experiments from the uploads",
                budget.seconds_to_next(now),
            )
        try:
            yield
        except costly:
            raise
        except BaseException:
            budget.give_back()
            raise

    def used(self, share: str) -> None:
        """Stop counting one creation of this share."""
        if (budget := self._budgets.known(share)) is not None:
            budget.give_back()
