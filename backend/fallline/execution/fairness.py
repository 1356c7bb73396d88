"""Deficit round robin over measured cost (Shreedhar and Varghese, 1996).

Every key in the queue gets the same number of seconds a round and may spend them in slices. A key in debt pays it back
before its next turn, even if it leaves and returns.
"""

from __future__ import annotations

import heapq
from collections import deque

REST = 0.2
"""Share of a quantum that is too small to continue a turn."""

MOST_DEBTORS = 1_024
"""Absent keys with stored debts. Above it, paid and small debts are dropped."""


class DeficitRoundRobin:
    """A queue of keys with equal shares of time. `quantum` is in seconds."""

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._queue: deque[str] = deque()
        self._current: str | None = None
        self._credit: dict[str, float] = {}
        self._served = 0.0
        self._debts: dict[str, tuple[float, float]] = {}
        """For absent keys: the negative credit when they left, and the seconds served by then."""

    def __contains__(self, key: str) -> bool:
        return key in self._credit

    def __len__(self) -> int:
        return len(self._queue)

    def join(self, key: str) -> None:
        """Add a key. Its debt shrinks by the turns that the others had meanwhile."""
        if key not in self._credit:
            self._credit[key] = self._rest_of(key)
            self._debts.pop(key, None)
            self._queue.append(key)

    def leave(self, key: str) -> None:
        """Remove a key. Its credit lapses; a debt stays."""
        credit = self._credit.pop(key, None)
        if credit is None:
            return
        self._queue.remove(key)
        if key == self._current:
            self._current = None
        if credit < 0:
            self._owe(key, credit)

    def forget(self, key: str) -> None:
        """Remove a key that will not return."""
        self.leave(key)
        self._debts.pop(key, None)

    def next(self) -> tuple[str, float]:
        """Return the key whose turn it is and its seconds. The queue must not be empty.

        A turn lasts until less than a slice of it is left; the rest is added to the next turn.
        """
        looked_at = 0
        while self._current is None or self._credit[self._current] <= REST * self._quantum:
            if looked_at == len(self._queue):
                self._skip_rounds()
            looked_at += 1
            self._current = self._queue[0]
            self._queue.rotate(-1)
            self._credit[self._current] += self._quantum
        return self._current, self._credit[self._current]

    def _skip_rounds(self) -> None:
        """If all keys are in debt, skip the rounds in which none could have a turn."""
        rounds = (REST * self._quantum - max(self._credit.values())) // self._quantum
        if rounds > 0:
            for key in self._credit:
                self._credit[key] += rounds * self._quantum

    def prefer(self, key: str) -> None:
        """Give this key of the queue the turn now, with its next quantum."""
        if self._current != key and self._credit[key] >= 0:
            self._current = key
            self._queue.remove(key)
            self._queue.append(key)
            self._credit[key] += self._quantum

    def charge(self, key: str, cost: float) -> None:
        """Charge the key `cost` seconds, in its turn or outside."""
        if key in self._credit:
            self._credit[key] -= cost
            self._served += cost
        else:
            self._owe(key, self._rest_of(key) - cost)

    def _owe(self, key: str, credit: float) -> None:
        self._debts[key] = credit, self._served
        if len(self._debts) > MOST_DEBTORS:
            # Keep half, so that this happens rarely: each new address or owner may come with a debt.
            largest = heapq.nsmallest(MOST_DEBTORS // 2, self._debts, key=self._rest_of)
            self._debts = {each: self._debts[each] for each in largest if self._rest_of(each) < 0}

    def _rest_of(self, key: str) -> float:
        """Return the rest of an absent key's debt, as a credit of at most 0."""
        credit, then = self._debts.get(key, (0.0, 0.0))
        return min(credit + (self._served - then) / max(len(self._queue), 1), 0.0)


class Shares:
    """Equal time for groups, and within each group for its members."""

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._groups = DeficitRoundRobin(quantum)
        self._members: dict[str, DeficitRoundRobin] = {}
        self._group_of: dict[str, str] = {}

    def __contains__(self, member: str) -> bool:
        return member in self._group_of

    def __len__(self) -> int:
        return len(self._group_of)

    def join(self, member: str, group: str) -> None:
        """Add a member to this group, or move it there."""
        if self._group_of.get(member) == group:
            return
        self.leave(member)
        self._group_of[member] = group
        self._members.setdefault(group, DeficitRoundRobin(self._quantum)).join(member)
        self._groups.join(group)

    def leave(self, member: str) -> None:
        """Remove a member."""
        group = self._group_of.pop(member, None)
        if group is None:
            return
        members = self._members[group]
        members.leave(member)
        if not len(members):
            # The debts of members go with the group's queue: the group's own debt protects the others.
            del self._members[group]
            self._groups.leave(group)

    def next(self) -> tuple[str, float]:
        """Return the member whose turn it is and its seconds. There must be a member."""
        group, budget = self._groups.next()
        member, own = self._members[group].next()
        return member, min(budget, own)

    def charge(self, member: str, group: str, cost: float) -> None:
        """Charge a member of this group, which may have left, `cost` seconds."""
        self._groups.charge(group, cost)
        if self._group_of.get(member) == group:
            self._members[group].charge(member, cost)
