"""The share that an experiment counts to: its owner's, or its address's.

Owns when an owner is present, and the share of each live experiment. Clients make keys, so a key alone is not enough:
an owner has a share only while a connection with a token acknowledges frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fallline.services.registry import Entry

LINE_SECONDS = 15.0
"""How long an owner is present after a connection with a token acknowledged frames."""

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
        owner = entry.owner
        if owner is not None and self._is_present(owner, now):
            return f"owner:{owner.hex()}"
        return f"address:{entry.address or '-'}"

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
