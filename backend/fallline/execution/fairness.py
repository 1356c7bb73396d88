"""Whose turn it is: deficit round robin over measured cost (Shreedhar and Varghese, 1996).

Every key in the queue gets the same number of seconds a round and may spend them in slices. A key that overdrew pays
back before its next turn, also when it leaves meanwhile. Takes the cost of each turn; must not know what a turn does.
"""

from __future__ import annotations

import heapq
from collections import deque

REST = 0.2
"""Part of a quantum that is too little to go on with."""

MOST_DEBTORS = 1_024
"""Absent keys whose debts are remembered: of more, paid and small ones are dropped."""


class DeficitRoundRobin:
    """A queue of keys with equal shares of time. `quantum` is in seconds."""

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._queue: deque[str] = deque()
        self._current: str | None = None
        self._credit: dict[str, float] = {}
        self._served = 0.0
        self._debts: dict[str, tuple[float, float]] = {}
        """Of absent keys: the credit with which each left, below 0, and what had been served by then."""

    def __contains__(self, key: str) -> bool:
        return key in self._credit

    def __len__(self) -> int:
        return len(self._queue)

    def join(self, key: str) -> None:
        """Take part from now on. A debt is smaller by what the others had meanwhile."""
        if key not in self._credit:
            self._credit[key] = self._rest_of(key)
            self._debts.pop(key, None)
            self._queue.append(key)

    def leave(self, key: str) -> None:
        """Take part no longer. Saved credit lapses; a debt stays."""
        credit = self._credit.pop(key, None)
        if credit is None:
            return
        self._queue.remove(key)
        if key == self._current:
            self._current = None
        if credit < 0:
            self._owe(key, credit)

    def forget(self, key: str) -> None:
        """Leave for good: no key of this name comes back."""
        self.leave(key)
        self._debts.pop(key, None)

    def next(self) -> tuple[str, float]:
        """Whose turn it is, and how many seconds they may spend. The queue must not be empty.

        A turn goes on until hardly anything of it is left. The rest, less than a slice is worth, is kept for the next.
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
        """Where all are in debt, take the rounds at once in which nobody could have a turn."""
        rounds = (REST * self._quantum - max(self._credit.values())) // self._quantum
        if rounds > 0:
            for key in self._credit:
                self._credit[key] += rounds * self._quantum

    def prefer(self, key: str) -> None:
        """Make it this key's turn now. It must take part, and has the quantum of its next turn."""
        if self._current != key and self._credit[key] >= 0:
            self._current = key
            self._queue.remove(key)
            self._queue.append(key)
            self._credit[key] += self._quantum

    def charge(self, key: str, cost: float) -> None:
        """The key took `cost` seconds, in its turn or outside of one."""
        if key in self._credit:
            self._credit[key] -= cost
            self._served += cost
        else:
            self._owe(key, self._rest_of(key) - cost)

    def _owe(self, key: str, credit: float) -> None:
        self._debts[key] = credit, self._served
        if len(self._debts) > MOST_DEBTORS:
            # To half of them, so that it is seldom done: each new address or owner may come with a debt.
            largest = heapq.nsmallest(MOST_DEBTORS // 2, self._debts, key=self._rest_of)
            self._debts = {each: self._debts[each] for each in largest if self._rest_of(each) < 0}

    def _rest_of(self, key: str) -> float:
        """The debt left of an absent key, as a credit of at most 0. Per round each other key gets a quantum."""
        credit, then = self._debts.get(key, (0.0, 0.0))
        return min(credit + (self._served - then) / max(len(self._queue), 1), 0.0)


class Shares:
    """Members in groups: groups get equal time, and so do the members of a group."""

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
        """Take part from now on, in this group."""
        if self._group_of.get(member) == group:
            return
        self.leave(member)
        self._group_of[member] = group
        self._members.setdefault(group, DeficitRoundRobin(self._quantum)).join(member)
        self._groups.join(group)

    def leave(self, member: str) -> None:
        """Take part no longer."""
        group = self._group_of.pop(member, None)
        if group is None:
            return
        members = self._members[group]
        members.leave(member)
        if not len(members):
            # What a member owes is forgotten with its group's queue: the group's own debt is what protects the others.
            del self._members[group]
            self._groups.leave(group)

    def next(self) -> tuple[str, float]:
        """Whose turn it is, and how many seconds they may spend. There must be a member."""
        group, budget = self._groups.next()
        member, own = self._members[group].next()
        return member, min(budget, own)

    def charge(self, member: str, group: str, cost: float) -> None:
        """A member of this group took `cost` seconds; it may have left."""
        self._groups.charge(group, cost)
        if self._group_of.get(member) == group:
            self._members[group].charge(member, cost)
