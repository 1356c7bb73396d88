"""The clock of ages: seconds that servers of one store have run.

It is independent of the machine's clock. A wrong machine clock makes no experiment older.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from fallline.storage.interface import Moment

DAY = 86_400.0

JUMP_SECONDS = 3600.0
"""A larger difference of the machine's clock is logged."""

_log = logging.getLogger(__name__)


class AgeClock:
    """Seconds that servers of one store have run.

    `clock` gives seconds, `today` those since 1970.

    A gap counts for at most `most_gap` seconds: a stopped server or a sleeping machine cannot check the machine's
    clock.
    """

    def __init__(self, clock: Callable[[], float], today: Callable[[], float], most_gap: float = DAY) -> None:
        self._clock, self._today, self._most_gap = clock, today, most_gap
        self._lock = threading.Lock()
        self._total, self._read_at, self._offset = 0.0, clock(), today() - clock()

    def now(self) -> float:
        """Return the seconds so far. They never decrease."""
        with self._lock:
            now = self._clock()
            self._total += min(max(now - self._read_at, 0.0), self._most_gap)
            self._read_at = now
            return self._total

    def moment(self) -> Moment:
        """Return the present time on both clocks."""
        return Moment(self._today(), self.now())

    def moment_of(self, seconds: float) -> Moment:
        """Return the time on both clocks when this one showed so many seconds."""
        now = self.moment()
        return Moment(now.at - (now.seen - seconds), seconds)

    def resume(self, marked: Moment | None) -> None:
        """Continue from the last stored time; None for a new store."""
        if marked is None:
            return
        gap = self._today() - marked.at
        counted = min(max(gap, 0.0), self._most_gap)
        with self._lock:
            self._total += marked.seen + counted
        if gap - counted > JUMP_SECONDS or gap < -JUMP_SECONDS:
            _log.warning(
                "this machine's clock differs by %+.1f days from the last use of the data folder: experiments age by "
                "%.1f days, and none is deleted for the rest",
                gap / DAY,
                counted / DAY,
            )

    def check_clock(self) -> None:
        """Log once if the machine's clock has jumped. Ages do not follow it."""
        offset = self._today() - self._clock()
        if abs(jump := offset - self._offset) > JUMP_SECONDS:
            _log.warning(
                "this machine's clock jumped by %+.1f days: experiments do not age by it", jump / DAY
            )
            self._offset = offset
