"""The share that an experiment counts to: its owner's, or its address's.

Owns when an owner counts as present, and the share of each open experiment. A key alone buys nothing, since clients
make keys: an owner has a share of their own only while a line of theirs acknowledges frames. Must not know what a share
is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fallline.services.register import Entry

LINE_SECONDS = 15.0
"""How long an owner counts as present after a line of theirs acknowledged frames."""

MOST_PRESENT = 4_096
"""Owners whose last acknowledgement is kept before those that are past are cleared away."""

Changed = Callable[[str, str], None]
"""Called with an experiment's id and its new share."""


def _nothing(id: str, share: str) -> None:
    return


@dataclass(slots=True)
class _Open:
    entry: Entry
    share: str


class Owners:
    """The shares of open experiments. `clock` gives seconds; `changed` is called with each new share."""

    def __init__(self, clock: Callable[[], float], changed: Changed = _nothing) -> None:
        self._clock = clock
        self._changed = changed
        self._present: dict[bytes, float] = {}
        self._open: dict[str, _Open] = {}

    def share_of(self, entry: Entry, now: float) -> str:
        """The key under which an experiment gets its share and its places."""
        owner = entry.owner
        if owner is not None and self._is_present(owner, now):
            return f"owner:{owner.hex()}"
        return f"address:{entry.address or '-'}"

    def _is_present(self, owner: bytes, now: float) -> bool:
        last = self._present.get(owner)
        return last is not None and now - last <= LINE_SECONDS

    def opened(self, id: str, entry: Entry) -> None:
        """The experiment begins to open, and has a share from here on."""
        self._open[id] = _Open(entry, share := self.share_of(entry, self._clock()))
        self._changed(id, share)

    def share(self, id: str) -> str:
        """The share of an open experiment. All closed ones have one share."""
        one = self._open.get(id)
        return "" if one is None else one.share

    def announce(self, id: str) -> None:
        """Say again which share it has."""
        if (one := self._open.get(id)) is not None:
            self._changed(id, one.share)

    def closed(self, id: str) -> None:
        """It is open no longer."""
        self._open.pop(id, None)

    def open_ones(self) -> list[tuple[str, Entry, str]]:
        """The id, entry and share of each open experiment."""
        return [(id, one.entry, one.share) for id, one in self._open.items()]

    def came_from(self, id: str, entry: Entry, address: str | None) -> None:
        """Somebody with its token calls from that address."""
        if address is not None and address != entry.address:
            entry.address = address
            self._look_at(id, self._clock())

    def acknowledged(self, entry: Entry) -> None:
        """A line that holds its token acknowledged frames: its owner is present."""
        owner, now = entry.owner, self._clock()
        if owner is None:
            return
        has_come = not self._is_present(owner, now)
        self._present[owner] = now
        if has_come:
            self._clear(now)
            for id in [id for id, one in self._open.items() if one.entry.owner == owner]:
                self._look_at(id, now)

    def _clear(self, now: float) -> None:
        if len(self._present) > MOST_PRESENT:
            self._present = {owner: at for owner, at in self._present.items() if now - at <= LINE_SECONDS}

    def look_again(self) -> None:
        """Notice whose lines have gone silent."""
        now = self._clock()
        for id in list(self._open):
            self._look_at(id, now)

    def _look_at(self, id: str, now: float) -> None:
        one = self._open.get(id)
        if one is not None and (share := self.share_of(one.entry, now)) != one.share:
            one.share = share
            self._changed(id, share)
