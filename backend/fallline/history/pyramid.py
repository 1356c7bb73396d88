"""All series of a run at several resolutions, in bounded memory.

The content after n steps depends only on n, not on slices or readers:

- the first and the last 1,024 steps, one by one;
- the trunk: the whole run in 513 to 1,024 buckets; when there are too many, their width doubles;
- between the first steps and the trunk's width, 16 buckets per octave, for a logarithmic axis. Steps 1,024 to 2,047
  are in widths of 64, and so on;
- between the last steps and the trunk's width, the newest 16 of each width;
- summaries: one bucket for every 16 of the first steps, the last steps and the trunk's buckets. So a coarse view does
  not merge very many fine buckets.

Every bucket merges its two halves, so that means round the same for all slices. Single steps are the columns of one
set of arrays, and buckets those of another. Each ring has its place there: bucket k is at k modulo the ring's size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fallline.history.cover import Zone, cover
from fallline.vocabulary.columns import (
    STATISTICS,
    Buckets,
    Floats,
    Records,
    as_one,
    ceil,
    floor,
    from_records,
    join,
    pair_up,
    widen,
)
from fallline.vocabulary.encoding import About, Arrays

STEPS = 1024
"""Number of first, and of last, single steps; also the most buckets of the trunk."""

SUMMARY = 16
"""Number of steps or trunk buckets in a summary bucket; also the number of buckets per octave."""

_OCTAVE = STEPS // SUMMARY

FEW = 64
"""Steps that a new history has room for: most experiments of a workshop are short, and there are many."""

BLOCK = 128
"""Number of the trunk's buckets in one piece."""

CHUNK = 512
"""Most steps that are merged at a time, a power of two, so that they stay in the cache."""

_LONG = 1 << 27
"""Longest run that `most_bytes` covers: an hour at full speed."""

_WAITING = 2 * _OCTAVE
"""Place of the three buckets wider than the trunk's that may wait for their other half; before it are the summaries."""

_TRUNK = _WAITING + 3
_TWIGS = _TRUNK + STEPS

Kind: TypeAlias = Literal["first", "last", "trunk", "summary", "first_summary", "octave", "twig", "waiting"]

Rows = NDArray[np.intp]
_ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece; the same name and version mean the same numbers.

    A version is the first bucket, the one after the last, and the number of series.
    """

    name: str
    version: tuple[int, int, int]
    about: About
    arrays: Callable[[], Arrays]


class Ring(NamedTuple):
    """The buckets start <= k < stop of one width; bucket k is at `offset` + k % `size`."""

    kind: Kind
    width: int
    start: int
    stop: int
    offset: int
    size: int


def most_bytes(series: int) -> int:
    """Return the most bytes for so many series in a run of `_LONG` steps."""
    return 2 * STEPS * (16 + 8 * series) + _places(_LONG) * (16 + 36 * series)


def _width(settled: int) -> int:
    """Return the trunk's width when so many steps are merged."""
    return 1 << (max(settled - 1, 0) // STEPS).bit_length()


def _places(settled: int) -> int:
    """Return the number of places for buckets when so many steps are merged: a trunk is seldom full at first."""
    width = _width(settled)
    if width <= 2:
        return _OCTAVE * min(settled, 1) if width == 1 else _TRUNK + ceil(settled // width, BLOCK)
    return _TWIGS if width <= SUMMARY else _twig(width)[0]


def _twig(width: int) -> tuple[int, int]:
    """Return offset and size of the newest buckets of a width below the trunk's; an octave's follow."""
    if width == SUMMARY:
        return _TWIGS, _OCTAVE
    return _TWIGS + _OCTAVE + 2 * SUMMARY * (width.bit_length() - (2 * SUMMARY).bit_length()), SUMMARY


def _levels(trunk: int) -> NDArray[np.int64]:
    """Return offset and size of the ring that gets the newest buckets of each width 1, 2, 4 ..., by exponent.

    Size 0 means none: narrow buckets, which never wait.
    """
    levels = np.zeros(((SUMMARY * trunk).bit_length(), 2), np.int64)
    for exponent in range(1, len(levels)):
        width = 1 << exponent
        if width == trunk:
            levels[exponent] = _TRUNK, STEPS
        elif width == SUMMARY * trunk:
            levels[exponent] = 0 if trunk == 1 else _OCTAVE, _OCTAVE
        elif width >= SUMMARY:
            ahead = exponent - trunk.bit_length()
            levels[exponent] = _twig(width) if width < trunk else (_WAITING + ahead, 1)
    return levels


class Pyramid:
    """Series at several resolutions, appended in order and read by range."""

    def __init__(self, series: int) -> None:
        self.series = series
        self.count = 0
        self._settled = 0
        self._levels = _levels(1)
        self._steps: Arrays = {"samples_seen": np.empty(0, np.int64), "seconds": np.empty(0)}
        self._steps["values"] = np.empty((series, 0))
        self._buckets: Arrays = {"samples_seen": np.empty(0, np.int64), "seconds": np.empty(0)}
        self._buckets.update({name: np.empty((series, 0)) for name in STATISTICS.values()})
        self._buckets["count"] = np.empty((series, 0), np.uint32)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, full or not."""
        return sum(array.nbytes for array in (*self._steps.values(), *self._buckets.values()))

    @property
    def _trunk(self) -> int:
        """Width of the trunk's buckets."""
        return 1 << len(self._levels) - SUMMARY.bit_length()

    # ------------------------------------------------------------------ adding records

    def append(self, records: Records, rows: Rows) -> None:
        """Add the next records. Its series are these rows of their values."""
        while records.stop >= (border := STEPS * self._trunk) + SUMMARY:
            self._add(records.part(self.count, border), max(border, self.count), rows)
            self._double()
        self._add(records.part(self.count, records.stop), records.stop, rows)

    def _add(self, records: Records, stop: int, rows: Rows) -> None:
        """Add the records before step `stop`, for which the trunk has room."""
        until = floor(stop, SUMMARY)
        self._grow(stop, until)
        columns = records.samples_seen, records.seconds, records.values
        arrays = *self._steps.values(), *self._buckets.values()
        work = np.empty((6, CHUNK + 1))
        _APPEND[-1](self._settled, stop - len(records), *columns, rows, self._levels, *arrays, work)
        self.count, self._settled = stop, until

    def _grow(self, count: int, settled: int) -> None:
        if count > (room := len(self._steps["seconds"])) and room < 2 * STEPS:
            _enlarge(self._steps, min(max(FEW, 1 << (count - 1).bit_length()), 2 * STEPS))
        if (needed := _places(settled)) > len(self._buckets["seconds"]):
            _enlarge(self._buckets, needed)

    def _double(self) -> None:
        """Merge the full trunk's buckets in pairs; no bucket waits for its half now."""
        width = self._trunk
        rings = {ring.kind: ring for ring in self._rings() if ring.kind in ("first", "trunk", "summary")}
        buckets = self._read(rings.get("trunk", rings["first"]), 0, STEPS)
        summaries = pair_up(self._read(rings["summary"], 0, _OCTAVE))
        self._levels = _levels(2 * width)
        self._grow(self.count, self._settled + SUMMARY)
        kept = [(_TRUNK, STEPS, 0, pair_up(buckets)), (_OCTAVE, _OCTAVE, 0, summaries)]
        if width >= SUMMARY:
            # The last 1,024 steps need a summary like the first; wider rings only continue them.
            offset, size = _twig(width)
            kept.append((offset, size, STEPS - size, buckets.part(slice(STEPS - size, None))))
        if width >= _OCTAVE:
            kept.append((offset + SUMMARY, SUMMARY, SUMMARY, buckets.part(slice(SUMMARY, 2 * SUMMARY))))
        for offset, size, start, each in kept:
            _put(self._buckets, offset, size, start, {name: getattr(each, name) for name in self._buckets})

    def extend(self, is_old: NDArray[np.bool_], constants: Floats) -> None:
        """Add series, which have had one value so far: NaN is none. `is_old` says which rows those of before become."""
        self.series = len(is_old)
        values = constants[~is_old, np.newaxis]
        for arrays in (self._steps, self._buckets):
            for name, array in arrays.items():
                if array.ndim == 2:
                    arrays[name] = wider = np.empty((len(is_old), array.shape[1]), array.dtype)
                    wider[is_old], wider[~is_old] = array, 0 if name == "count" else values
        for ring in self._rings():
            if ring.kind not in ("first", "last"):
                places = slice(ring.offset, ring.offset + ring.size)
                self._buckets["count"][~is_old, places] = np.where(np.isfinite(values), ring.width, 0)

    # ------------------------------------------------------------------ storing

    def about(self) -> About:
        """Return the fields that the parts do not contain."""
        return {"count": self.count, "settled": self._settled}

    def parts(self) -> Iterator[Part]:
        """Yield pieces from which `restored` restores this history to the bit."""
        for ring in self._rings():
            size = BLOCK if ring.kind == "trunk" else max(ring.stop - ring.start, 1)
            for start in range(ring.start, ring.stop, size):
                stop = min(start + size, ring.stop)
                name = ring.kind + (f"-{ring.width}" if ring.width > 1 else "")
                name += f"-{start // size}" if ring.kind == "trunk" else ""
                about: About = {"kind": ring.kind, "start": start, "width": ring.width}
                yield Part(name, (start, stop, self.series), about, partial(self._stored, ring, start, stop))

    def _stored(self, ring: Ring, start: int, stop: int) -> Arrays:
        """Return copies of columns; the smallest integer type for counts up to the width saves space."""
        columns = self._columns(ring, start, stop)
        if "count" in columns:
            columns["count"] = columns["count"].astype(np.min_scalar_type(ring.width))
        return columns

    @classmethod
    def restored(cls, series: int, about: About, parts: Iterable[tuple[About, Arrays]]) -> Pyramid:
        """Restore a history from its parts. Raises KeyError for parts of another one."""
        pyramid = cls(series)
        pyramid.count, pyramid._settled = about["count"], about["settled"]
        pyramid._levels = _levels(_width(pyramid._settled))
        pyramid._grow(pyramid.count, pyramid._settled)
        rings = {(ring.kind, ring.width): ring for ring in pyramid._rings()}
        for each, arrays in parts:
            ring = rings[each["kind"], each["width"]]
            into = pyramid._steps if ring.width == 1 else pyramid._buckets
            _put(into, ring.offset, ring.size, each["start"], arrays)
        # The first versions merged the newest steps later.
        nothing = Records(pyramid.count, np.empty(0, np.int64), np.empty(0), (), np.empty((series, 0)))
        pyramid.count = pyramid._settled
        pyramid.append(nothing, np.arange(series))
        return pyramid

    # ------------------------------------------------------------------ reading

    def records(self, first: int, last: int, rows: Rows) -> Records | None:
        """Return the steps `first` ... `last` of these series, if all are the first or the last single steps."""
        rings, margin = self._rings_of_steps(), min(self._trunk, 2 * _OCTAVE)
        if self.count <= 2 * STEPS:
            rings = [Ring("first", 1, 0, self.count, 0, 2 * STEPS)]
        for ring in rings:
            # Wider buckets may end within the last steps.
            if ring.start + (margin if ring.start else 0) <= first and last < ring.stop:
                return Records(first, names=(), **self._columns(ring, first, last + 1, rows))
        return None

    def range(self, first: int, last: int, at_most: int, rows: Rows) -> Buckets:
        """Return at most `at_most` whole buckets of these series that overlap the steps `first` ... `last`.

        They begin at `first` if it is stored singly and `at_most` allows it. Time is proportional to `at_most` (plus
        the logarithm of the run's length), not to the range.
        """
        rings = [ring for ring in self._rings() if ring.kind != "waiting"]
        plan = cover(_zones(rings), first, last, at_most)
        buckets = self._merged(rings, plan.start, plan.whole, plan.width, rows)
        if plan.whole == plan.stop:
            return buckets
        return join(buckets, as_one(self._merged(rings, plan.whole, plan.stop, plan.width, rows)))

    def _merged(self, rings: list[Ring], start: int, stop: int, width: int, rows: Rows) -> Buckets:
        """Return start <= k < stop in buckets of `width`, or of wider stored ones."""
        spans: list[tuple[Ring, int, int]] = []
        rings = [ring for ring in rings if ring.start * ring.width < stop and ring.stop * ring.width > start]
        while start < stop:
            ring, until = _next(rings, start, stop, width)
            spans.append((ring, start // ring.width, until // ring.width))
            start = until
        parts = [Buckets.empty(())]
        for (is_single, is_long), group in groupby(spans, key=lambda span: _kind(span, width)):
            same = [*group]
            if is_long:
                parts += [part for span in same for part in self._paired_up(*span, width, rows)]
            else:
                parts += (
                    [self._read(*span, rows) for span in same] if is_single else [self._gathered(same, rows)]
                )
        joined = join(*parts)
        wide = np.flatnonzero(joined.last - joined.first + 1 >= width)
        if not len(wide) or wide[-1] - wide[0] >= len(wide):
            return widen(joined, width)
        head, tail = joined.part(slice(0, wide[0])), joined.part(slice(wide[-1] + 1, None))
        return join(widen(head, width), joined.part(slice(wide[0], wide[-1] + 1)), widen(tail, width))

    def _paired_up(self, ring: Ring, start: int, stop: int, width: int, rows: Rows) -> list[Buckets]:
        """Return copies of the buckets start <= k < stop, merged where whole ones of `width` lie within."""
        each = max(width // ring.width, 1)
        begin = min(ceil(start, each), stop)
        end = max(floor(stop, each), begin)
        middle = self._read(ring, begin, end, rows)
        for _ in range(each.bit_length() - 1):
            middle = pair_up(middle)
        return [self._read(ring, start, begin, rows), middle, self._read(ring, end, stop, rows)]

    def _gathered(self, spans: list[tuple[Ring, int, int]], rows: Rows) -> Buckets:
        """Return copies of buckets of several rings, which follow each other."""
        numbers = [np.arange(start, stop) for _, start, stop in spans]
        places = np.concatenate(
            [ring.offset + each % ring.size for (ring, *_), each in zip(spans, numbers, strict=True)]
        )
        first = np.concatenate([ring.width * each for (ring, *_), each in zip(spans, numbers, strict=True)])
        at = rows[:, np.newaxis], places
        columns: dict[str, Any] = {
            name: array[places] if array.ndim == 1 else array[at] for name, array in self._buckets.items()
        }
        columns["count"] = columns["count"].astype(np.int64)
        return Buckets(
            first, np.append(first[1:], spans[-1][2] * spans[-1][0].width) - 1, names=(), **columns
        )

    def _read(self, ring: Ring, start: int, stop: int, rows: Rows | slice = _ALL) -> Buckets:
        """Return copies of the buckets start <= k < stop."""
        columns = self._columns(ring, start, stop, rows)
        if ring.width == 1:
            return from_records(Records(start, names=(), **columns))
        steps = np.arange(start, stop + 1) * ring.width
        columns["count"] = columns["count"].astype(np.int64)
        return Buckets(steps[:-1], steps[1:] - 1, names=(), **columns)

    def _columns(self, ring: Ring, start: int, stop: int, rows: Rows | slice = _ALL) -> dict[str, Any]:
        """Return copies of the columns of the buckets start <= k < stop, by name."""
        places = _slices(ring.offset, ring.size, start, stop)
        arrays = self._steps if ring.width == 1 else self._buckets
        return {
            name: np.concatenate(
                [array[each] if array.ndim == 1 else array[rows, each] for each in places], -1
            )
            for name, array in arrays.items()
        }

    def _rings_of_steps(self) -> list[Ring]:
        last = Ring("last", 1, max(self.count - STEPS, STEPS), self.count, STEPS, STEPS)
        return [
            Ring("first", 1, 0, min(self.count, STEPS), 0, STEPS),
            *([last] if self.count > STEPS else []),
        ]

    def _rings(self) -> list[Ring]:
        """Return all rings that are not empty."""
        rings, trunk, settled = self._rings_of_steps(), self._trunk, self._settled
        summary = Ring("summary", SUMMARY * trunk, 0, settled // SUMMARY // trunk, *self._levels[-1].tolist())
        if trunk == 1:
            return [*rings, summary] if settled else rings
        rings += [Ring("trunk", trunk, 0, settled // trunk, _TRUNK, STEPS), summary]
        rings.append(Ring("first_summary", SUMMARY, 0, _OCTAVE, 0, _OCTAVE))
        widths = [1 << exponent for exponent in range(SUMMARY.bit_length() - 1, trunk.bit_length() - 1)]
        for width in widths:
            if width >= _OCTAVE:
                rings.append(Ring("octave", width, SUMMARY, 2 * SUMMARY, _twig(width)[0] + SUMMARY, SUMMARY))
        for width in widths:
            offset, size = _twig(width)
            rings.append(Ring("twig", width, settled // width - size, settled // width, offset, size))
        for exponent, (offset, size) in enumerate(self._levels[:-1].tolist()):
            if (stop := settled >> exponent) % 2 and size:
                rings.append(Ring("waiting", 1 << exponent, stop - 1, stop, offset, size))
        return rings


def _slices(offset: int, size: int, start: int, stop: int) -> list[slice]:
    """Return the places of the buckets start <= k < stop of a ring, at most `size`."""
    begin = offset + start % size
    end, wrap = begin + stop - start, offset + size
    return [slice(begin, end)] if end <= wrap else [slice(begin, wrap), slice(offset, end - size)]


def _put(into: Arrays, offset: int, size: int, start: int, columns: Arrays) -> None:
    """Write columns of the buckets from `start` on to their places in a ring."""
    places = offset + np.arange(start, start + len(columns["seconds"])) % size
    for name, array in into.items():
        array[..., places] = columns[name]


def _enlarge(arrays: Arrays, length: int) -> None:
    """Make room for so many columns."""
    for name, array in arrays.items():
        arrays[name] = wider = np.empty((*array.shape[:-1], length), array.dtype)
        wider[..., : array.shape[-1]] = array


# ---------------------------------------------------------------------- merging


Append: TypeAlias = Callable[..., None]
"""Stores records and all buckets that they complete, as `_append_by_numpy` does."""


def append_by(append: Append) -> None:
    """Append by this function from now on, which is faster than NumPy."""
    _APPEND[1:] = [append]


def _append_by_numpy(
    settled: int,
    first: int,
    samples_seen: NDArray[np.int64],
    seconds: Floats,
    values: Floats,
    rows: Rows,
    levels: NDArray[np.int64],
    step_samples: NDArray[np.int64],
    step_seconds: Floats,
    steps: Floats,
    *buckets: NDArray[Any],
) -> None:
    """Store the records from step `first` on, and the buckets that all steps from `settled` on complete."""
    *columns, _ = buckets
    arrays = dict(zip(("samples_seen", "seconds", *STATISTICS.values(), "count"), columns, strict=True))
    start, stop = settled, first + len(seconds)
    while start < stop:
        end = min(floor(start, CHUNK) + CHUNK, stop)
        place = start if start < STEPS else STEPS + start % STEPS
        new, source = (
            slice(place + max(first - start, 0), place + end - start),
            slice(max(start - first, 0), end - first),
        )
        step_samples[new], step_seconds[new] = samples_seen[source], seconds[source]
        steps[:, new] = values[rows, source]
        whole = slice(place, place + max(floor(end, SUMMARY) - start, 0))
        block = Records(start, step_samples[whole], step_seconds[whole], (), steps[:, whole])
        _merge_upwards(from_records(block), levels.tolist(), arrays)
        start = end


def _merge_upwards(buckets: Buckets, levels: list[list[int]], arrays: Arrays) -> None:
    """Add every bucket that these single steps complete to its ring."""
    for exponent, (offset, size) in enumerate(levels):
        buckets = pair_up(buckets) if exponent else buckets
        if not len(buckets):
            return
        number, newest = (
            int(buckets.first[0]) >> exponent,
            buckets.part(slice(max(len(buckets) - size, 0), None)),
        )
        if number % 2:
            place = offset + (number - 1) % size
            waits = {name: array[..., place : place + 1] for name, array in arrays.items()}
            waits["count"] = waits["count"].astype(np.int64)
            last = buckets.first[:1] - 1
            buckets = join(Buckets(last + 1 - (1 << exponent), last, names=(), **waits), buckets)
        if size:
            columns = {name: getattr(newest, name) for name in arrays}
            _put(arrays, offset, size, int(newest.first[0]) >> exponent, columns)


_APPEND: list[Append] = [_append_by_numpy]
"""NumPy's function, and at most one that is used instead."""


# ---------------------------------------------------------------------- choosing rings


def _zones(rings: list[Ring]) -> list[Zone]:
    """Return the finest stored width by range, from step 0 to the newest."""
    first, *rest = (ring for ring in rings if "summary" not in ring.kind)
    zones = [Zone(0, first.stop, 1)]
    zones += [
        Zone(each.start * each.width, each.stop * each.width, each.width)
        for each in rest
        if each.kind == "octave"
    ]
    newer = sorted((ring for ring in rest if ring.kind != "octave"), key=lambda ring: -ring.width)
    starts = [ring.start * ring.width for ring in newer]
    for place, (_, width, _, stop, *_) in enumerate(newer, start=1):
        begin, end = (
            zones[-1].stop,
            min([-(-start // width) * width for start in starts[place:]], default=stop),
        )
        if begin < end:
            zones.append(Zone(begin, end, width))
    return zones


def _kind(span: tuple[Ring, int, int], width: int) -> tuple[bool, bool]:
    """Return whether buckets are single steps, and so many narrow ones that a plan of merges would take long."""
    ring, start, stop = span
    return ring.width == 1, ring.width < width and stop - start > BLOCK


def _next(rings: list[Ring], start: int, stop: int, width: int) -> tuple[Ring, int]:
    """Return the best ring from `start` on, and the step where another is better.

    The best is the widest that is not wider than `width`, so that little is left to merge. If all are wider, it is the
    narrowest.
    """
    holding = [ring for ring in rings if _holds(ring, start)]
    narrow = [ring for ring in holding if ring.width <= width and start + ring.width <= stop]
    if narrow:
        best = max(narrow, key=lambda ring: ring.width)
        better = [ring for ring in rings if best.width < ring.width <= width]
    else:
        best = min(holding, key=lambda ring: ring.width)
        better = [ring for ring in rings if ring.width < best.width]
    until = floor(min(stop, best.stop * best.width), best.width)
    for ring in better:
        begin = ceil(max(start + 1, ring.start * ring.width), max(ring.width, best.width))
        if begin + ring.width <= min(stop, ring.stop * ring.width):
            until = min(until, begin)
    return best, until


def _holds(ring: Ring, step: int) -> bool:
    return step % ring.width == 0 and ring.start <= step // ring.width < ring.stop
