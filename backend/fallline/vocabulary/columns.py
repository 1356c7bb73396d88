"""Measurements as columns: `Records` of steps, and `Buckets` that summarise them.

Owns exactness. Minimum, maximum, last value and count of a merged bucket are exact. Its mean is exact up to rounding,
always along the same binary tree, so slicing and resolution do not change a bit of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.encoding import csv_table, float_column, float_columns, integer_column, nullable_rows
from fallline.vocabulary.merge_plans import MergePlan, coarsened, into_one, widened

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Index = slice | NDArray[np.intp]

STATISTICS = {"min": "minimum", "max": "maximum", "mean": "mean", "last": "final"}
"""Names of statistics in columns, and the attributes of `Buckets`."""

_OF_SERIES = (*STATISTICS.values(), "count")
_COLUMNS = ("first", "last", "samples_seen", "seconds", *_OF_SERIES)
"""Columns of `Buckets`; those of series are (series, n), the others (n,)."""

ROWS_AT_ONCE = 256
"""Lines of one piece of a CSV table."""

_SPARSE = ("train_", "test_", "grad_norm_clipped", "objective")


def recorded_every_step(names: Iterable[str]) -> frozenset[str]:
    """Return the series that every step has.

    The others are measured only at evaluation points, under a bound or under a penalty, and are sent with a `count`.
    """
    return frozenset(name for name in names if not name.startswith(_SPARSE))


def finite_readings(step: int, values: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return the finite values of a step, by series, as answers list the latest ones."""
    return {name: {"step": step, "value": value} for name, value in values.items() if isfinite(value)}


def bucket_bytes(names: tuple[str, ...]) -> int:
    """Return the bytes of one bucket: five numbers a series, and four of its own."""
    return 8 * (5 * len(names) + 4)


def floor(step: int, width: int) -> int:
    """Return the last multiple of width that is not after step."""
    return step // width * width


def ceil(step: int, width: int) -> int:
    """Return the first multiple of width that is not before step."""
    return -(-step // width) * width


def pieces(start: int, stop: int, width: int) -> int:
    """Return how many dyadic buckets of at most this width cover start <= k < stop."""
    begin, end = ceil(start, width), floor(stop, width)
    if begin > end:
        return pieces(start, stop, width // 2)
    return (begin - start).bit_count() + (end - begin) // width + (stop - end).bit_count()


@dataclass(frozen=True, eq=False, slots=True)
class Records:
    """n records, one for each step, numbered `first` ... `first` + n - 1.

    `samples_seen` (n,) and `seconds` (n,), the computing time of the run, are at the end of each step. The `values`
    (series, n) are in the order of `names`, with NaN where a series was not recorded.
    """

    first: int
    samples_seen: Ints
    seconds: Floats
    names: tuple[str, ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.samples_seen)

    @property
    def stop(self) -> int:
        """The number of the record after the last."""
        return self.first + len(self)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.samples_seen.nbytes + self.seconds.nbytes + self.values.nbytes

    def with_seconds(self, seconds: Floats) -> Records:
        """Return the same records with these computing times, (n,)."""
        return replace(self, seconds=np.asarray(seconds, np.float64))

    def part(self, start: int, stop: int) -> Records:
        """Return the records start <= k < stop, as views."""
        cut = slice(max(start - self.first, 0), max(stop - self.first, 0))
        start = self.first + min(cut.start, len(self))
        return Records(start, self.samples_seen[cut], self.seconds[cut], self.names, self.values[:, cut])


def in_a_row(pieces: Sequence[Records]) -> Records:
    """Return consecutive records as one; there must be a piece."""
    if len(pieces) == 1:
        return pieces[0]
    return Records(
        pieces[0].first,
        np.concatenate([piece.samples_seen for piece in pieces]),
        np.concatenate([piece.seconds for piece in pieces]),
        pieces[0].names,
        np.concatenate([piece.values for piece in pieces], axis=1),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Buckets:
    """n summaries of consecutive steps, each from `first` to `last` inclusive, without a gap between them.

    - `first`, `last`, `samples_seen` and `seconds` are (n,); the last two are at the bucket's end.
    - `minimum`, `maximum`, `mean` and `final` (the last finite value) are (series, n) in the order of `names`. They
      are NaN where the count is 0.
    - `count` (of finite values) is (series, n), too.

    Arrays may be shared between buckets and are never changed.
    """

    first: Ints
    last: Ints
    samples_seen: Ints
    seconds: Floats
    names: tuple[str, ...]
    minimum: Floats
    maximum: Floats
    mean: Floats
    final: Floats
    count: Ints

    def __len__(self) -> int:
        return len(self.first)

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, name).nbytes for name in _COLUMNS)

    @classmethod
    def empty(cls, names: tuple[str, ...]) -> Buckets:
        """Return no buckets of these series."""
        none, nothing = np.empty(0, np.int64), np.empty((len(names), 0))
        whole = np.empty((len(names), 0), np.int64)
        return cls(none, none, none, np.empty(0), names, nothing, nothing, nothing, nothing, whole)

    def select(self, names: Iterable[str]) -> Buckets:
        """Return only these series, in this order. Raises KeyError for an unknown name."""
        rows = {name: row for row, name in enumerate(self.names)}
        chosen = tuple(names)
        return self._with_series(chosen, np.array([rows[name] for name in chosen], np.intp))

    def _with_series(self, names: tuple[str, ...], rows: NDArray[np.intp]) -> Buckets:
        return replace(self, names=names, **{name: getattr(self, name)[rows] for name in _OF_SERIES})

    def part(self, where: Index) -> Buckets:
        """Return some of the buckets by index, which must be neighbours."""
        own = (self.first[where], self.last[where], self.samples_seen[where], self.seconds[where])
        extremes = self.minimum[:, where], self.maximum[:, where]
        return Buckets(
            *own, self.names, *extremes, self.mean[:, where], self.final[:, where], self.count[:, where]
        )

    # ------------------------------------------------------------------ encodings

    def as_json(self, generation: int, every_step: frozenset[str] | None = None) -> dict[str, Any]:
        """Return the columns as plain lists, with null where there is no finite value.

        `every_step` names the series without `count`; the default is `recorded_every_step`.
        """
        rows = {name: nullable_rows(getattr(self, attribute)) for name, attribute in STATISTICS.items()}
        return {
            "generation": generation,
            "first": self.first.tolist(),
            "last": self.last.tolist(),
            "samples_seen": self.samples_seen.tolist(),
            "seconds": self.seconds.tolist(),
            "series": self._series(rows, np.ndarray.tolist, every_step),
        }

    def as_bdata(self, generation: int, every_step: frozenset[str] | None = None) -> dict[str, Any]:
        """Return the columns as Plotly's `{"dtype", "bdata"}`; missing values are NaN."""
        rows = {name: float_columns(getattr(self, attribute)) for name, attribute in STATISTICS.items()}
        return {
            "generation": generation,
            "encoding": "bdata",
            "first": integer_column(self.first),
            "last": integer_column(self.last),
            "samples_seen": integer_column(self.samples_seen),
            "seconds": float_column(self.seconds),
            "series": self._series(rows, integer_column, every_step),
        }

    def _series(
        self, rows: dict[str, Any], encode: Callable[[Ints], Any], every_step: frozenset[str] | None
    ) -> dict[str, Any]:
        """Return the columns of each series; `encode` encodes the counts of those with gaps."""
        without_count = recorded_every_step(self.names) if every_step is None else every_step
        series: dict[str, Any] = {}
        for row, name in enumerate(self.names):
            series[name] = {statistic: columns[row] for statistic, columns in rows.items()}
            if name not in without_count:
                series[name]["count"] = encode(self.count[row])
        return series

    def as_csv(self, every_step: frozenset[str] | None = None) -> str:
        """Return a CSV table with one line for each bucket; missing values are empty.

        The columns are first, last, each series.statistic, samples_seen and seconds.
        """
        columns = self.as_json(0, every_step)
        table = {name: columns[name] for name in ("first", "last")}
        for name, statistics in columns["series"].items():
            table.update({f"{name}.{statistic}": column for statistic, column in statistics.items()})
        return csv_table(table | {name: columns[name] for name in ("samples_seen", "seconds")})

    def csv_pieces(self, every_step: frozenset[str], *, with_head: bool = True) -> Iterator[str]:
        """Yield the table in pieces of whole lines: a call for all would hold the interpreter lock for long."""
        for start in range(0, max(len(self), 1), ROWS_AT_ONCE):
            piece = self.part(slice(start, start + ROWS_AT_ONCE)).as_csv(every_step)
            yield piece if with_head and start == 0 else piece.partition("\n")[2]


# ---------------------------------------------------------------------- joining and merging


def from_records(records: Records) -> Buckets:
    """Return the records as buckets of one step."""
    values = records.values
    if np.isinf(values).any():
        values = np.where(np.isinf(values), np.nan, values)
    steps = np.arange(records.first, records.stop, dtype=np.int64)
    own, count = (steps, steps, records.samples_seen, records.seconds), np.isfinite(values).astype(np.int64)
    return Buckets(*own, records.names, values, values, values, values, count)


def join(*pieces: Buckets) -> Buckets:
    """Join consecutive pieces of one history. Raises ValueError for others."""
    for before, after in pairwise(pieces):
        if before.names != after.names:
            raise ValueError("pieces of different series cannot be joined")
    pieces = tuple(piece for piece in pieces if len(piece)) or pieces[:1]
    for before, after in pairwise(pieces):
        if after.first[0] != before.last[-1] + 1:
            raise ValueError(f"step {before.last[-1] + 1} must come next, not {after.first[0]}")
    if len(pieces) == 1:
        return pieces[0]
    columns = {name: np.concatenate([getattr(piece, name) for piece in pieces], axis=-1) for name in _COLUMNS}
    return Buckets(names=pieces[0].names, **columns)


def coarsen(buckets: Buckets, at_most: int) -> Buckets:
    """Return at most this many buckets of the same steps, as fine as possible.

    Only halves of a bucket [k w, (k + 1) w), w a power of two, are merged. So a ragged end stays in smaller
    buckets. If these are too many, the newest bucket may end early. If that is not enough, the oldest may also
    begin late.
    """
    if at_most < 1:
        raise ValueError("at_most must be at least 1")
    if len(buckets) <= at_most:
        return buckets
    plan = coarsened(tuple(buckets.first.tolist()), tuple(buckets.last.tolist()), at_most)
    return _carried_out(plan, buckets)


def widen(buckets: Buckets, width: int) -> Buckets:
    """Merge up to this width, a power of two. Wider ones and ragged ends stay."""
    if width == 1 or len(buckets) < 2:
        return buckets
    plan = widened(buckets.first.tolist(), buckets.last.tolist(), width)
    return _carried_out(plan, buckets) if len(plan.lefts) else buckets


def pair_up(buckets: Buckets) -> Buckets:
    """Merge each bucket of even index with the next one. An odd last one is left out."""
    return _merge(buckets.part(slice(0, len(buckets) // 2 * 2, 2)), buckets.part(slice(1, None, 2)))


def as_one(buckets: Buckets) -> Buckets:
    """Merge all buckets into one, also of different widths."""
    return buckets if len(buckets) < 2 else _carried_out(into_one(len(buckets)), buckets)


CarryOut: TypeAlias = Callable[[MergePlan, Buckets], Buckets]
"""Makes all merges of a plan, to the bit as NumPy does."""

_FASTER: list[CarryOut] = []
"""At most one function: what merges instead of NumPy."""


def merge_by(carry_out: CarryOut) -> None:
    """Merge by this function from now on, which is faster than NumPy."""
    _FASTER[:] = [carry_out]


def _carried_out(plan: MergePlan, buckets: Buckets) -> Buckets:
    """Return the buckets after these merges, with their own arrays."""
    return (_FASTER or [_carried_out_by_numpy])[0](plan, buckets)


def _carried_out_by_numpy(plan: MergePlan, buckets: Buckets) -> Buckets:
    columns = {name: getattr(buckets, name).copy() for name in _COLUMNS}
    all_of = Buckets(names=buckets.names, **columns)
    for lefts, rights in plan.rounds():
        merged = _merge(all_of.part(lefts), all_of.part(rights))
        for name in _OF_SERIES:
            columns[name][:, lefts] = getattr(merged, name)
    return planned(plan, buckets, [columns[name][:, plan.kept] for name in _OF_SERIES])


def planned(plan: MergePlan, buckets: Buckets, columns: Iterable[NDArray[Any]]) -> Buckets:
    """Return what a plan makes of the buckets, with these columns of series."""
    at_ends = buckets.samples_seen[plan.ends], buckets.seconds[plan.ends]
    return Buckets(buckets.first[plan.kept], buckets.last[plan.ends], *at_ends, buckets.names, *columns)


def _merge(left: Buckets, right: Buckets) -> Buckets:
    minimum, maximum = np.fmin(left.minimum, right.minimum), np.fmax(left.maximum, right.maximum)
    mean, final = _halfway(left.mean, right.mean), right.final
    uneven = np.flatnonzero((left.count != right.count).any(axis=1))
    if len(uneven):
        # Few series have gaps, so only these take the slower path.
        final = final.copy()
        mean[uneven], final[uneven] = _merge_uneven(
            left._with_series((), uneven), right._with_series((), uneven), minimum[uneven], maximum[uneven]
        )
    own, count = (left.first, right.last, right.samples_seen, right.seconds), left.count + right.count
    return Buckets(*own, left.names, minimum, maximum, mean, final, count)


def _halfway(left: Floats, right: Floats) -> Floats:
    """Return the mean of two means of equal weight: exactly the value of equal ones."""
    with np.errstate(over="ignore"):
        mean: Floats = right - left
    far = np.isinf(mean)
    mean *= 0.5
    mean += left
    return np.where(far, 0.5 * left + 0.5 * right, mean) if far.any() else mean


def _merge_uneven(left: Buckets, right: Buckets, minimum: Floats, maximum: Floats) -> tuple[Floats, Floats]:
    """Return mean and last value where the two counts differ or are 0."""
    share = right.count / np.maximum(left.count + right.count, 1)
    # Rounding must not move the mean out of the range of its values.
    mean = np.clip((1 - share) * left.mean + share * right.mean, minimum, maximum)
    mean = np.where(right.count == 0, left.mean, np.where(left.count == 0, right.mean, mean))
    mean = np.where(left.count == right.count, _halfway(left.mean, right.mean), mean)
    mean = np.where(left.mean == right.mean, left.mean, mean)
    return mean, np.where(right.count > 0, right.final, left.final)
