"""Limits: token buckets for readers, tokens and refusals, and the bytes that wait to be sent to a reader."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from fallline.vocabulary.errors import TooManyRequests


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

    def give_back(self) -> None:
        """Return a permit, up to the burst."""
        self._left = min(self._burst, self._left + 1.0)

    def is_full(self, now: float) -> bool:
        self._refill(now)
        return self._left >= self._burst

    def seconds_to_next(self, now: float) -> float:
        """Return the seconds until a permit is available."""
        self._refill(now)
        return max(0.0, (1 - self._left) / self._rate)

    def _refill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now


MOST_REMEMBERED = 10_000
"""Names whose rate is remembered."""


class Budgets:
    """A budget for each name, of those used last."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._budgets: OrderedDict[str | bytes, Budget] = OrderedDict()

    def __len__(self) -> int:
        return len(self._budgets)

    def of(self, name: str | bytes, now: float) -> Budget:
        """Return the budget of this name, a full one if it has none."""
        budget = self._budgets.setdefault(name, Budget(self._rate, self._burst, now))
        self._budgets.move_to_end(name)
        if len(self._budgets) > MOST_REMEMBERED:
            self._budgets.popitem(last=False)
        return budget

    def known(self, name: str | bytes) -> Budget | None:
        """Return the budget of this name, None if it has none any more."""
        return self._budgets.get(name)


class RateLimiter:
    """A limit of `rate` calls per second for each name, such as a token, with bursts of one second.

    `counted` names the limited thing in errors. It stores only hashes.
    """

    def __init__(self, rate: float, counted: str = "calls per second for each token") -> None:
        self._rate = rate
        self._counted = counted
        self._budgets = Budgets(rate, rate)

    def count(self, name: str, now: float) -> None:
        """Count a call under this name. Raises TooManyRequests."""
        key = hashlib.sha256(name.encode()).digest()
        budget = self._budgets.of(key, now)
        if not budget.take(now):
            raise TooManyRequests(f"the limit is {self._rate:g} {self._counted}", budget.seconds_to_next(now))


BURST = 5
"""Seconds for which the permitted refusals are saved."""

HELD_SECONDS = 0.25
"""Delay of further refusals. A client that repeated a refused request at once took 40 % of a processor."""


class Refusals:
    """Counts the refusals that each share gets. The refusals beyond `rate` a second are held, but not the first
    ones.
    """

    def __init__(self, rate: float) -> None:
        self._budgets = Budgets(rate, BURST * rate)

    def count(self, share: str, now: float) -> float:
        """Count one; return the seconds to hold it."""
        return 0.0 if self._budgets.of(share, now).take(now) else HELD_SECONDS


# ---------------------------------------------------------------------- unsent bytes

MOST_BYTES = 128 * 1024


class Unsent:
    """Bytes of all unsent messages of one socket. A single one may exceed the limit."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._messages = 0
        self._most = most

    def add(self, weight: int) -> bool:
        """Count one message more. Return whether the limit still holds."""
        self.bytes += weight
        self._messages += 1
        return self.bytes <= self._most or self._messages == 1

    def remove(self, weight: int) -> None:
        """Count one message less."""
        self.bytes -= weight
        self._messages -= 1
