"""A history in pieces that can be kept: which there are, and which of them changed since they were kept last.

Most of a long history never changes again, so that keeping it anew costs little more than what is new in it. Must not
know where pieces are kept, nor what the series are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fallline.history.shelf import BucketShelf, StepShelf
from fallline.vocabulary.packing import About, Arrays

Kind: TypeAlias = Literal["first", "last", "trunk", "summary", "first_summary", "octave", "twig", "waiting"]

BLOCK = 128
"""So many of the trunk's buckets make one piece."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece. The same name and version mean the same numbers; `arrays` copies them out."""

    name: str
    version: tuple[int, int]
    about: About
    arrays: Callable[[], Arrays]


def steps_part(kind: Kind, shelf: StepShelf) -> list[Part]:
    """All steps of a shelf, if there are any."""
    start, stop = shelf.start, shelf.stop

    def arrays() -> Arrays:
        held = shelf.records(start, stop)
        return {"samples_seen": held.samples_seen, "seconds": held.seconds, "values": held.values}

    about: About = {"kind": kind, "start": start, "width": 1}
    return [Part(kind, (start, stop), about, arrays)] if start < stop else []


def buckets_parts(kind: Kind, shelf: BucketShelf, block: int | None = None) -> list[Part]:
    """A shelf's buckets in blocks of so many, or in one piece."""
    size = shelf.stop - shelf.start if block is None else block
    return [
        _buckets_part(
            kind, shelf, start, min(start + size, shelf.stop), None if block is None else start // size
        )
        for start in range(shelf.start, shelf.stop, max(size, 1))
    ]


def _buckets_part(kind: Kind, shelf: BucketShelf, start: int, stop: int, number: int | None) -> Part:
    name = f"{kind}-{shelf.width}" + ("" if number is None else f"-{number}")
    about: About = {"kind": kind, "start": start, "width": shelf.width}
    return Part(name, (start, stop), about, lambda: shelf.arrays(start, stop))
