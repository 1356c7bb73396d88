"""Which experiments there are, open or only stored; who may change which, and when each was used last.

Owns the entry of each. Must not know how one is opened, nor what becomes of those that nobody uses. Nothing here waits:
what is found and entered without an await in between is of one moment.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fallline.runs.usage import Usage
from fallline.services.capabilities import opens
from fallline.services.materials import ids_in
from fallline.services.repeats import Repeats
from fallline.storage.interface import ExperimentInfo
from fallline.vocabulary.errors import Damaged, NotAuthorized, NotFound, ReadOnly


@dataclass(slots=True, eq=False)
class Opening:
    """An experiment that is open, or about to be: `done` when it is. A watcher has its seat in one of them, and is
    `joining` until it has.
    """

    done: asyncio.Future[None]
    repeats: Repeats
    stands_still: bool = False
    joining: int = 0
    watched_at: float = -math.inf
    """When somebody began to watch last, on the lab's clock."""

    at_work: int = 0
    """Commands that are being done."""

    visitors: int = 0
    """Those who read it, or wait for room for their command. It stays open for them."""

    is_visit: bool = False
    """It was opened to be looked at only, for want of a place."""

    share: str = ""
    """The share that a visit counts to, since it `began` on the lab's clock."""
    began: float = 0.0

    usage: Usage = field(default_factory=Usage)
    expected: int = 0
    """Bytes that it may come to, as long as it has not counted them itself."""


@dataclass(slots=True)
class Entry:
    """An experiment that is stored. `seen` is on the lab's clock; `used` and `noted` are in seconds that servers have
    seen pass: when it was used last, and what is stored of that.
    """

    token_hash: bytes
    seen: float
    used: float
    noted: float
    made_of: str | None = None
    owner: bytes | None = None
    """The hash of the key that its maker sent; None without one."""
    address: str | None = None
    """Where it was made or last commanded from. In memory only."""
    opening: Opening | None = None
    expected: int = 0
    """Bytes that it may come to when it is open; 0 where that is not known yet."""
    closing: asyncio.Future[None] | None = None
    swept: bool = False
    acknowledged: float = -math.inf
    """When a socket that holds the token last acknowledged frames, on the lab's clock."""
    is_damaged: bool = False
    """What opens it cannot be read any more."""
    was_left: bool = False
    """It opens paused though it played: nobody watched when the server ended, or it was closed after a fault."""


class Register:
    """The entries by the experiments' ids. `clock` gives seconds, `passed` those that servers have seen pass."""

    def __init__(self, clock: Callable[[], float], passed: Callable[[], float]) -> None:
        self._clock = clock
        self._passed = passed
        self.entries: dict[str, Entry] = {}
        self.knows_all = False
        """Whether the store has told what is stored: before that, what is not here may yet be there."""

    def take_in(self, stored: Iterable[ExperimentInfo], idle_seconds: float) -> list[str]:
        """Enter what is stored and not here yet. Returns the ids of what was playing, and goes on: what was used within
        the idle time.
        """
        now, passed = self._clock(), self._passed()
        self.knows_all = True
        playing = []
        for known in stored:
            if known.id in self.entries:
                continue
            used = known.used.seen
            entry = Entry(known.token_hash, now, used, used, known.table, owner=known.owner)
            entry.is_damaged = known.is_damaged
            self.entries[known.id] = entry
            if known.is_playing and passed - known.used.seen < idle_seconds:
                playing.append(known.id)
            else:
                entry.was_left = known.is_playing
        return playing

    def enter(self, id: str, token_hash: bytes, made_of: str | None, owner: bytes | None = None) -> Entry:
        """The entry of a new experiment."""
        passed = self._passed()
        entry = self.entries[id] = Entry(token_hash, self._clock(), passed, passed, made_of, owner=owner)
        return entry

    @property
    def materials_in_use(self) -> set[str]:
        """The ids of tables and parameters that experiments are made of."""
        return {id for entry in self.entries.values() for id in ids_in(entry.made_of) if id}

    def check_known(self) -> None:
        """Raises ReadOnly as long as it is not known what is stored."""
        if not self.knows_all:
            raise ReadOnly

    def find(self, id: str) -> Entry:
        """The entry, which counts as used now. Raises NotFound, or ReadOnly while that cannot be said."""
        entry = self.entries.get(id)
        if entry is None:
            self.check_known()
            raise NotFound("no experiment of that id: it may have been deleted")
        self.touch(entry)
        entry.swept = False
        return entry

    def touch(self, entry: Entry) -> None:
        """It is used now."""
        entry.seen, entry.used = self._clock(), self._passed()

    def acknowledge(self, id: str) -> Entry | None:
        """Record that somebody who may change the experiment reads its frames. None for an unknown id."""
        entry = self.entries.get(id)
        if entry is not None:
            entry.acknowledged = self._clock()
        return entry

    def may_change(self, id: str, token: str | None) -> bool:
        """Whether the token is this experiment's. Raises NotFound for an unknown id, and Damaged."""
        entry = self.find(id)
        if entry.is_damaged:
            raise Damaged("what was stored of its token cannot be read")
        return opens(token, entry.token_hash)

    def authorize(self, id: str, token: str | None) -> None:
        """Raises NotAuthorized where the token is not this experiment's, and NotFound for an unknown id."""
        if not self.may_change(id, token):
            raise NotAuthorized(
                "send the token that came with the experiment, as Authorization: Bearer <token>"
            )
