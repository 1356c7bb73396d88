"""Exported files on their way to their readers: a bounded number, in fair turns of the shares.

A file takes up to 5 MB of memory until its reader has all of it, so slow readers must not hold them all. Owns the
places, how long a request waits for one, and which slow reader is cut when others wait. On the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from fallline.services.fair_slots import QUANTUM, FairSlots
from fallline.vocabulary.errors import TooManyRequests, Unavailable

WAIT_SECONDS = 20.0
"""How long a request waits for a place."""

MOST_WAITING, FEWEST_WAITING = 1_000, 32
"""Requests that may wait, and those that every share may have waiting."""

SLOW_SECONDS = 60.0
"""How long a download goes on undisturbed, however slow its reader is."""

RETRY_SECONDS = 5.0


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
    """At most `most` files at the same time. A share has at most half of those that the others leave, or one."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._slots = FairSlots(most, leaves_some=True)
        self._clock = clock
        self._waiting = Counter[str]()
        self._running: dict[Download, None] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def enter(self, share: str) -> Download:
        """Wait for a place. Raises TooManyRequests and Unavailable."""
        own = self._waiting[share]
        if own >= max((MOST_WAITING - self._waiting.total() + own) // 2, FEWEST_WAITING):
            raise TooManyRequests(f"{own} exports already wait: retry later", RETRY_SECONDS)
        self._waiting[share] += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._slots.acquire(share)
        except TimeoutError:
            self._cut_slowest()
            raise Unavailable("too many files are being exported: retry later", RETRY_SECONDS) from None
        finally:
            self._waiting[share] -= 1
            if not self._waiting[share]:
                del self._waiting[share]
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
