"""Exported files on their way to their readers: a bounded number, in fair turns of the shares.

A file takes memory until its reader has all of it, so slow readers must not hold them all. A whole file takes up to
15 MB. A history goes out in pieces, from a copy of up to 12 MB for each run that is not sent yet: all of one moment.
Owns the places, how long a request waits for one, and which slow reader is cut when others wait. On the event loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from fallline.services.fair_slots import QUANTUM, RETRY_SECONDS, FairSlots, WaitingRequests
from fallline.vocabulary.errors import Unavailable

WAIT_SECONDS = 20.0
"""How long a request waits for a place."""

SLOW_SECONDS = 60.0
"""How long a download goes on undisturbed, however slow its reader is."""


class Download:
    """A place of one file. `cut` ends its response before its end."""

    def __init__(self, share: str, began: float, leave: Callable[[Download], None]) -> None:
        self.share = share
        self.began = began
        self.cut: Callable[[], None] = lambda: None
        self._leave = leave

    def leave(self) -> None:
        """Give the place back. Repeats have no effect."""
        self._leave(self)


class Downloads:
    """At most `most` files at the same time. A share has at most half of the files that the others leave, or one."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._slots = FairSlots(most)
        self._clock = clock
        self._waiting = WaitingRequests("exports")
        self._running: dict[Download, None] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def enter(self, share: str) -> Download:
        """Wait for a place. Raises TooManyRequests and Unavailable."""
        with self._waiting.one(share):
            full = Unavailable("too many files are being exported: retry later", RETRY_SECONDS)
            try:
                await self._slots.acquire_within(WAIT_SECONDS, share, full)
            except Unavailable:
                self._cut_slowest()
                raise
        one = Download(share, self._clock(), self._left)
        self._running[one] = None
        return one

    def _left(self, one: Download) -> None:
        if one in self._running:
            del self._running[one]
            self._slots.release(one.share, QUANTUM)  # every file counts alike: a slow network is no cost

    def _cut_slowest(self) -> None:
        """Cut the oldest download of the share with the most, if all places are in use and it is slow."""
        if self._slots.free or not self._running:
            return
        crowd = Counter(one.share for one in self._running).most_common(1)[0][0]
        oldest = next(one for one in self._running if one.share == crowd)
        if self._clock() - oldest.began >= SLOW_SECONDS:
            oldest.cut()
