"""All open connections (sockets and lines), and which of them are closed when there are too many.

Owns the limits by address and by owner. A new socket replaces one of the address with the most sockets. So neither one
client nor one address excludes the others, and a class behind one address keeps its sockets. Must not know the messages
of a socket; callers pass the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fallline.vocabulary.errors import Unavailable

MOST_WAITING = 50
"""Limit on the sockets of one address that have asked for nothing yet. Sockets whose experiment is being opened do not
count: after a restart a class has hundreds of them.
"""

MOMENT_SECONDS = 0.25
"""How long a new socket that watches nothing is not replaced, however many come."""

MOST_OF_OWNER = 8
"""Limit on the sockets with tokens of one owner's experiments."""

SILENT_SECONDS = 15.0
"""A socket without an acknowledgement for this long may be replaced by another of the same rank."""


WEBSOCKET, EVENTS, POLLING = KINDS = ("websocket", "server-sent-events", "long-polling")
"""How a connection brings messages to its client. All kinds count alike."""


@dataclass(eq=False)
class OpenSocket:
    """An open socket. `close` asks the client to reconnect later."""

    address: str | None
    entered: float
    close: Callable[[], None]
    acknowledged: float = field(init=False)
    """Time of its last acknowledgement."""
    owners: dict[str, str] = field(default_factory=dict)
    """Owners of the experiments that it watches with a token, by experiment."""
    looks_at: set[str] = field(default_factory=set)
    """Experiments that it watches without a token."""
    kind: str = WEBSOCKET
    is_joining: bool = False
    """True while the experiment that it asked for is being opened."""

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
        """The groups to which it counts: its owners, or without a token its experiments."""
        return set(self.owners.values()) or self.looks_at


class OpenSockets:
    """All sockets: `most` that watch an experiment, and a quarter more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sockets: dict[OpenSocket, None] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    @property
    def people(self) -> int:
        """The number of owners with an open socket that has a token."""
        return len({owner for one in self._sockets for owner in one.owners.values()})

    @property
    def by_kind(self) -> dict[str, int]:
        """The number of sockets of each kind."""
        return {**dict.fromkeys(KINDS, 0), **Counter(one.kind for one in self._sockets)}

    @property
    def watching(self) -> int:
        """The number of sockets that watch something."""
        return len([one for one in self._sockets if one.watches])

    def enter(self, socket: OpenSocket, now: float) -> None:
        """Add a socket. Raises Unavailable if no other can be replaced."""
        waiting = [one for one in self._sockets if not one.watches]
        of_address = [one for one in waiting if one.address == socket.address and not one.is_joining]
        if len(of_address) >= MOST_WAITING:
            self._replace(of_address, now)
        elif len(self._sockets) >= self._most + self._most // 4:
            crowd = _largest(waiting)
            self._replace([one for one in waiting if one.address == crowd], now)
        self._sockets[socket] = None

    def _replace(self, waiting: list[OpenSocket], now: float) -> None:
        """Close the socket that has waited longest, unless it is very new."""
        if not waiting or now - waiting[0].entered < MOMENT_SECONDS:
            raise Unavailable("too many new sockets watch nothing yet: retry", retry_after=1)
        self._close(waiting[0])

    def leave(self, socket: OpenSocket) -> None:
        """Remove a closed socket. Repeats have no effect."""
        self._sockets.pop(socket, None)

    def watch(self, socket: OpenSocket, experiment: str, owner: str | None, now: float) -> None:
        """Record that a socket watches an experiment. Raises Unavailable.

        `owner` is the owner of its token; None without a token.
        """
        if owner is not None and owner not in socket.owners.values():
            of_owner = sum(owner in one.owners.values() for one in self._sockets)
            if of_owner >= MOST_OF_OWNER:
                raise Unavailable(
                    f"the limit is {MOST_OF_OWNER} sockets with tokens of one owner: close one",
                    retry_after=10,
                )
        if not socket.watches and sum(one.watches for one in self._sockets) >= self._most:
            self._make_room(socket, owner or experiment, holds_token=owner is not None, now=now)
        self.unwatch(socket, experiment)
        if owner is None:
            socket.looks_at.add(experiment)
        else:
            socket.owners[experiment] = owner

    def unwatch(self, socket: OpenSocket, experiment: str) -> None:
        """Record that a socket no longer watches an experiment."""
        socket.owners.pop(experiment, None)
        socket.looks_at.discard(experiment)

    def _make_room(self, socket: OpenSocket, group: str, *, holds_token: bool, now: float) -> None:
        """Close a socket of the largest group of the address with the most sockets."""
        watching = [one for one in self._sockets if one.watches]
        crowd = _largest(watching)
        candidates = [one for one in watching if one.address == crowd]
        groups = Counter(name for one in candidates for name in one.groups)

        def size(one: OpenSocket) -> int:
            return max(groups[name] for name in one.groups)

        # First sockets without a token, then sockets of large groups, then the longest silent ones.
        victim = max(candidates, key=lambda one: (not one.holds_token, size(one), -one.acknowledged))
        if socket.address != crowd:
            gains = len(candidates) > sum(one.address == socket.address for one in watching) + 1
        elif holds_token == victim.holds_token:
            gains = size(victim) > groups[group] + 1
        else:
            gains = holds_token
        is_silent = now - victim.acknowledged >= SILENT_SECONDS and holds_token >= victim.holds_token
        if not (gains or is_silent):
            raise self._full()
        self._close(victim)

    def _close(self, socket: OpenSocket) -> None:
        self.leave(socket)
        socket.close()

    def _full(self) -> Unavailable:
        return Unavailable(
            f"all {self._most:,} sockets of this server are in use: retry later", retry_after=10
        )


def _largest(sockets: list[OpenSocket]) -> str | None:
    """Return the address with the most of these sockets."""
    most = Counter(one.address for one in sockets).most_common(1)
    return most[0][0] if most else None
