"""The age of stored experiments: seconds that servers of the store have run, independent of the machine's clock.

A clock that is set ahead, or was wrong for weeks, makes nothing older. Must not know what is stored, or who deletes it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from fallline.storage.interface import Moment

DAY = 86_400.0

JUMP_SECONDS = 3600.0
"""A clock that differs by more is logged."""

_log = logging.getLogger(__name__)


class SeenTime:
    """Seconds that servers of one store have seen pass. `clock` gives seconds, `today` those since 1970.

    A gap counts for at most `most_gap` seconds. A stopped server and a sleeping machine see no time pass, so nobody
    knows if the clock is right.
    """

    def __init__(self, clock: Callable[[], float], today: Callable[[], float], most_gap: float = DAY) -> None:
        self._clock, self._today, self._most_gap = clock, today, most_gap
        self._lock = threading.Lock()
        self._seen, self._read, self._offset = 0.0, clock(), today() - clock()

    def now(self) -> float:
        """Seconds seen so far; never less than before."""
        with self._lock:
            now = self._clock()
            self._seen += min(max(now - self._read, 0.0), self._most_gap)
            self._read = now
            return self._seen

    def moment(self) -> Moment:
        """Now, by both ways of counting."""
        return Moment(self._today(), self.now())

    def moment_of(self, seen: float) -> Moment:
        """When so much had been seen."""
        now = self.moment()
        return Moment(now.at - (now.seen - seen), seen)

    def resume(self, marked: Moment | None) -> None:
        """Go on from the last moment that is stored; None where there is none."""
        if marked is None:
            return
        gap = self._today() - marked.at
        counted = min(max(gap, 0.0), self._most_gap)
        with self._lock:
            self._seen += marked.seen + counted
        if gap - counted > JUMP_SECONDS or gap < -JUMP_SECONDS:
            _log.warning(
                "this machine's clock differs by %+.1f days from when a server last used what is stored: experiments "
                "age by %.1f days, and none is deleted for the rest",
                gap / DAY,
                counted / DAY,
            )

    def check_clock(self) -> None:
        """Log it, once, when the machine's clock has jumped since the last time. Ages do not follow."""
        offset = self._today() - self._clock()
        if abs(jump := offset - self._offset) > JUMP_SECONDS:
            _log.warning(
                "this machine's clock jumped by %+.1f days: experiments do not age by it", jump / DAY
            )
            self._offset = offset
