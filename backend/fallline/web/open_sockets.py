"""All open sockets, and which of them make room when there are too many.

Owns the limits by address and by owner. A newcomer replaces a socket of the address that holds the most. So neither one
client nor one address keeps the others out, and a class behind one address keeps its places. Must not know the messages
of a socket; callers pass the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fallline.vocabulary.errors import Unavailable

MOST_WAITING = 50
"""Sockets of one address that watch nothing yet."""

MOMENT_SECONDS = 0.25
"""So long a new socket may keep its place among those that watch nothing, however many come."""

MOST_OF_OWNER = 8
"""Sockets that hold tokens of one owner's experiments."""

SILENT_SECONDS = 15.0
"""Without an acknowledgement for so long, a socket makes room for another that is alone as it is."""


@dataclass(eq=False)
class Guest:
    """An open socket. `leave` closes it, and has the client come back; it came at `entered`, and `acknowledged` frames
    last.

    `owners` says by experiment whose token it holds, `looks_at` what it watches without one.
    """

    address: str | None
    entered: float
    leave: Callable[[], None]
    acknowledged: float = field(init=False)
    owners: dict[str, str] = field(default_factory=dict)
    looks_at: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.acknowledged = self.entered

    @property
    def watches(self) -> bool:
        return bool(self.owners or self.looks_at)

    @property
    def holds_token(self) -> bool:
        return bool(self.owners)

    @property
    def groups(self) -> set[str]:
        """The groups that it counts to: owners, or else the experiments that it looks at."""
        return set(self.owners.values()) or self.looks_at


class OpenSockets:
    """All sockets of a server: `most` that watch something, and a quarter as many that do not yet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._guests: dict[Guest, None] = {}

    def __len__(self) -> int:
        return len(self._guests)

    def enter(self, guest: Guest, now: float) -> None:
        """A socket opens. Raises Unavailable where there is no room even for one that watches nothing."""
        waiting = [one for one in self._guests if not one.watches]
        of_address = [one for one in waiting if one.address == guest.address]
        if len(of_address) >= MOST_WAITING:
            self._replace(of_address, now)
        elif len(self._guests) >= self._most + self._most // 4:
            crowd = _largest(waiting)
            self._replace([one for one in waiting if one.address == crowd], now)
        self._guests[guest] = None

    def _replace(self, waiting: list[Guest], now: float) -> None:
        """Show out the one that has waited longest, unless it has only just come."""
        if not waiting or now - waiting[0].entered < MOMENT_SECONDS:
            raise self._full()
        self._show_out(waiting[0])

    def leave(self, guest: Guest) -> None:
        """A socket is closed. Once is enough."""
        self._guests.pop(guest, None)

    def watch(self, guest: Guest, experiment: str, owner: str | None, now: float) -> None:
        """It is about to watch an experiment, with a token of this owner or without. Raises Unavailable."""
        if owner is not None and owner not in guest.owners.values():
            of_owner = sum(owner in one.owners.values() for one in self._guests)
            if of_owner >= MOST_OF_OWNER:
                raise Unavailable(
                    f"{MOST_OF_OWNER} sockets hold this owner's tokens: close one", retry_after=10
                )
        if not guest.watches and sum(one.watches for one in self._guests) >= self._most:
            self._make_room(guest, owner or experiment, holds_token=owner is not None, now=now)
        self.unwatch(guest, experiment)
        if owner is None:
            guest.looks_at.add(experiment)
        else:
            guest.owners[experiment] = owner

    def unwatch(self, guest: Guest, experiment: str) -> None:
        """It watches this no longer."""
        guest.owners.pop(experiment, None)
        guest.looks_at.discard(experiment)

    def _make_room(self, guest: Guest, group: str, *, holds_token: bool, now: float) -> None:
        """Show out a socket of the largest group of the address that holds the most."""
        watching = [one for one in self._guests if one.watches]
        crowd = _largest(watching)
        candidates = [one for one in watching if one.address == crowd]
        groups = Counter(name for one in candidates for name in one.groups)

        def size(one: Guest) -> int:
            return max(groups[name] for name in one.groups)

        # First sockets without a token, then those of large groups, then those with the oldest acknowledgement.
        victim = max(candidates, key=lambda one: (not one.holds_token, size(one), -one.acknowledged))
        if guest.address != crowd:
            gains = len(candidates) > sum(one.address == guest.address for one in watching) + 1
        elif holds_token == victim.holds_token:
            gains = size(victim) > groups[group] + 1
        else:
            gains = holds_token
        is_silent = now - victim.acknowledged >= SILENT_SECONDS and holds_token >= victim.holds_token
        if not (gains or is_silent):
            raise self._full()
        self._show_out(victim)

    def _show_out(self, guest: Guest) -> None:
        self.leave(guest)
        guest.leave()

    def _full(self) -> Unavailable:
        return Unavailable(f"all {self._most:,} sockets of this server are in use", retry_after=10)


def _largest(guests: list[Guest]) -> str | None:
    """The address that has the most of them."""
    most = Counter(one.address for one in guests).most_common(1)
    return most[0][0] if most else None
