"""How much a visitor may ask: a bucket of permits that fills at a steady rate. Told the time, reads no clock."""

from __future__ import annotations


class Budget:
    """`burst` permits at first; they come back at `rate` a second."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float, permits: float = 1.0) -> bool:
        """Use one permit, or so many, if there are as many."""
        self._refill(now)
        if self._left < permits:
            return False
        self._left -= permits
        return True

    def is_full(self, now: float) -> bool:
        """Whether nothing has been used of late."""
        self._refill(now)
        return self._left >= self._burst

    def seconds_to_next(self, now: float) -> float:
        """How long until there is a permit."""
        self._refill(now)
        return max(0.0, (1 - self._left) / self._rate)

    def _refill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
