"""The news of one experiment that some reader still lacks: one copy for all readers, each with a place in it.

Owns the limit: beyond it, the pieces between two places are merged into wider buckets, once for all readers. It drops
pieces that every reader has passed. A reader who is stuck costs only its place. Must not know who reads, or when.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count

import numpy as np

from fallline.realtime.frames import Header
from fallline.vocabulary.columns import Buckets, bucket_bytes, coarsen, join

Runs = Mapping[str, tuple[Header, Buckets | None]]

MOST_BYTES = 2 * 1024 * 1024
"""Bytes of one experiment's news: many times those of a frame, so that whoever is in time loses nothing."""

START = -1
"""The place of a reader who has had nothing of a run."""


class RunBacklog:
    """One generation of one run: `pieces` of its history in a row, and the places at which readers stand in it.

    `end` is the step that must come next, None before the first piece; a place is the first step not yet had.
    """

    def __init__(self, number: int, header: Header, readers: int) -> None:
        self.number = number
        self.header = header
        self.names: tuple[str, ...] = ()
        self.pieces: list[Buckets] = []
        self.end: int | None = None
        self.buckets = 0
        self._places: Counter[int] = Counter({START: readers} if readers else {})

    @property
    def bytes(self) -> int:
        return self.buckets * bucket_bytes(self.names)

    @property
    def last_place(self) -> int:
        """The place of a reader who has had everything."""
        return START if self.end is None else self.end

    def add(self, piece: Buckets) -> bool:
        """Take the piece that follows. False, and nothing taken, where it does not follow."""
        self.names = piece.names
        if not len(piece):
            return True
        if self.end is not None and int(piece.first[0]) != self.end:
            return False
        self.end = int(piece.last[-1]) + 1
        if self._places:
            self.pieces.append(piece)
            self.buckets += len(piece)
        return True

    def since(self, place: int) -> tuple[Buckets, ...]:
        """The pieces that a reader at this place has not had."""
        return tuple(_from(piece, place) for piece in self.pieces if piece.last[-1] >= place)

    def arrive(self, place: int) -> None:
        """One more reader stands there."""
        self._places[place] += 1

    def depart(self, place: int) -> None:
        """One reader less; what nobody lacks any more is dropped."""
        self._places[place] -= 1
        if self._places[place] > 0:
            return
        del self._places[place]
        lowest = min(self._places, default=None)
        passed = 0
        while passed < len(self.pieces) and (lowest is None or self.pieces[passed].last[-1] < lowest):
            self.buckets -= len(self.pieces[passed])
            passed += 1
        del self.pieces[:passed]

    def compact(self, buckets: int) -> None:
        """Hold about so many buckets at most, and one at least between every two places."""
        groups = list(self._groups())
        at_most = max(buckets // max(len(groups), 1), 1)
        self.pieces = [_merged(group, at_most) for group in groups]
        self.buckets = sum(map(len, self.pieces))

    def _groups(self) -> Iterator[list[Buckets]]:
        """The pieces between neighbouring places."""
        places = sorted(self._places)
        group: list[Buckets] = []
        for piece in self.pieces:
            first, last = int(piece.first[0]), int(piece.last[-1])
            for cut in places[bisect_left(places, first) : bisect_right(places, last)]:
                at = int(np.searchsorted(piece.first, cut))
                if at:
                    group.append(piece.part(slice(0, at)))
                    piece = piece.part(slice(at, None))
                if group:
                    yield group
                    group = []
            group.append(piece)
        if group:
            yield group


def _from(piece: Buckets, place: int) -> Buckets:
    if piece.first[0] >= place:
        return piece
    return piece.part(slice(int(np.searchsorted(piece.first, place)), None))


def _merged(group: list[Buckets], at_most: int) -> Buckets:
    """The group as one piece of at most so many buckets, in arrays of its own: a slice keeps all it is cut from."""
    if len(group) == 1 and len(group[0]) <= at_most:
        return group[0]
    joined = coarsen(join(*group), at_most)
    return joined.part(np.arange(len(joined)))


class Backlog:
    """All runs of one experiment, at most about `limit` bytes of them."""

    def __init__(self) -> None:
        self.strands: dict[str, RunBacklog] = {}
        self.readers = 0
        self.published = 0
        """So many publications."""
        self.is_broken = False
        """A piece came that did not follow: readers have to resume."""
        self._numbers = count()

    @property
    def bytes(self) -> int:
        """Bytes of everything held."""
        return sum(strand.bytes for strand in self.strands.values())

    def publish(self, runs: Runs, limit: int = MOST_BYTES) -> bool:
        """Take what every frame says of these runs from now on, and what follows of their histories. Is it news?"""
        is_news = False
        self.published += 1
        for run, (header, piece) in runs.items():
            strand = self.strands.get(run)
            if strand is None or strand.header["generation"] != header["generation"]:
                strand = self.strands[run] = RunBacklog(next(self._numbers), header, self.readers)
                is_news = True
            is_news = is_news or header != strand.header
            strand.header = header
            if piece is not None:
                is_news = is_news or len(piece) > 0
                self.is_broken = not strand.add(piece) or self.is_broken
        self.compact(limit)
        return is_news

    def compact(self, limit: int) -> None:
        """Merge what lies between places until it is about so many bytes: the heaviest run first, and no more than it
        takes, lest everybody wait while all runs are merged at once.
        """
        for strand in sorted(self.strands.values(), key=lambda strand: -strand.bytes):
            if self.bytes <= limit:
                break
            strand.compact(limit // (4 * len(self.strands)) // bucket_bytes(strand.names))

    def remove(self, run: str) -> None:
        """The run is gone."""
        self.strands.pop(run, None)


class Cursor:
    """One reader's places in a backlog: beside `another` reader, or at its present end."""

    def __init__(self, backlog: Backlog, another: Cursor | None = None) -> None:
        self.backlog = backlog
        self._places: dict[str, tuple[int, int]] = {}
        backlog.readers += 1
        for run, strand in backlog.strands.items():
            self._stand(run, strand, strand.last_place if another is None else another.place(run))

    def _stand(self, run: str, strand: RunBacklog, place: int) -> None:
        strand.arrive(place)
        self._places[run] = (strand.number, place)

    @property
    def strands(self) -> dict[str, RunBacklog]:
        """The runs there are."""
        return self.backlog.strands

    def place(self, run: str) -> int:
        """The first step of the run not yet had."""
        number, place = self._places.get(run, (None, START))
        return place if number == self.strands[run].number else START

    def lacks(self, run: str) -> bool:
        """True if the reader lacks pieces of the run."""
        strand = self.strands.get(run)
        return strand is not None and self.place(run) < strand.last_place

    def pieces(self, run: str) -> tuple[Buckets, ...]:
        """The pieces not yet had."""
        return self.strands[run].since(self.place(run)) if self.lacks(run) else ()

    @property
    def lag(self) -> int:
        """Buckets not yet had, of all runs."""
        return sum(len(piece) for run in self.strands for piece in self.pieces(run))

    def advance(self, run: str, place: int | None = None) -> None:
        """Go to this place in the run, or behind all that is there."""
        strand = self.strands.get(run)
        if strand is not None:
            before = self.place(run)
            self._stand(run, strand, strand.last_place if place is None else place)
            strand.depart(before)

    def forget(self, run: str) -> None:
        """The run is gone."""
        self._places.pop(run, None)

    def close(self) -> None:
        """Read no more."""
        self.backlog.readers -= 1
        for run, strand in self.strands.items():
            strand.depart(self.place(run))
