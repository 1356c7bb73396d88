"""Slots and bytes that live experiments use, and evictions to free them.

Owns the use and the bytes that each counts for. An experiment that makes steps counts for its expected maximum. Must
not know how an experiment is opened or evicted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from fallline.realtime.hub import Hub
from fallline.services.eviction import Candidate, Limits, Use, choose_evictions
from fallline.services.registry import LINE_SECONDS, Entry, LiveExperiment, Owners

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
        """Return how a live experiment is used."""
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
        """Choose as `eviction.choose_evictions` does. Raises Unavailable."""
        temporary = sum(
            entry.live.bytes
            for _, entry, _ in self._owners.live_entries()
            if entry.live is not None and entry.live.is_temporary
        )
        free = self.limits.bytes - self._subscribers.bytes - temporary
        limits = Limits(self.limits.slots, free, self.limits.can_evict)
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
