"""Measurements that some reader of an experiment lacks, stored once for all.

Owns the byte limit: above it, the pieces between two positions are merged into wider buckets, once for all readers.
Pieces that every reader has received are dropped. A stuck reader costs only its position.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count

import numpy as np

from fallline.realtime.frames import Header
from fallline.vocabulary.columns import Buckets, bucket_bytes, coarsen, join

Publication = Mapping[str, tuple[Header, Buckets | None]]

MOST_BYTES = 2 * 1024 * 1024
"""Bytes of one experiment's backlog: many frames, so a reader that keeps up loses no resolution."""

START = -1
"""Position of a reader that has received nothing of a run."""


class RunBacklog:
    """Consecutive `pieces` of one generation of a run, and its readers' positions.

    `end` is the step that must come next, None before the first piece. A position is the first step not yet received.
    """

    def __init__(self, number: int, header: Header, readers: int) -> None:
        self.number = number
        self.header = header
        self.names: tuple[str, ...] = ()
        self.pieces: list[Buckets] = []
        self.end: int | None = None
        self.buckets = 0
        self._positions: Counter[int] = Counter({START: readers} if readers else {})

    @property
    def bytes(self) -> int:
        return self.buckets * bucket_bytes(self.names)

    @property
    def end_position(self) -> int:
        """Position of a reader that has received everything."""
        return START if self.end is None else self.end

    def add(self, piece: Buckets) -> bool:
        """Append the next piece. Return False, and change nothing, if it does not follow."""
        self.names = piece.names
        if not len(piece):
            return True
        if self.end is not None and int(piece.first[0]) != self.end:
            return False
        self.end = int(piece.last[-1]) + 1
        if self._positions:
            self.pieces.append(piece)
            self.buckets += len(piece)
        return True

    def since(self, position: int) -> tuple[Buckets, ...]:
        """Return the pieces that a reader at this position lacks."""
        return tuple(_from(piece, position) for piece in self.pieces if piece.last[-1] >= position)

    def add_reader(self, position: int) -> None:
        self._positions[position] += 1

    def remove_reader(self, position: int) -> None:
        """Count one reader less, and drop the pieces that no reader lacks any more."""
        self._positions[position] -= 1
        if self._positions[position] > 0:
            return
        del self._positions[position]
        lowest = min(self._positions, default=None)
        passed = 0
        while passed < len(self.pieces) and (lowest is None or self.pieces[passed].last[-1] < lowest):
            self.buckets -= len(self.pieces[passed])
            passed += 1
        del self.pieces[:passed]

    def compact(self, buckets: int) -> None:
        """Merge to about this many buckets, with at least one between every two positions."""
        groups = list(self._groups())
        at_most = max(buckets // max(len(groups), 1), 1)
        self.pieces = [_merged(group, at_most) for group in groups]
        self.buckets = sum(map(len, self.pieces))

    def _groups(self) -> Iterator[list[Buckets]]:
        """Yield the pieces between neighbouring positions."""
        positions = sorted(self._positions)
        group: list[Buckets] = []
        for piece in self.pieces:
            first, last = int(piece.first[0]), int(piece.last[-1])
            for cut in positions[bisect_left(positions, first) : bisect_right(positions, last)]:
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


def _from(piece: Buckets, position: int) -> Buckets:
    if piece.first[0] >= position:
        return piece
    return piece.part(slice(int(np.searchsorted(piece.first, position)), None))


def _merged(group: list[Buckets], at_most: int) -> Buckets:
    """Join the group to one piece, with its own arrays: a slice keeps all of them."""
    if len(group) == 1 and len(group[0]) <= at_most:
        return group[0]
    joined = coarsen(join(*group), at_most)
    return joined.part(np.arange(len(joined)))


class Backlog:
    """The run backlogs of one experiment, together about `limit` bytes at most."""

    def __init__(self) -> None:
        self.runs: dict[str, RunBacklog] = {}
        self.readers = 0
        self.published = 0
        """Number of publications so far."""
        self.made_at = 0.0
        """When the newest one was made, on the caller's clock."""
        self.is_broken = False
        """A piece did not follow the one before, so readers have to resume."""
        self._numbers = count()

    @property
    def bytes(self) -> int:
        return sum(run.bytes for run in self.runs.values())

    def publish(self, runs: Publication, limit: int = MOST_BYTES) -> bool:
        """Store headers and next pieces of some runs; return whether anything changed."""
        has_changed = False
        self.published += 1
        for name, (header, piece) in runs.items():
            run = self.runs.get(name)
            if run is None or run.header["generation"] != header["generation"]:
                run = self.runs[name] = RunBacklog(next(self._numbers), header, self.readers)
                has_changed = True
            has_changed = has_changed or header != run.header
            run.header = header
            if piece is not None:
                has_changed = has_changed or len(piece) > 0
                self.is_broken = not run.add(piece) or self.is_broken
        self.compact(limit)
        return has_changed

    def compact(self, limit: int) -> None:
        """Merge pieces until about `limit` bytes are left, the heaviest run first.

        It stops as soon as the limit is met: merging every run at once would delay all readers.
        """
        for run in sorted(self.runs.values(), key=lambda run: -run.bytes):
            if self.bytes <= limit:
                break
            run.compact(limit // (4 * len(self.runs)) // bucket_bytes(run.names))

    def remove(self, run: str) -> None:
        """Drop a run that has been removed from the experiment."""
        self.runs.pop(run, None)


class Cursor:
    """One reader's positions in a backlog: at its end, where `another` is, or at the start."""

    def __init__(self, backlog: Backlog, another: Cursor | None = None, *, from_start: bool = False) -> None:
        self.backlog = backlog
        self._positions: dict[str, tuple[int, int]] = {}
        backlog.readers += 1
        for name, run in backlog.runs.items():
            end = run.end_position if another is None else another.position(name)
            self._move(name, run, START if from_start else end)

    def _move(self, name: str, run: RunBacklog, position: int) -> None:
        run.add_reader(position)
        self._positions[name] = (run.number, position)

    @property
    def runs(self) -> dict[str, RunBacklog]:
        return self.backlog.runs

    def position(self, run: str) -> int:
        """Return the first step of the run not yet received."""
        number, position = self._positions.get(run, (None, START))
        return position if number == self.runs[run].number else START

    def lacks(self, run: str) -> bool:
        backlog = self.runs.get(run)
        return backlog is not None and self.position(run) < backlog.end_position

    def pieces(self, run: str) -> tuple[Buckets, ...]:
        return self.runs[run].since(self.position(run)) if self.lacks(run) else ()

    @property
    def lag(self) -> int:
        """Buckets not yet received, over all runs."""
        return sum(len(piece) for run in self.runs for piece in self.pieces(run))

    def advance(self, run: str, position: int | None = None) -> None:
        """Move to this position of the run, or to its end."""
        backlog = self.runs.get(run)
        if backlog is not None:
            before = self.position(run)
            self._move(run, backlog, backlog.end_position if position is None else position)
            backlog.remove_reader(before)

    def forget(self, run: str) -> None:
        """Drop the position in a run that has been removed."""
        self._positions.pop(run, None)

    def close(self) -> None:
        """Stop reading."""
        self.backlog.readers -= 1
        for name, run in self.runs.items():
            run.remove_reader(self.position(name))
