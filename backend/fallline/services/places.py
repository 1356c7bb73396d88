"""A pure decision: which open experiments make room for a new one.

Owns how shares divide places and bytes. A share may hold half of the rest that the others leave, so a later share
always finds some. Must not know how an experiment is put away, or what a share stands for.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from fallline.vocabulary.errors import Unavailable

FEWEST_PLACES = 8
"""Places that every share may hold while there are any."""

SMALLEST_PART = 1 / 32
"""Of all bytes, what every share may hold while there are any."""

RETRY_SECONDS = 60.0


class Use(IntEnum):
    """How an open experiment is used. Lower ones go first; `READ` stays."""

    IDLE = 0
    BUSY = 1
    """It makes steps, and nobody watches."""

    UNREAD = 2
    """Somebody watches who acknowledges nothing."""

    READ = 3
    """Somebody reads it, or it is being opened or asked for."""


@dataclass(frozen=True, slots=True)
class Occupant:
    """An open experiment: the bytes that it counts for, and when it was used last."""

    id: str
    share: str
    used: float
    use: Use
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on all open experiments together. Without `puts_away` nothing is stored, and nothing goes."""

    places: int
    bytes: float = float("inf")
    puts_away: bool = True


@dataclass(slots=True)
class _Sum:
    """Places and bytes of several open experiments."""

    places: int = 0
    bytes: int = 0

    def add(self, one: Occupant, sign: int = 1) -> None:
        self.places += sign
        self.bytes += sign * one.bytes


@dataclass(frozen=True, slots=True)
class _Short:
    """A shortage in words. `within`: only the share itself can help. `is_bytes`: bytes, not places, are short."""

    words: str
    within: bool
    is_bytes: bool


def leaving(
    occupants: Iterable[Occupant], share: str, need: int, limits: Limits, *, places: int = 1
) -> list[Occupant]:
    """List experiments that make room for `need` bytes and so many places of this share, in the order in which they go.

    Raises Unavailable if too few may go.
    """
    held, going = _Held(occupants), list[Occupant]()
    while (short := _short_of(held, share, need, limits, places)) is not None:
        chosen = held.next_to_go(share, short) if limits.puts_away else None
        if chosen is None:
            raise _full(short, limits)
        held.remove(chosen)
        going.append(chosen)
    return going


class _Held:
    """Open experiments with sums by share. Candidates are sorted, so the next one is found in little time."""

    def __init__(self, occupants: Iterable[Occupant]) -> None:
        self.all = _Sum()
        self.shares: defaultdict[str, _Sum] = defaultdict(_Sum)
        self._able: dict[str, deque[Occupant]] = {}
        able = []
        for one in occupants:
            self.all.add(one)
            self.shares[one.share].add(one)
            if one.use is not Use.READ:
                able.append(one)
        able.sort(key=lambda one: (one.use, one.used))
        for one in able:
            self._able.setdefault(one.share, deque()).append(one)
        self._idle = deque(one for one in able if one.use is Use.IDLE)
        self._gone: set[str] = set()

    def remove(self, one: Occupant) -> None:
        self.all.add(one, -1)
        self.shares[one.share].add(one, -1)
        self._gone.add(one.id)

    def next_to_go(self, share: str, short: _Short) -> Occupant | None:
        """The idle one used least recently, then another of a share that holds more, then one of the share itself."""
        if not short.within:
            if (idle := self._first(self._idle)) is not None:
                return idle
            for other in self._larger(share, short):
                if (found := self._first(self._able.get(other))) is not None:
                    return found
        return self._first(self._able.get(share))

    def _larger(self, share: str, short: _Short) -> list[str]:
        """The shares that hold more bytes or places, whichever is short; the largest first."""
        holds = {name: held.bytes if short.is_bytes else held.places for name, held in self.shares.items()}
        mine = holds.get(share, 0)
        return sorted((name for name in holds if holds[name] > mine), key=lambda name: -holds[name])

    def _first(self, able: deque[Occupant] | None) -> Occupant | None:
        while able and able[0].id in self._gone:
            able.popleft()
        return able[0] if able else None


def _short_of(held: _Held, share: str, need: int, limits: Limits, places: int) -> _Short | None:
    total, mine = held.all, held.shares[share]
    if places and mine.places + places > _part(limits.places - (total.places - mine.places), FEWEST_PLACES):
        return _Short("your share of this server's places is in use", within=True, is_bytes=False)
    left = limits.bytes - (total.bytes - mine.bytes)
    # the only experiment of a share may be as large as there is room for
    if need and mine.places + places > 1 and mine.bytes + need > _part(left, SMALLEST_PART * limits.bytes):
        return _Short("your share of this server's memory is in use", within=True, is_bytes=True)
    if places and total.places + places > limits.places:
        return _Short(
            f"all {limits.places} experiments of this server are in use", within=False, is_bytes=False
        )
    if total.bytes + need > limits.bytes:
        return _Short("the memory of this server is in use", within=False, is_bytes=True)
    return None


def _part(left: float, fewest: float) -> float:
    """The part that a share may hold of the rest that the others leave."""
    return max(left / 2, fewest)


def _full(short: _Short, limits: Limits) -> Unavailable:
    if not limits.puts_away:
        detail = f"{short.words}, and without a data folder none is put away: delete one, or come again"
    else:
        detail = f"{short.words}: come again"
    return Unavailable(detail, retry_after=RETRY_SECONDS)
