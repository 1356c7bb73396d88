"""Which buckets tell a range of steps: arithmetic on zones and widths, before anything is read.

A zone is a stretch of steps and the finest width at which all of it is held. Widths rise from the first zone to the
middle and fall to the last, and a border between two zones is a multiple of both their widths. Must not know shelves or
values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fallline.vocabulary.dyadic import ceil, floor, pieces


@dataclass(frozen=True, slots=True)
class Zone:
    """The steps start <= k < stop, held in buckets of `width` steps or finer ones that make it up."""

    start: int
    stop: int
    width: int


@dataclass(frozen=True, slots=True)
class Cover:
    """The steps start <= k < stop in buckets of `width` where finer ones are held, and in the finest held elsewhere.

    Ragged ends are in smaller buckets, except that the steps from `whole` on, if there are any, are one bucket that
    ends before it is full.
    """

    start: int
    whole: int
    stop: int
    width: int


def cover(zones: Sequence[Zone], first: int, last: int, at_most: int, *, exact_start: bool) -> Cover:
    """The finest cover of the steps `first` ... `last` in at most so many buckets.

    With `exact_start` it begins at `first` where that step is held singly and at_most allows; without, it may begin at
    a multiple of the width before it, which keeps buckets equally wide.
    """
    stop = zones[-1].stop
    for exact in (True, False) if exact_start else (False,):
        for width in _widths(stop):
            start, end = _ends(zones, first, last, width, exact=exact)
            if count(zones, start, end, width) <= at_most:
                return Cover(start, end, end, width)
    for width in _widths(stop):
        start, end = _ends(zones, first, last, width, exact=False)
        whole = max(floor(end, width), start)
        if count(zones, start, whole, width) + (whole < end) <= at_most:
            return Cover(start, whole, end, width)
    raise AssertionError("one bucket that ends early can tell everything")


def count(zones: Sequence[Zone], start: int, stop: int, width: int) -> int:
    """How many buckets tell start <= k < stop, in buckets of `width` where finer ones are held."""
    wide = [zone for zone in zones if zone.width > width and zone.start < stop and zone.stop > start]
    if not wide:
        return pieces(start, stop, width)
    begin, end = max(wide[0].start, start), min(wide[-1].stop, stop)
    middle = sum((min(zone.stop, end) - max(zone.start, begin)) // zone.width for zone in wide)
    return pieces(start, begin, width) + middle + pieces(end, stop, width)


def _widths(stop: int) -> Iterator[int]:
    return (1 << exponent for exponent in range(stop.bit_length() + 1))


def _ends(zones: Sequence[Zone], first: int, last: int, width: int, *, exact: bool) -> tuple[int, int]:
    """Where whole buckets that overlap first ... last begin and end."""
    held_first, held_last = _held(zones, first), _held(zones, last)
    start = floor(first, held_first if exact else max(held_first, width))
    end = ceil(last + 1, max(held_last, width))
    return start, end if end <= zones[-1].stop else ceil(last + 1, held_last)


def _held(zones: Sequence[Zone], step: int) -> int:
    return next(zone.width for zone in zones if step < zone.stop)
