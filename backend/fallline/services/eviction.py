"""A pure decision: which live experiments are evicted for a new one.

Owns how shares divide slots and bytes. A share may use half of what the others leave, so a later share always finds
some.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from fallline.vocabulary.errors import Unavailable

FEWEST_SLOTS = 8
"""Slots that every share may use while there are any."""

SMALLEST_PART = 1 / 32
"""Part of all bytes that every share may use while there are any."""

RETRY_SECONDS = 60.0


class Use(IntEnum):
    """How a live experiment is used. Lower ones are evicted first; `READ` stays."""

    IDLE = 0
    BUSY = 1
    """It makes steps, and nobody watches."""

    UNREAD = 2
    """Its watchers acknowledge nothing."""

    READ = 3
    """Somebody reads it, or it is being opened."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live experiment: the bytes that it counts for, and the time of its last use."""

    id: str
    share: str
    last_use: float
    use: Use
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on all live experiments. `can_evict` is False where nothing is stored."""

    slots: int
    bytes: float = float("inf")
    can_evict: bool = True


@dataclass(slots=True)
class _Sum:
    """Slots and bytes of several live experiments."""

    slots: int = 0
    bytes: int = 0

    def add(self, one: Candidate, sign: int = 1) -> None:
        self.slots += sign
        self.bytes += sign * one.bytes


@dataclass(frozen=True, slots=True)
class _Shortage:
    """A shortage in words.

    `within`: only an eviction from the share itself helps. `is_bytes`: bytes are short, not slots.
    """

    words: str
    within: bool
    is_bytes: bool


def choose_evictions(
    candidates: Iterable[Candidate], share: str, need: int, limits: Limits, *, slots: int = 1
) -> list[Candidate]:
    """List the experiments to evict, in order.

    Then this share can use `need` more bytes and so many more slots. Raises Unavailable if too few can be evicted.
    """
    remaining, chosen = _Remaining(candidates), list[Candidate]()
    while (shortage := _shortage_of(remaining, share, need, limits, slots)) is not None:
        one = remaining.next_to_go(share, shortage) if limits.can_evict else None
        if one is None:
            raise _full(shortage, limits)
        remaining.remove(one)
        chosen.append(one)
    return chosen


class _Remaining:
    """Live experiments with sums by share, sorted by who is evicted next."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.all = _Sum()
        self.shares: defaultdict[str, _Sum] = defaultdict(_Sum)
        self._evictable: dict[str, deque[Candidate]] = {}
        evictable = []
        for one in candidates:
            self.all.add(one)
            self.shares[one.share].add(one)
            if one.use is not Use.READ:
                evictable.append(one)
        evictable.sort(key=lambda one: (one.use, one.last_use))
        for one in evictable:
            self._evictable.setdefault(one.share, deque()).append(one)
        self._idle = deque(one for one in evictable if one.use is Use.IDLE)
        self._removed: set[str] = set()

    def remove(self, one: Candidate) -> None:
        self.all.add(one, -1)
        self.shares[one.share].add(one, -1)
        self._removed.add(one.id)

    def next_to_go(self, share: str, shortage: _Shortage) -> Candidate | None:
        """Return the next one to evict.

        That is the least recently used idle one, else one of a larger share, else one of the share itself.
        """
        if not shortage.within:
            if (idle := self._first(self._idle)) is not None:
                return idle
            for other in self._larger(share, shortage):
                if (one := self._first(self._evictable.get(other))) is not None:
                    return one
        return self._first(self._evictable.get(share))

    def _larger(self, share: str, shortage: _Shortage) -> list[str]:
        """List the shares that use more bytes or slots, the largest first."""
        uses = {
            name: total.bytes if shortage.is_bytes else total.slots for name, total in self.shares.items()
        }
        own = uses.get(share, 0)
        return sorted((name for name in uses if uses[name] > own), key=lambda name: -uses[name])

    def _first(self, evictable: deque[Candidate] | None) -> Candidate | None:
        while evictable and evictable[0].id in self._removed:
            evictable.popleft()
        return evictable[0] if evictable else None


def _shortage_of(
    remaining: _Remaining, share: str, need: int, limits: Limits, slots: int
) -> _Shortage | None:
    total, own = remaining.all, remaining.shares[share]
    if slots and own.slots + slots > _part(limits.slots - (total.slots - own.slots), FEWEST_SLOTS):
        return _Shortage("your share of this server's experiments is in use", within=True, is_bytes=False)
    free = limits.bytes - (total.bytes - own.bytes)
    # the only experiment of a share may use all free bytes
    if need and own.slots + slots > 1 and own.bytes + need > _part(free, SMALLEST_PART * limits.bytes):
        return _Shortage("your share of this server's memory is in use", within=True, is_bytes=True)
    if slots and total.slots + slots > limits.slots:
        return _Shortage(
            f"all {limits.slots} experiments of this server are in use", within=False, is_bytes=False
        )
    if total.bytes + need > limits.bytes:
        return _Shortage("the memory of this server is in use", within=False, is_bytes=True)
    return None


def _part(free: float, fewest: float) -> float:
    """Return what a share may use of the slots or bytes that the others leave."""
    return max(free / 2, fewest)


def _full(shortage: _Shortage, limits: Limits) -> Unavailable:
    if not limits.can_evict:
        detail = (
            f"{shortage.words}, and a server without a data folder closes none: delete one, or retry later"
        )
    else:
        detail = f"{shortage.words}: retry later"
    return Unavailable(detail, retry_after=RETRY_SECONDS)
