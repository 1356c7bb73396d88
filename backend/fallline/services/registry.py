"""All experiments, live or stored: their tokens, owners and last use.

Owns an entry for each, when an owner is present, and the share of each live experiment: its owner's, or its address's.
Clients make keys, so a key alone is not enough: an owner has a share only while a connection with a token acknowledges
frames. No method awaits, so a lookup and an entry without an await in between are atomic.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fallline.runs.usage import Usage
from fallline.services.command_runner import KeyedCommands
from fallline.services.uploads import split_ids
from fallline.vocabulary.errors import Damaged, NotAuthorized, NotFound, ReadOnly
from fallline.vocabulary.journal import Deletion, ExperimentInfo


@dataclass(slots=True, eq=False)
class LiveExperiment:
    """An experiment that is open, or is being opened until `ready` is done."""

    ready: asyncio.Future[None]
    keyed_commands: KeyedCommands
    is_read_only: bool = False
    """It was opened while nothing could be stored, or it is temporary."""

    joining: int = 0
    """Watchers that are about to join."""

    watched_at: float = -math.inf
    """When the last watcher came, on the lab's clock."""

    running_commands: int = 0

    pins: int = 0
    """Requests that read it or wait for memory. It is not evicted while there are any."""

    is_temporary: bool = False
    """It was opened for reading only, because no slot was free."""

    share: str = ""
    """The share that a temporary one counts to, from `began` on the lab's clock."""
    began: float = 0.0

    usage: Usage = field(default_factory=Usage)
    expected: int = 0
    """Its maximum in bytes, estimated before it is open."""

    @property
    def bytes(self) -> int:
        """The bytes that it counts for: its size, or its expected maximum while it makes steps."""
        usage = self.usage
        size = usage.bytes + self.keyed_commands.nbytes
        if self.running_commands or usage.is_busy or not self.ready.done():
            size = max(size, usage.ceiling, self.expected)
        return size + usage.beyond

    def growth(self, *, more_runs: bool) -> int:
        """Return the bytes that it may yet need beyond those it counts for, with new steps or a run."""
        return self.usage.ceiling + self.usage.run_ceiling * more_runs - self.bytes


@dataclass(slots=True)
class Entry:
    """A stored experiment.

    `last_use` is on the lab's clock. `used` is the same time on the age clock, and `stored_use` its stored value.
    """

    token_hash: bytes
    last_use: float
    used: float
    stored_use: float
    upload_ids: str | None = None
    owner: bytes | None = None
    """Hash of its owner's key; None without an owner."""
    address: str | None = None
    """Address that created it or sent the last command. Only in memory."""
    unused: str = ""
    """The share that created it, until somebody watches or changes it; then empty."""
    live: LiveExperiment | None = None
    expected: int = 0
    """Its maximum in bytes when it is open; 0 before it is known."""
    closing: asyncio.Future[None] | None = None
    swept: bool = False
    """The idle sweep has handled it since its last use."""
    acknowledged: float = -math.inf
    """When a socket with its token last acknowledged frames, on the lab's clock."""
    is_damaged: bool = False
    """Its token hash cannot be read."""
    opens_paused: bool = False
    """It opens paused although it played: nobody watched when the server stopped, or it was closed after a fault."""
    freeing: int = 0
    """Commands that it took since the disk became full."""

    @property
    def open(self) -> LiveExperiment | None:
        """The live experiment, if it is open and takes changes."""
        live = self.live
        return live if live is not None and live.ready.done() and not live.is_read_only else None


@dataclass(slots=True)
class Deleted:
    """A deleted experiment. It can be brought back while it `is_kept`."""

    entry: Entry
    deletion: Deletion
    is_kept: bool = True


class Registry:
    """The entries by the experiments' ids, and the entries of deleted experiments.

    `clock` gives the lab's seconds, `age` the seconds of the age clock.
    """

    def __init__(self, clock: Callable[[], float], age: Callable[[], float]) -> None:
        self._clock = clock
        self._age = age
        self.entries: dict[str, Entry] = {}
        self.deleted: dict[str, Deleted] = {}
        """The oldest first."""
        self.is_complete = False
        """True once the stored experiments have been added. Before that, an unknown id may be stored."""

    def add_stored(self, stored: Iterable[ExperimentInfo], idle_seconds: float) -> list[str]:
        """Add the stored experiments that are not here yet.

        Returns the ids of experiments that played and were used within the idle time: they play again.
        """
        now, age = self._clock(), self._age()
        self.is_complete = True
        playing = []
        for one in stored:
            if one.id in self.entries or one.id in self.deleted:
                continue
            used = one.used.seen
            entry = Entry(one.token_hash, now, used, used, one.table, owner=one.owner)
            entry.is_damaged = one.is_damaged
            if one.deletion is not None:
                self.deleted[one.id] = Deleted(entry, one.deletion)
                continue
            self.entries[one.id] = entry
            if one.is_playing and age - used < idle_seconds:
                playing.append(one.id)
            else:
                entry.opens_paused = one.is_playing
        return playing

    def add(self, id: str, token_hash: bytes, upload_ids: str | None, owner: bytes | None = None) -> Entry:
        age = self._age()
        entry = self.entries[id] = Entry(token_hash, self._clock(), age, age, upload_ids, owner=owner)
        return entry

    @property
    def upload_ids_in_use(self) -> set[str]:
        """The ids of all tables and parameters that experiments use, also deleted ones that may come back."""
        restorable = [each.entry for each in self.deleted.values() if each.is_kept]
        entries = [*self.entries.values(), *restorable]
        return {id for entry in entries for id in split_ids(entry.upload_ids) if id}

    def check_complete(self) -> None:
        """Raise ReadOnly before the stored experiments have been added."""
        if not self.is_complete:
            raise ReadOnly

    def find(self, id: str) -> Entry:
        """Return the entry and record its use. Raises NotFound, or ReadOnly."""
        entry = self.entries.get(id)
        if entry is None:
            self.check_complete()
            raise NotFound("no experiment has this id: it may have been deleted")
        self.touch(entry)
        entry.swept = False
        return entry

    def touch(self, entry: Entry) -> None:
        """Record that it is used now."""
        entry.last_use, entry.used = self._clock(), self._age()

    def acknowledge(self, id: str) -> Entry | None:
        """Record an acknowledgement of frames with the token. None for an unknown id."""
        entry = self.entries.get(id)
        if entry is not None:
            entry.acknowledged = self._clock()
        return entry

    def may_change(self, id: str, token: str | None) -> bool:
        """Return whether the token is this experiment's. Raises NotFound and Damaged."""
        entry = self.find(id)
        if entry.is_damaged:
            raise Damaged("the stored token hash cannot be read")
        return opens(token, entry.token_hash)

    def authorize(self, id: str, token: str | None) -> Entry:
        """Return the entry. Raises NotAuthorized for a wrong token, and NotFound for an unknown id."""
        if not self.may_change(id, token):
            raise NotAuthorized(WRONG_TOKEN)
        return self.entries[id]


WRONG_TOKEN = (
    "send the token of this experiment in the header Authorization: Bearer <token>; "
    "POST /experiments returned it"
)


def new_token() -> str:
    """Return a token for an experiment: 192 random bits. It gives the right to change."""
    return secrets.token_urlsafe(24)


def hash_of(token: str) -> bytes:
    """Return the hash that is stored instead of the token."""
    return hashlib.sha256(token.encode()).digest()


def opens(token: str | None, stored: bytes) -> bool:
    """Return whether `stored` is the hash of this token, in constant time."""
    return token is not None and hmac.compare_digest(hash_of(token), stored)


def check_token(token: str | None, stored: bytes) -> None:
    """Raise NotAuthorized unless `stored` is the hash of this token."""
    if not opens(token, stored):
        raise NotAuthorized(WRONG_TOKEN)


# ---------------------------------------------------------------------- owners

LINE_SECONDS = 15.0
"""How long an owner is present after a connection with a token acknowledged frames."""

RETURN_SECONDS = 60.0
"""How long owners are expected after a restart. A class of 300 was back after 30 s."""

MOST_PRESENT = 4_096
"""Number of recorded acknowledgements from which on old ones are deleted."""

Changed = Callable[[str, str], None]
"""Called with an experiment's id and its new share."""


@dataclass(slots=True)
class _Live:
    entry: Entry
    share: str


class Owners:
    """The shares of live experiments.

    `clock` gives seconds; `changed` is called with each new share.
    """

    def __init__(self, clock: Callable[[], float], changed: Changed = lambda id, share: None) -> None:
        self._clock = clock
        self._changed = changed
        self._present: dict[bytes, float] = {}
        self._live: dict[str, _Live] = {}

    def share_of(self, entry: Entry, now: float) -> str:
        """Return the share to which an experiment counts."""
        return self.share_for(entry.owner, entry.address, now)

    def share_for(self, owner: bytes | None, address: str | None, now: float) -> str:
        """Return the share of a caller with the owner of this hash (None: without), at this address."""
        if owner is not None and self._is_present(owner, now):
            return f"owner:{owner.hex()}"
        return f"address:{address or '-'}"

    def _is_present(self, owner: bytes, now: float) -> bool:
        last = self._present.get(owner)
        return last is not None and now - last <= LINE_SECONDS

    def opened(self, id: str, entry: Entry) -> None:
        """Give a share to an experiment that is being opened."""
        self._live[id] = _Live(entry, share := self.share_of(entry, self._clock()))
        self._changed(id, share)

    def share(self, id: str) -> str:
        """Return the share of a live experiment. All others have one share, the empty one."""
        one = self._live.get(id)
        return "" if one is None else one.share

    def announce(self, id: str) -> None:
        """Call `changed` again with its share."""
        if (one := self._live.get(id)) is not None:
            self._changed(id, one.share)

    def closed(self, id: str) -> None:
        """Record that an experiment was closed."""
        self._live.pop(id, None)

    def live_entries(self) -> list[tuple[str, Entry, str]]:
        """Return the id, entry and share of each live experiment."""
        return [(id, one.entry, one.share) for id, one in self._live.items()]

    def came_from(self, id: str, entry: Entry, address: str | None) -> None:
        """Record the address of a caller with the experiment's token."""
        if address is not None and address != entry.address:
            entry.address = address
            self._update_share(id, self._clock())

    def acknowledged(self, entry: Entry) -> None:
        """Record that a connection with the token acknowledged frames, so its owner is present."""
        owner, now = entry.owner, self._clock()
        if owner is None:
            return
        is_new = not self._is_present(owner, now)
        self._present[owner] = now
        if is_new:
            self._delete_old(now)
            for id in [id for id, one in self._live.items() if one.entry.owner == owner]:
                self._update_share(id, now)

    def expect(self, entries: Iterable[Entry]) -> None:
        """Count the owners of these as present: the server was restarted, and their pages come back.

        All pages of a class would share the time of one address before their first acknowledgements.
        """
        until = self._clock() + RETURN_SECONDS - LINE_SECONDS
        self._present.update((entry.owner, until) for entry in entries if entry.owner is not None)

    def _delete_old(self, now: float) -> None:
        if len(self._present) > MOST_PRESENT:
            self._present = {owner: at for owner, at in self._present.items() if now - at <= LINE_SECONDS}

    def update_shares(self) -> None:
        """Update all shares, as owners may have become absent."""
        now = self._clock()
        for id in list(self._live):
            self._update_share(id, now)

    def _update_share(self, id: str, now: float) -> None:
        one = self._live.get(id)
        if one is not None and (share := self.share_of(one.entry, now)) != one.share:
            one.share = share
            self._changed(id, share)
