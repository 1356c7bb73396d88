"""A history in pieces for storage, with a version that shows which pieces changed.

Most of a long history never changes again, so a save costs little more than its new part. Must not know where pieces
are stored, nor the meaning of series.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fallline.history.ring import BucketRing, StepRing
from fallline.vocabulary.packing import About, Arrays

Kind: TypeAlias = Literal["first", "last", "trunk", "summary", "first_summary", "octave", "twig", "waiting"]

BLOCK = 128
"""Number of the trunk's buckets in one piece."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece; the same name and version mean the same numbers."""

    name: str
    version: tuple[int, int]
    about: About
    arrays: Callable[[], Arrays]


def steps_part(kind: Kind, ring: StepRing) -> list[Part]:
    """Return all steps of a ring as a piece, if there are any."""
    start, stop = ring.start, ring.stop

    def arrays() -> Arrays:
        records = ring.records(start, stop)
        return {
            "samples_seen": records.samples_seen,
            "seconds": records.seconds,
            "values": records.values,
        }

    about: About = {"kind": kind, "start": start, "width": 1}
    return [Part(kind, (start, stop), about, arrays)] if start < stop else []


def buckets_parts(kind: Kind, ring: BucketRing, block: int | None = None) -> list[Part]:
    """Return a ring's buckets in pieces of `block` buckets, or in one piece."""
    size = ring.stop - ring.start if block is None else block
    return [
        _buckets_part(
            kind, ring, start, min(start + size, ring.stop), None if block is None else start // size
        )
        for start in range(ring.start, ring.stop, max(size, 1))
    ]


def _buckets_part(kind: Kind, ring: BucketRing, start: int, stop: int, number: int | None) -> Part:
    name = f"{kind}-{ring.width}" + ("" if number is None else f"-{number}")
    about: About = {"kind": kind, "start": start, "width": ring.width}
    return Part(name, (start, stop), about, lambda: ring.arrays(start, stop))
