"""A rate limit as a token bucket: permits that return at a steady rate."""

from __future__ import annotations


class Budget:
    """`burst` permits at first; they return at `rate` permits a second."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float, permits: float = 1.0) -> bool:
        """Use this many permits. Return False, and use none, if fewer are left."""
        self._refill(now)
        if self._left < permits:
            return False
        self._left -= permits
        return True

    def is_full(self, now: float) -> bool:
        """Return whether all permits are there."""
        self._refill(now)
        return self._left >= self._burst

    def seconds_to_next(self, now: float) -> float:
        """Return the seconds until a permit is available."""
        self._refill(now)
        return max(0.0, (1 - self._left) / self._rate)

    def _refill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
