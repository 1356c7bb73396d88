"""A memory budget that the checkpoints of all experiments share, over all threads."""

from __future__ import annotations

import threading
from weakref import WeakSet

from fallline.runs.past.checkpoints import Checkpoints


class SharedBudget:
    """A number of bytes for all holders. A deleted holder no longer counts.

    One holder gets at most half of what the others leave, so no run can take all of it. A holder above its present
    share drops states when it stores the next one.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._holders: WeakSet[Checkpoints] = WeakSet()
        self._lock = threading.Lock()

    def register(self, holder: Checkpoints) -> None:
        """Count this holder's bytes until it is deleted."""
        with self._lock:
            self._holders.add(holder)

    def available_to(self, holder: Checkpoints) -> int:
        """Return the bytes for this holder: half of what the others leave."""
        with self._lock:
            others = sum(each.bytes_beyond for each in self._holders if each is not holder)
        return max(self._most_bytes - others, 0) // 2
