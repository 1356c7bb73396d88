"""Slots and bytes that live experiments use, and the choice of experiments to evict.

Owns the use and the bytes that each counts for, and how shares divide them. An experiment that makes steps counts for
its expected maximum. A share may use half of what the others leave, so a later share always finds some. Must not know
how an experiment is opened or evicted.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from fallline.realtime.hub import Hub
from fallline.services.registry import LINE_SECONDS, Entry, LiveExperiment, Owners
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

    def add(self, slots: int, bytes: int) -> None:
        self.slots += slots
        self.bytes += bytes


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


class _Sums:
    """Slots and bytes of all live experiments, and of each share."""

    def __init__(self) -> None:
        self.all = _Sum()
        self.shares: defaultdict[str, _Sum] = defaultdict(_Sum)

    def add(self, share: str, slots: int, bytes: int) -> None:
        self.all.add(slots, bytes)
        self.shares[share].add(slots, bytes)


class _Remaining(_Sums):
    """Live experiments with sums by share, sorted by who is evicted next."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        super().__init__()
        self._evictable: dict[str, deque[Candidate]] = {}
        evictable = []
        for one in candidates:
            self.add(one.share, 1, one.bytes)
            if one.use is not Use.READ:
                evictable.append(one)
        evictable.sort(key=lambda one: (one.use, one.last_use))
        for one in evictable:
            self._evictable.setdefault(one.share, deque()).append(one)
        self._idle = deque(one for one in evictable if one.use is Use.IDLE)
        self._removed: set[str] = set()

    def remove(self, one: Candidate) -> None:
        self.add(one.share, -1, -one.bytes)
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


def _shortage_of(sums: _Sums, share: str, need: int, limits: Limits, slots: int) -> _Shortage | None:
    total, own = sums.all, sums.shares[share]
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


FRESH_SECONDS = 1.0
"""How long a count of the free bytes is used for small requests."""

SMALL_PART = 1 / 8
"""Part of the free bytes that requests may use without a new count, and part of all bytes that may be closing."""


class Capacity:
    """Used slots and bytes, and their limits. `clock` gives seconds."""

    def __init__(self, owners: Owners, subscribers: Hub, clock: Callable[[], float], limits: Limits) -> None:
        self._owners = owners
        self._subscribers = subscribers
        self._clock = clock
        self.limits = limits
        self.closing = 0
        """Bytes of experiments that are being evicted. They are free soon, so they do not count as used."""

        self._free = 0.0
        self._counted_at = float("-inf")

    @property
    def is_bounded(self) -> bool:
        """True if there is a limit on bytes."""
        return self.limits.bytes < float("inf")

    @property
    def closes_many(self) -> bool:
        """True if a new experiment has to wait for bytes that are being evicted."""
        return self.closing > SMALL_PART * self.limits.bytes

    def use_of(self, id: str, live: LiveExperiment, entry: Entry, now: float) -> Use:
        if not live.ready.done() or live.joining > 0 or live.pins > 0:
            return Use.READ
        if self._subscribers.watchers(id):
            is_read = now - max(live.watched_at, entry.acknowledged) <= LINE_SECONDS
            return Use.READ if is_read else Use.UNREAD
        return Use.BUSY if live.usage.is_busy or live.running_commands else Use.IDLE

    def candidates(self, requester: str | None = None) -> Iterator[Candidate]:
        """Return all live experiments but temporary ones. `requester` stays."""
        now = self._clock()
        for id, entry, share in self._owners.live_entries():
            live = entry.live
            if live is not None and not live.is_temporary:
                use = Use.READ if id == requester else self.use_of(id, live, entry, now)
                yield Candidate(id, share, entry.last_use, use, live.bytes)

    @property
    def used_bytes(self) -> int:
        """Bytes of all live experiments, and of data that watchers have not received."""
        live = (entry.live for _, entry, _ in self._owners.live_entries())
        return sum(each.bytes for each in live if each is not None) + self._subscribers.bytes

    def choose_evictions(
        self, share: str, need: int, *, slots: int = 1, requester: str | None = None
    ) -> list[Candidate]:
        """Choose as the function `choose_evictions` does. Raises Unavailable."""
        sums, temporary = _Sums(), 0
        for _, entry, owner in self._owners.live_entries():
            if (live := entry.live) is not None:
                if live.is_temporary:
                    temporary += live.bytes
                else:
                    sums.add(owner, 1, live.bytes)
        free = self.limits.bytes - self._subscribers.bytes - temporary
        limits = Limits(self.limits.slots, free, self.limits.can_evict)
        # Mostly all have room. How each is used need not be known then: it took 3 ms with 300.
        if _shortage_of(sums, share, need, limits, slots) is None:
            return []
        return choose_evictions(self.candidates(requester), share, need, limits, slots=slots)

    def to_pause(self) -> list[str]:
        """List playing experiments, by share and then by size, the largest first."""
        shares, moving = Counter[str](), []
        for id, entry, share in self._owners.live_entries():
            if entry.live is not None:
                shares[share] += entry.live.bytes
                if entry.live.usage.is_busy:
                    moving.append((id, share, entry.live.bytes))
        moving.sort(key=lambda each: (-shares[each[1]], each[1], -each[2]))
        return [id for id, _, _ in moving]

    def has_free(self, need: int) -> bool:
        """Return whether the need fits without a new count or an eviction."""
        if not self.is_bounded:
            return True
        now = self._clock()
        if now - self._counted_at > FRESH_SECONDS:
            self._free, self._counted_at = self.limits.bytes - self.used_bytes, now
        if need > SMALL_PART * self._free:
            return False
        self._free -= need
        return True
