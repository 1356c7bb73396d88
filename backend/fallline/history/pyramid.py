"""All series of a run at several resolutions, in bounded memory.

The content after n steps depends only on n, not on slices or readers:

- the first and the last 1,024 steps, one by one;
- the trunk: the whole run in 513 to 1,024 buckets; when there are too many, their width doubles;
- between the first steps and the trunk's width, 16 buckets per octave, for a logarithmic axis. Steps 1,024 to 2,047
  are in widths of 64, and so on;
- between the last steps and the trunk's width, the newest 16 of each width;
- summaries: one bucket for every 16 of the first steps, the last steps and the trunk's buckets. So a coarse view does
  not merge very many fine buckets.

Every bucket merges its two halves, so that means round the same for all slices. Buckets of one width, and single
steps, are in rings. A full ring drops its oldest for new ones, and can be restored from the pieces that it stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fallline.history.cover import Zone, cover
from fallline.vocabulary.columns import (
    STATISTICS,
    Buckets,
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

FEW = 64
"""Size of a new step ring: most experiments of a workshop are short, and there are many."""

Kind: TypeAlias = Literal["first", "last", "trunk", "summary", "first_summary", "octave", "twig", "waiting"]

BLOCK = 128
"""Number of the trunk's buckets in one piece."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece; the same name and version mean the same numbers.

    A version is the first bucket, the one after the last, and the number of series.
    """

    name: str
    version: tuple[int, int, int]
    about: About
    arrays: Callable[[], Arrays]


class BucketRing:
    """The newest `size` of the buckets [k width, (k + 1) width), all series together.

    It stores bucket k for `start` <= k < `stop`, at place k % length of every array. The arrays grow up to `size`; for
    `expected` buckets they have room at once.
    """

    def __init__(self, buckets: Buckets, width: int, size: int, expected: int = 0) -> None:
        rows, self.names = len(buckets.names), buckets.names
        self.width, self._size = width, size
        self.start = self.stop = int(buckets.first[0]) // width if len(buckets) else 0
        # The smallest integer type for counts up to the width saves a fifth of the memory.
        counts = np.empty((rows, 0), np.min_scalar_type(width))
        self._arrays: Arrays = {"samples_seen": np.empty(0, np.int64), "seconds": np.empty(0)}
        self._arrays.update({name: np.empty((rows, 0)) for name in STATISTICS.values()}, count=counts)
        self._grow(min(expected, size))
        self.add(buckets)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, full or not."""
        return sum(array.nbytes for array in self._arrays.values())

    def add(self, buckets: Buckets) -> None:
        """Add the buckets `stop`, `stop` + 1, ..."""
        stop = self.stop + len(buckets)
        self._grow(min(stop - self.start, self._size))
        buckets = buckets.part(slice(max(len(buckets) - self._size, 0), None))
        places = self._places(stop - len(buckets), stop)
        for name, array in self._arrays.items():
            array[..., places] = getattr(buckets, name)
        self.start, self.stop = max(self.start, stop - self._size), stop

    def read(self, start: int, stop: int) -> Buckets:
        """Return copies of the buckets start <= k < stop."""
        return buckets_of(self.names, self.width, start, self.arrays(start, stop))

    def arrays(self, start: int, stop: int) -> Arrays:
        """Return copies of the columns of the buckets start <= k < stop."""
        places = self._places(start, stop)
        return {name: array[..., places] for name, array in self._arrays.items()}

    def _places(self, start: int, stop: int) -> NDArray[np.intp]:
        return np.arange(start, stop) % len(self._arrays["seconds"])

    def _grow(self, needed: int) -> None:
        """Make room for so many buckets, and for the rest of a block: a trunk is seldom full."""
        if needed <= len(self._arrays["seconds"]):
            return
        length = min(ceil(needed, BLOCK), self._size)
        kept = self.arrays(self.start, self.stop) if self.stop > self.start else {}
        for name, array in self._arrays.items():
            self._arrays[name] = np.empty((*array.shape[:-1], length), array.dtype)
        places = self._places(self.start, self.stop)
        for name, array in kept.items():
            self._arrays[name][..., places] = array

    def parts(self, kind: Kind, block: int | None = None) -> Iterator[Part]:
        """Yield the buckets in pieces of `block` buckets, or in one piece."""
        size = self.stop - self.start if block is None else block
        for start in range(self.start, self.stop, max(size, 1)):
            stop = min(start + size, self.stop)
            name = f"{kind}-{self.width}" + ("" if block is None else f"-{start // size}")
            about: About = {"kind": kind, "start": start, "width": self.width}
            yield Part(name, (start, stop, len(self.names)), about, partial(self.arrays, start, stop))


def buckets_of(names: tuple[str, ...], width: int, start: int, arrays: Arrays) -> Buckets:
    """Return the buckets k = `start`, ... of this width from their columns."""
    numbers = np.arange(start, start + len(arrays["seconds"]), dtype=np.int64)
    columns = {**arrays, "count": arrays["count"].astype(np.int64)}
    return Buckets(numbers * width, (numbers + 1) * width - 1, names=names, **columns)


class StepRing:
    """The newest `size` steps, one record each; the arrays grow up to `size`."""

    width = 1

    def __init__(self, names: tuple[str, ...], start: int, size: int) -> None:
        self.names, self._size = names, size
        self.start = self.stop = start
        self._samples_seen = np.empty(0, np.int64)
        self._seconds = np.empty(0)
        self._values = np.empty((len(names), 0))

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, full or not."""
        return self._samples_seen.nbytes + self._seconds.nbytes + self._values.nbytes

    def add(self, records: Records) -> None:
        """Add the records from `stop` on."""
        self._grow(min(self.stop - self.start + len(records), self._size))
        newest = records.part(records.stop - self._size, records.stop)
        places = self._places(newest.first, newest.stop)
        self._samples_seen[places] = newest.samples_seen
        self._seconds[places] = newest.seconds
        self._values[:, places] = newest.values
        self.start, self.stop = max(self.start, records.stop - self._size), records.stop

    def read(self, start: int, stop: int) -> Buckets:
        """Return copies of the steps start <= k < stop as buckets of one step."""
        return from_records(self.records(start, stop))

    def records(self, start: int, stop: int) -> Records:
        """Return copies of the records start <= k < stop."""
        places = self._places(start, stop)
        columns = self._samples_seen[places], self._seconds[places]
        return Records(start, *columns, self.names, self._values[:, places])

    def parts(self, kind: Kind) -> Iterator[Part]:
        """Yield all steps as a piece, if there are any."""
        start, stop = self.start, self.stop
        if start < stop:
            about: About = {"kind": kind, "start": start, "width": 1}
            yield Part(kind, (start, stop, len(self.names)), about, partial(self._arrays, start, stop))

    def _arrays(self, start: int, stop: int) -> Arrays:
        records = self.records(start, stop)
        return {"samples_seen": records.samples_seen, "seconds": records.seconds, "values": records.values}

    def _places(self, start: int, stop: int) -> NDArray[np.intp]:
        return np.arange(start, stop) % len(self._seconds)

    def _grow(self, needed: int) -> None:
        if needed <= len(self._seconds):
            return
        records = self.records(self.start, self.stop) if self.stop > self.start else None
        length = min(max(FEW, 1 << (needed - 1).bit_length()), self._size)
        self._samples_seen = np.empty(length, np.int64)
        self._seconds = np.empty(length)
        self._values = np.empty((len(self.names), length))
        if records is not None:
            places = self._places(records.first, records.stop)
            self._samples_seen[places], self._seconds[places] = records.samples_seen, records.seconds
            self._values[:, places] = records.values


Ring = BucketRing | StepRing


STEPS = 1024
"""Number of first, and of last, single steps; also the most buckets of the trunk."""

SUMMARY = 16
"""Number of steps or trunk buckets in a summary bucket; also the number of buckets per octave."""

_OCTAVE = STEPS // SUMMARY
_PORTION = 8192


_LONG = 1 << 27
"""Longest run that `most_bytes` covers: an hour at full speed."""


def most_bytes(series: int) -> int:
    """Return the most bytes for so many series in a run of `_LONG` steps."""
    octaves = (_LONG // STEPS).bit_length() - _OCTAVE.bit_length() + 1
    recent = (_LONG // STEPS).bit_length() - SUMMARY.bit_length() + 1
    buckets = STEPS + 2 * STEPS // SUMMARY + SUMMARY * (octaves + recent) + STEPS // SUMMARY
    return 2 * STEPS * (16 + 8 * series) + buckets * (16 + 36 * series)


class Pyramid:
    """Series at several resolutions, appended in order and read by range."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._nothing = Buckets.empty(names)
        self._first_steps = StepRing(names, 0, STEPS)
        self._last_steps = StepRing(names, STEPS, STEPS)
        self._trunk: BucketRing | None = None
        self._octaves: list[BucketRing] = []
        self._recent: dict[int, BucketRing] = {}
        self._first_summary: BucketRing | None = None
        self._summary: BucketRing | None = None
        # the newest bucket of each width that waits for its other half
        self._waiting: dict[int, Buckets] = {}
        self._settled = 0
        self.names = names
        self.count = 0

    @property
    def nbytes(self) -> int:
        return sum(ring.nbytes for ring in self._rings())

    # ------------------------------------------------------------------ adding records

    def append(self, records: Records) -> None:
        """Add the next records. Raises ValueError if they do not follow."""
        if records.first != self.count:
            raise ValueError(f"record {self.count} must come next, not {records.first}")
        for start in range(records.first, records.stop, _PORTION):
            self._append(records.part(start, start + _PORTION))

    def _append(self, records: Records) -> None:
        if self.count < STEPS:
            self._first_steps.add(records.part(0, STEPS))
        if self.count - self._settled + len(records) >= STEPS:
            self._settle(records)
        if records.stop > STEPS:
            self._last_steps.add(records.part(STEPS, records.stop))
        self.count = records.stop

    def _settle(self, records: Records | None = None) -> None:
        """Merge steps into complete buckets: many at once, since NumPy's calls cost most."""
        block = join(self._nothing, *self._unsettled())
        if records is not None:
            block = join(block, from_records(records))
        stop = floor(self._settled + len(block), SUMMARY)
        while self._settled < stop:
            if self._settled == STEPS * self._width:
                self._double()
            until = min(stop, STEPS * self._width)
            count = until - self._settled
            self._merge_upwards(block.part(slice(0, count)))
            block, self._settled = block.part(slice(count, None)), until

    def _unsettled(self) -> list[Buckets]:
        border = max(self._settled, min(self.count, STEPS))
        parts = ((self._first_steps, self._settled, border), (self._last_steps, border, self.count))
        return [ring.read(start, stop) for ring, start, stop in parts if start < stop]

    def _merge_upwards(self, buckets: Buckets) -> None:
        """Add every bucket that these single steps complete to its rings."""
        width = 1
        while len(buckets) and width < SUMMARY * self._width:
            buckets = join(self._waiting.pop(width, self._nothing), buckets)
            if len(buckets) % 2:
                # Copied, since a slice would keep the whole block in memory.
                self._waiting[width] = buckets.part(np.array([len(buckets) - 1]))
            buckets, width = pair_up(buckets), 2 * width
            self._put(buckets, width)

    def _put(self, buckets: Buckets, width: int) -> None:
        if self._trunk is not None and width == self._width:
            self._trunk.add(buckets)
        if width in self._recent:
            self._recent[width].add(buckets)
        if width == SUMMARY * self._width:
            if self._summary is None:
                self._summary = BucketRing(self._nothing, width, STEPS // SUMMARY)
            self._summary.add(buckets)

    @property
    def _width(self) -> int:
        return 1 if self._trunk is None else self._trunk.width

    def _double(self) -> None:
        """Merge the full trunk's buckets in pairs; no bucket waits for its half now."""
        assert self._summary is not None
        width = self._width
        buckets = (self._trunk or self._first_steps).read(0, STEPS)
        summary = self._summary.read(0, STEPS // SUMMARY)
        if width == 1:
            self._first_summary = self._summary
        if width >= SUMMARY:
            # The last 1,024 steps need a summary like the first; wider rings only continue them.
            size = _recent_size(width)
            self._recent[width] = BucketRing(buckets.part(slice(STEPS - size, None)), width, size)
        if width >= _OCTAVE:
            self._octaves.append(BucketRing(buckets.part(slice(SUMMARY, 2 * SUMMARY)), width, SUMMARY))
        self._trunk = BucketRing(pair_up(buckets), 2 * width, STEPS)
        self._summary = BucketRing(pair_up(summary), 2 * SUMMARY * width, STEPS // SUMMARY)

    # ------------------------------------------------------------------ storing

    def about(self) -> About:
        """Return the fields that the parts do not contain."""
        return {"count": self.count, "settled": self._settled}

    def parts(self) -> Iterator[Part]:
        """Yield pieces from which `restored` restores this history to the bit."""
        yield from self._first_steps.parts("first")
        yield from self._last_steps.parts("last")
        if self._trunk is not None:
            yield from self._trunk.parts("trunk", BLOCK)
        if self._summary is not None:
            yield from self._summary.parts("summary")
        if self._first_summary is not None:
            yield from self._first_summary.parts("first_summary")
        for octave in self._octaves:
            yield from octave.parts("octave")
        for ring in self._recent.values():
            yield from ring.parts("twig")
        for width, waiting in self._waiting.items():
            yield from BucketRing(waiting, width, 1).parts("waiting")

    @classmethod
    def restored(cls, names: tuple[str, ...], about: About, parts: Iterable[tuple[About, Arrays]]) -> Pyramid:
        """Restore a history from its parts. Raises KeyError or ValueError."""
        pyramid = cls(names)
        pyramid.count, pyramid._settled = about["count"], about["settled"]
        for each, arrays in sorted(parts, key=lambda part: (part[0]["width"], part[0]["start"])):
            pyramid._restore_part(each["kind"], each["width"], each["start"], arrays)
        return pyramid

    def _restore_part(self, kind: str, width: int, start: int, arrays: Arrays) -> None:
        if kind in ("first", "last"):
            ring = StepRing(self.names, start, STEPS)
            ring.add(Records(start, names=self.names, **arrays))
            if kind == "first":
                self._first_steps = ring
            else:
                self._last_steps = ring
            return
        buckets = buckets_of(self.names, width, start, arrays)
        if kind == "trunk" and self._trunk is not None:
            self._trunk.add(buckets)
        elif kind == "trunk":
            self._trunk = BucketRing(buckets, width, STEPS, expected=self._settled // width)
        elif kind == "summary":
            self._summary = BucketRing(buckets, width, STEPS // SUMMARY)
        elif kind == "first_summary":
            self._first_summary = BucketRing(buckets, width, STEPS // SUMMARY)
        elif kind == "octave":
            self._octaves.append(BucketRing(buckets, width, SUMMARY))
        elif kind == "twig":
            self._recent[width] = BucketRing(buckets, width, _recent_size(width))
        elif kind == "waiting":
            self._waiting[width] = buckets
        else:
            raise ValueError(f"a history has no {kind}")

    def extended(self, names: tuple[str, ...], constants: Mapping[str, float]) -> Pyramid:
        """Return this history with more series, which have had one value so far: NaN is none."""
        parts = ((part.about, _with_constants(part, self.names, names, constants)) for part in self.parts())
        return Pyramid.restored(names, self.about(), parts)

    # ------------------------------------------------------------------ reading

    def range(self, first: int, last: int, at_most: int) -> Buckets:
        """Return at most `at_most` whole buckets that overlap `first` ... `last`.

        They begin at `first` if it is stored singly and `at_most` allows it. Time is proportional to `at_most` (plus
        the logarithm of the run's length), not to the range. Raises ValueError for at_most < 1.
        """
        if at_most < 1:
            raise ValueError("at_most must be at least 1")
        first, last = max(first, 0), min(last, self.count - 1)
        if first > last:
            return self._nothing
        self._settle()
        plan = cover(self._zones(), first, last, at_most)
        buckets = self._read(plan.start, plan.whole, plan.width)
        if plan.whole == plan.stop:
            return buckets
        return join(buckets, as_one(self._read(plan.whole, plan.stop, plan.width)))

    def _zones(self) -> list[Zone]:
        """Return the finest stored width by range, from step 0 to the newest."""
        zones = [Zone(0, min(self.count, STEPS), 1)]
        zones += [Zone(each.start * each.width, each.stop * each.width, each.width) for each in self._octaves]
        newer = [self._recent[width] for width in sorted(self._recent, reverse=True)]
        rings: list[Ring] = [*([self._trunk] if self._trunk else []), *newer, self._last_steps]
        for place, ring in enumerate(rings[:-1], start=1):
            begin = zones[-1].stop
            end = min(ceil(finer.start * finer.width, ring.width) for finer in rings[place:])
            if begin < end:
                zones.append(Zone(begin, end, ring.width))
        if zones[-1].stop < self.count:
            zones.append(Zone(zones[-1].stop, self.count, 1))
        return zones

    def _rings(self) -> list[Ring]:
        single = (self._first_steps, self._last_steps, self._first_summary, self._trunk, self._summary)
        rings = (*single, *self._octaves, *self._recent.values())
        return [ring for ring in rings if ring is not None and ring.start < ring.stop]

    def _read(self, start: int, stop: int, width: int) -> Buckets:
        """Return start <= k < stop in buckets of `width`, or of wider stored ones."""
        rings, parts = self._rings(), [self._nothing]
        while start < stop:
            ring, until = _next(rings, start, stop, width)
            parts.append(ring.read(start // ring.width, until // ring.width))
            start = until
        return widen(join(*parts), width)


def _with_constants(
    part: Part, present: tuple[str, ...], names: tuple[str, ...], constants: Mapping[str, float]
) -> Arrays:
    """Return the columns of a piece with the series `names`; those not `present` are constant."""
    old, new = ([row for row, name in enumerate(names) if (name in present) == has] for has in (True, False))
    values = np.array([constants[names[row]] for row in new])
    columns: Arrays = {}
    for name, column in part.arrays().items():
        if column.ndim == 1:
            columns[name] = column
            continue
        columns[name] = wider = np.empty((len(names), column.shape[1]), column.dtype)
        filled = np.where(np.isfinite(values), part.about["width"], 0) if name == "count" else values
        wider[old], wider[new] = column, filled[:, np.newaxis]
    return columns


def _recent_size(width: int) -> int:
    return STEPS // SUMMARY if width == SUMMARY else SUMMARY


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
