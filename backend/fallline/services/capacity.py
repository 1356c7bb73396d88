"""The room that open experiments use, and which of them make room for another.

Owns how an open experiment counts: its use and its bytes. While it makes steps it counts for its expected maximum. Must
not know how one is opened or put away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from fallline.services.audience import Audience
from fallline.services.owners import LINE_SECONDS, Owners
from fallline.services.places import Limits, Occupant, Use, leaving
from fallline.services.register import Entry, Opening

FRESH_SECONDS = 1.0
"""How long a count of the free bytes is used for small growth."""

SMALL_PART = 1 / 8
"""Part of the free bytes that may be used without counting anew, and part of all bytes that may be on its way out."""


class Capacity:
    """Used places and bytes, against their limits. `clock` gives seconds."""

    def __init__(
        self, owners: Owners, audience: Audience, clock: Callable[[], float], limits: Limits
    ) -> None:
        self._owners = owners
        self._audience = audience
        self._clock = clock
        self.limits = limits
        self.closing = 0
        """Bytes of experiments that are being put away. They do not count as taken, and are soon free."""

        self._left = 0.0
        self._counted_at = float("-inf")

    @property
    def is_bounded(self) -> bool:
        """True if there is a limit on bytes."""
        return self.limits.bytes < float("inf")

    @property
    def closes_many(self) -> bool:
        """True if so many bytes are being put away that a newcomer has to wait for them."""
        return self.closing > SMALL_PART * self.limits.bytes

    def use_of(self, id: str, opening: Opening, entry: Entry, now: float) -> Use:
        """How an open experiment is used."""
        if not opening.done.done() or opening.joining > 0 or opening.visitors > 0:
            return Use.READ
        if self._audience.watchers(id):
            is_read = now - max(opening.watched_at, entry.acknowledged) <= LINE_SECONDS
            return Use.READ if is_read else Use.UNREAD
        return Use.BUSY if opening.usage.is_busy or opening.at_work else Use.IDLE

    def occupants(self, asking: str | None = None) -> Iterator[Occupant]:
        """All open experiments except visits. The one that is `asking` stays."""
        now = self._clock()
        for id, entry, share in self._owners.open_ones():
            opening = entry.opening
            if opening is not None and not opening.is_visit:
                use = Use.READ if id == asking else self.use_of(id, opening, entry, now)
                yield Occupant(id, share, entry.seen, use, bytes_of(opening))

    @property
    def taken(self) -> int:
        """Bytes of all open experiments, and of data that watchers still lack."""
        opened = (entry.opening for _, entry, _ in self._owners.open_ones())
        return sum(bytes_of(each) for each in opened if each is not None) + self._aside

    @property
    def _aside(self) -> int:
        return self._audience.bytes

    def leaving(self, share: str, need: int, *, places: int = 1, asking: str | None = None) -> list[Occupant]:
        """Choose experiments that make room, see `places.leaving`. Raises Unavailable."""
        visits = sum(
            bytes_of(entry.opening)
            for _, entry, _ in self._owners.open_ones()
            if entry.opening is not None and entry.opening.is_visit
        )
        limits = Limits(self.limits.places, self.limits.bytes - self._aside - visits, self.limits.puts_away)
        return leaving(self.occupants(asking), share, need, limits, places=places)

    def to_pause(self) -> list[str]:
        """List playing experiments: the largest share first, and the largest first within a share."""
        shares, moving = Counter[str](), []
        for id, entry, share in self._owners.open_ones():
            if entry.opening is not None:
                shares[share] += bytes_of(entry.opening)
                if entry.opening.usage.is_busy:
                    moving.append((id, share, bytes_of(entry.opening)))
        moving.sort(key=lambda each: (-shares[each[1]], each[1], -each[2]))
        return [id for id, _, _ in moving]

    def has_left(self, need: int) -> bool:
        """True if the need is so small that it fits without counting or putting anything away."""
        if not self.is_bounded:
            return True
        now = self._clock()
        if now - self._counted_at > FRESH_SECONDS:
            self._left, self._counted_at = self.limits.bytes - self.taken, now
        if need > SMALL_PART * self._left:
            return False
        self._left -= need
        return True


def bytes_of(opening: Opening) -> int:
    """Bytes that an open experiment counts for: its present size, or its expected maximum while it makes steps."""
    usage = opening.usage
    held = usage.bytes + opening.repeats.nbytes
    if opening.at_work or usage.is_busy or not opening.done.done():
        held = max(held, usage.ceiling, opening.expected)
    return held + usage.beyond
