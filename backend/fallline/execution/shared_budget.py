"""Memory that the checkpoints of all experiments share, whichever thread trains them. Must not know what they hold."""

from __future__ import annotations

import threading
from weakref import WeakSet

from fallline.runs.checkpoints import Checkpoints


class SharedBudget:
    """So many bytes for all together. Nobody has to give back: what nobody has any more does not count.

    One may hold as much as it leaves to others at least, so that no run, however long it trains or lies about, takes
    all of it. One that holds more than has become its share gives way when it next keeps a state.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._holders: WeakSet[Checkpoints] = WeakSet()
        self._lock = threading.Lock()

    def enter(self, holder: Checkpoints) -> None:
        """From here on what this one holds counts, until nobody has it any more."""
        with self._lock:
            self._holders.add(holder)

    def left_to(self, holder: Checkpoints) -> int:
        """Bytes that this one may hold beyond what it may hold anyway: half of what the others leave."""
        with self._lock:
            others = sum(each.bytes_beyond for each in self._holders if each is not holder)
        return max(self._most_bytes - others, 0) // 2
