"""How much the line of one reader takes, from the times in which its frames are acknowledged.

On a line that is full, frames wait behind each other and are old when they arrive. There one frame is on its way, and
it is small. Takes the time as an argument.
"""

from __future__ import annotations

import math
from collections import deque

WAITS_SECONDS, FLOWS_SECONDS = 0.4, 0.15
"""Above the first, an acknowledgement that comes so much later than the fastest one means a full line. Below the
second, the line has room again.
"""

LATE_IN_A_ROW, VERY_LATE_SECONDS = 3, 1.0
"""The first late acknowledgement stops frames from growing. So many in a row, or one that is very late, halve them, or
more: down to what the line took in `WAITS_SECONDS`. A reader that was busy for a moment sends two at once: one for each
frame on its way.
"""

LEAST_BYTES, USUAL_BYTES, MOST_BYTES = 1_024, 8_192, 1 << 20
"""Bounds on the size of one frame; the last is no limit."""

SHRINKS, GROWS = 0.5, 1.25
"""Factors of these bytes after a late acknowledgement, and after one in time."""


class LinePace:
    """The bytes that a frame of one reader may have, and whether two of them may be on their way.

    The fastest acknowledgement shows how far away the reader is. Only the time on top of it is due to the line.
    """

    def __init__(self) -> None:
        self.most_bytes = MOST_BYTES
        self.is_slow = False
        self._sent: deque[tuple[int, int, float]] = deque()
        self._fastest = math.inf
        self._late = 0
        self._before = MOST_BYTES
        """`most_bytes` before the first late acknowledgement in a row."""
        self._learned_at = -math.inf

    def sent(self, number: int, size: int, now: float) -> None:
        """Note a frame of about `size` bytes that goes out."""
        self._sent.append((number, size, now))

    def is_waiting(self, now: float) -> bool:
        """Return whether the oldest frame on its way is late already: another one would wait behind it."""
        return bool(self._sent) and now - self._sent[0][2] > self._fastest + WAITS_SECONDS

    def acknowledged(self, number: int, now: float) -> None:
        """Learn from the time that this frame took. Frames before it count with it."""
        frames = 0
        while self._sent and self._sent[0][0] <= number:
            frame, size, at = self._sent.popleft()
            frames += 1
            if frame == number:
                follows = self._late == 1 and now - self._learned_at < FLOWS_SECONDS
                self._learn(size, now - at, at_once=frames > 1 or follows)
                self._learned_at = now

    def _learn(self, size: int, seconds: float, *, at_once: bool) -> None:
        """Learn from a frame; `at_once` means that it was acknowledged with the one before."""
        self._fastest = min(self._fastest, seconds)
        late = seconds - self._fastest
        row = self._late
        self._late = row + 1 if late > WAITS_SECONDS else 0
        if self._late:
            self.is_slow = True
            self._narrow(size, late)
        elif late < FLOWS_SECONDS:
            self.is_slow = False
            self.most_bytes = min(int(GROWS * self.most_bytes), MOST_BYTES)
        if at_once and 1 in (row, self._late) and late <= VERY_LATE_SECONDS:
            # They waited for the reader, not for the line.
            self.most_bytes = max(self.most_bytes, self._before)

    def _narrow(self, size: int, late: float) -> None:
        """Limit the next frame after a late acknowledgement."""
        if self._late == 1:
            self._before = self.most_bytes
        if late > VERY_LATE_SECONDS or self._late >= LATE_IN_A_ROW:
            in_time = size * WAITS_SECONDS / late
            self.most_bytes = max(int(min(SHRINKS * min(size, self.most_bytes), in_time)), LEAST_BYTES)
        elif self._late == 1:
            # The next frame has all steps made meanwhile: whole, it would be late by several seconds on a full line.
            self.most_bytes = min(self.most_bytes, max(size, USUAL_BYTES))
