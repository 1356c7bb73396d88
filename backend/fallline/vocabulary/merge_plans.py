"""Which neighbouring buckets are merged, and in which order.

Their steps alone decide, so a plan is made on a few integers and serves all series, and all runs at the same steps.
Whole buckets [k w, (k + 1) w), w a power of two, come from their two halves. So means round the same for all
slices.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]

Steps = tuple[int, ...]
"""First or last steps of buckets, rising."""

SMALL = 512
"""Most buckets of a plan that is kept: the runs of an experiment mostly publish the same steps."""


@dataclass(frozen=True, slots=True, eq=False)
class MergePlan:
    """Merges of buckets, by their places.

    In this order, the bucket at each of `rights` is merged into the one at the same index of `lefts`. The results are
    at `kept`; each ends with the bucket at the same index of `ends`.
    """

    lefts: Places
    rights: Places
    kept: Places
    ends: Places

    def rounds(self) -> Iterator[tuple[Places, Places]]:
        """Yield the pairs that can be merged at once, round by round."""
        is_ready = [0] * (int(self.ends[-1]) + 1)
        rounds: list[list[int]] = []
        for at, (left, right) in enumerate(zip(self.lefts.tolist(), self.rights.tolist(), strict=True)):
            number = max(is_ready[left], is_ready[right])
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(at)
            is_ready[left] = number + 1
        for pairs in rounds:
            yield self.lefts[pairs], self.rights[pairs]


@dataclass(slots=True)
class _Level:
    """The buckets after some merges: their places and steps, and the number of these merges."""

    width: int
    places: list[int]
    ends: list[int]
    first: list[int]
    last: list[int]
    merges: int = 0


class _Merges:
    """The merges of one plan so far."""

    def __init__(self, first: Sequence[int], last: Sequence[int]) -> None:
        self._pairs: list[tuple[int, int]] = []
        places = list(range(len(first)))
        self._unmerged = _Level(1, places, places, list(first), list(last))

    def levels(self, most_width: int) -> Iterator[_Level]:
        """Yield the buckets after the merges up to each width, from 1 on."""
        level = self._unmerged
        yield level
        widths = set(_widths_in(level))
        while level.width < most_width:
            half = level.width
            if half in widths:
                level = self._halves_merged(level)
                widths = set(_widths_in(level))
            else:  # the next width has no halves here
                level = _Level(2 * half, level.places, level.ends, level.first, level.last, level.merges)
            yield level

    def _halves_merged(self, level: _Level) -> _Level:
        """Merge all neighbours that are the two halves of a bucket of twice the width."""
        half, width = level.width, 2 * level.width
        merged = _Level(width, [], [], [], [])
        is_half = [each == half for each in _widths_in(level)]
        at = 0
        while at < len(is_half):
            until = at
            if is_half[at : at + 2] == [True, True] and level.first[at] % width == 0:
                until = at + 1
                self._pairs.append((level.places[at], level.places[until]))
            merged.places.append(level.places[at])
            merged.ends.append(level.ends[until])
            merged.first.append(level.first[at])
            merged.last.append(level.last[until])
            at = until + 1
        merged.merges = len(self._pairs)
        return merged

    def plan(self, level: _Level, starts: Sequence[int] | None = None) -> MergePlan:
        """Return the plan of the merges up to this level, and then of each group of neighbours that begins at one of
        `starts`.
        """
        pairs, places, ends = self._pairs[: level.merges], level.places, level.ends
        if starts is not None:
            places, ends = [], []
            for start, stop in zip(starts, (*starts[1:], len(level.places)), strict=True):
                pairs += _as_one(level.places[start:stop])
                places.append(level.places[start])
                ends.append(level.ends[stop - 1])
        return _plan_of(pairs, places, ends)


def _plan_of(pairs: list[tuple[int, int]], places: list[int], ends: list[int]) -> MergePlan:
    lefts, rights = np.array(pairs, np.intp).reshape(-1, 2).T.copy()
    return MergePlan(lefts, rights, np.array(places, np.intp), np.array(ends, np.intp))


def _widths_in(level: _Level) -> list[int]:
    return [last - first + 1 for first, last in zip(level.first, level.last, strict=True)]


def _as_one(places: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the merges of neighbours of any width into one, pair by pair."""
    while len(places) > 1:
        yield from zip(places[::2], places[1::2], strict=False)
        places = places[::2]


# ---------------------------------------------------------------------- plans


def widened(first: Sequence[int], last: Sequence[int], width: int) -> MergePlan:
    """Merge up to this width, a power of two. Wider buckets and ragged ends stay."""
    merges = _Merges(first, last)
    *_, level = merges.levels(width)
    return merges.plan(level)


def into_one(count: int) -> MergePlan:
    """Merge so many neighbours of any width into one bucket."""
    return _plan_of(list(_as_one(list(range(count)))), [0], [count - 1])


def coarsened(first: Steps, last: Steps, at_most: int) -> MergePlan:
    """Return the plan of `coarsen`: at most this many buckets of the same steps, as fine as possible.

    If whole buckets and ragged ends are too many, the newest bucket may end early. If that is not enough, the oldest
    may also begin late.
    """
    return (_kept_plan if len(first) <= SMALL else _coarsened)(first, last, at_most)


def _coarsened(first: Steps, last: Steps, at_most: int) -> MergePlan:
    merges, levels = _Merges(first, last), []
    for level in merges.levels(_width_of_all(last[-1])):
        if len(level.places) <= at_most:
            return merges.plan(level)
        levels.append(level)
    for starts_of in (_newest_cut_short, _both_ends_cut_short):
        for level in levels:
            starts = starts_of(level, last[-1])
            if len(starts) <= at_most:
                return merges.plan(level, starts)
    raise AssertionError("one bucket of everything is always possible")


_kept_plan = lru_cache(maxsize=32)(_coarsened)


def _width_of_all(last: int) -> int:
    """Return the first power of two above this step: one bucket of that width has all."""
    return 1 << last.bit_length()


def _newest_cut_short(level: _Level, last: int) -> Sequence[int]:
    newest = last // level.width * level.width
    if newest < level.first[0]:  # one bucket would begin late too, and finer ones may be enough
        return range(len(level.first))
    return range(min(bisect_left(level.first, newest) + 1, len(level.first)))


def _both_ends_cut_short(level: _Level, last: int) -> Sequence[int]:
    numbers = [first // level.width for first in level.first]
    return [at for at, number in enumerate(numbers) if not at or number != numbers[at - 1]]
