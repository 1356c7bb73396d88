"""What one experiment has to say, in order, and held back until it is written down. Used on the event loop only.

Must not know what is said, to whom, or where it is written down.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fallline.vocabulary.errors import ReadOnly


def _nothing(error: Exception) -> None:
    return


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something to be done on the event loop, and what is done instead where it must not be said."""

    do: Callable[[], None]
    fail: Callable[[Exception], None] = _nothing


class DeliveryQueue:
    """The deliveries of one open experiment."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[object | None, list[Delivery]]] = deque()
        self._settled: set[object] = set()
        self._is_broken = False

    def take(self, deliveries: list[Delivery], ticket: object | None = None) -> None:
        """Do these after those taken before; with a `ticket`, not before it is settled."""
        self._waiting.append((ticket, deliveries))
        self._go_on()

    def settle(self, ticket: object, *, stored: bool) -> None:
        """What the ticket stands for is stored, or could not be: then nothing that comes after is said either."""
        self._settled.add(ticket)
        self._is_broken = self._is_broken or not stored
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting:
            ticket, deliveries = self._waiting[0]
            if not self._is_broken and ticket is not None and ticket not in self._settled:
                return
            self._settled.discard(ticket)
            self._waiting.popleft()
            for delivery in deliveries:
                if self._is_broken:
                    delivery.fail(ReadOnly())
                else:
                    delivery.do()
