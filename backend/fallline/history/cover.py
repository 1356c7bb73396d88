"""The choice of buckets for a range of steps.

A zone is a range of steps with the finest width at which all of it is stored. Widths rise from the first zone to the
middle and fall to the last. A border between two zones is a multiple of both widths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fallline.vocabulary.columns import ceil, floor, pieces


@dataclass(frozen=True, slots=True)
class Zone:
    """The steps start <= k < stop, stored in buckets of `width` steps or finer ones."""

    start: int
    stop: int
    width: int


@dataclass(frozen=True, slots=True)
class Cover:
    """The steps start <= k < stop in buckets of `width`, or in wider stored ones.

    Both ends may have smaller buckets. The steps from `whole` on, if any, are one bucket that is not full.
    """

    start: int
    whole: int
    stop: int
    width: int


def cover(zones: Sequence[Zone], first: int, last: int, at_most: int) -> Cover:
    """Return the finest cover of `first` ... `last` in at most `at_most` buckets.

    It begins at `first` if that step is stored singly and `at_most` allows it, else at a multiple of the width before.
    """
    stop = zones[-1].stop
    for exact in (True, False):
        for width in _widths(stop):
            start, end = _ends(zones, first, last, width, exact=exact)
            if count(zones, start, end, width) <= at_most:
                return Cover(start, end, end, width)
    for width in _widths(stop):
        start, end = _ends(zones, first, last, width, exact=False)
        whole = max(floor(end, width), start)
        if count(zones, start, whole, width) + (whole < end) <= at_most:
            return Cover(start, whole, end, width)
    raise AssertionError("one bucket that is not full covers everything")


def count(zones: Sequence[Zone], start: int, stop: int, width: int) -> int:
    """Return the number of buckets of `width`, or of wider stored ones."""
    wide = [zone for zone in zones if zone.width > width and zone.start < stop and zone.stop > start]
    if not wide:
        return pieces(start, stop, width)
    begin, end = max(wide[0].start, start), min(wide[-1].stop, stop)
    middle = sum((min(zone.stop, end) - max(zone.start, begin)) // zone.width for zone in wide)
    return pieces(start, begin, width) + middle + pieces(end, stop, width)


def _widths(stop: int) -> Iterator[int]:
    return (1 << exponent for exponent in range(stop.bit_length() + 1))


def _ends(zones: Sequence[Zone], first: int, last: int, width: int, *, exact: bool) -> tuple[int, int]:
    """Return the start and end of the whole buckets that overlap first ... last."""
    first_width, last_width = _width(zones, first), _width(zones, last)
    start = floor(first, first_width if exact else max(first_width, width))
    end = ceil(last + 1, max(last_width, width))
    return start, end if end <= zones[-1].stop else ceil(last + 1, last_width)


def _width(zones: Sequence[Zone], step: int) -> int:
    return next(zone.width for zone in zones if step < zone.stop)
