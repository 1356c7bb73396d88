"""The steps of a run that the Doctor looks at, and the numbers that rules about series need, in bounded memory.

Points are the evaluation steps that all runs share: every step below 1,024, then 512 in each doubling. Examinations are
closer together at first and after an edit, and then 64 in each doubling. Between two points the track keeps the highest
loss and the numbers of rises and falls. All this depends on the recipe only, not on the slices in which records arrive.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.columns import Floats, Records
from fallline.vocabulary.encoding import About, Arrays

DOUBLING, POINTS = 64, 512
"""Examinations, and points, in each doubling of the steps."""

CHEAP = 2_000_000
"""Multiplications of one pass over all samples up to which a run is examined `DOUBLING` times in each doubling."""

FEWEST = 8
"""Examinations in each doubling of the most expensive runs."""

AFTER_EDIT = 16
"""Steps after that of an edit that are all examined, as that one is: its effect shows there first."""


def distance(step: int, in_a_doubling: int = POINTS) -> int:
    """Return the distance of points (or examinations) at this step, a power of two."""
    return max(1 << max(step.bit_length(), 1) - 1, in_a_doubling) // in_a_doubling


def is_point(step: int) -> bool:
    """Return whether every run evaluates its losses at this step."""
    return step % distance(step) == 0


def point_before(step: int) -> int:
    """Return the last point before this step, which is at least 1."""
    apart = distance(step - 1)
    return (step - 1) // apart * apart


def next_examination(step: int, edits: Sequence[int], in_a_doubling: int = DOUBLING) -> int:
    """Return the first examined step after `step`. `edits` are the rising steps of the run's edits."""
    before = bisect_right(edits, step)
    if before and step < edits[before - 1] + AFTER_EDIT:
        return step + 1
    apart = distance(step + 1, in_a_doubling)
    following = -(-(step + 1) // apart) * apart
    return min(following, edits[before]) if before < len(edits) else following


def in_a_doubling(work: int) -> int:
    """Return the examinations in each doubling, for a pass over all samples of so many multiplications."""
    examinations = DOUBLING
    while work > CHEAP and examinations > FEWEST:
        work, examinations = work // 4, examinations // 2
    return examinations


NOTABLE = 1e-4
"""Smallest share by which a loss must rise or fall to count as a rise or a fall."""

KEPT, SPARE = 288, 96
"""Points before the last examination that the track keeps, since the last quarter of a run has at most 256, and points
beyond, after which it drops older ones.
"""

_STEP, _LOSS, _TEST, _PEAK, _PEAK_STEP, _RISES, _FALLS, _MOVED = range(8)


@dataclass(frozen=True, slots=True)
class Series:
    """The points of a run before step `step`; those from `fresh` on are new since the last examination.

    - `steps`, `loss`, `peak_step`, and `test` (NaN without a test split) are (n,).
    - `peak` (the highest loss since the point before) is (n,). So are `rises` and `falls` (of the loss so far).
    - `moved` (layers, n) is |change of W| / |W|.
    - `offset` points came before.
    """

    step: int
    fresh: int
    offset: int
    values: Floats

    def _row(self, number: int) -> Floats:
        row: Floats = self.values[number]
        return row

    @property
    def steps(self) -> NDArray[np.int64]:
        return self._row(_STEP).astype(np.int64)

    @property
    def loss(self) -> Floats:
        return self._row(_LOSS)

    @property
    def test(self) -> Floats:
        return self._row(_TEST)

    @property
    def peak(self) -> Floats:
        return self._row(_PEAK)

    @property
    def peak_step(self) -> NDArray[np.int64]:
        return self._row(_PEAK_STEP).astype(np.int64)

    @property
    def rises(self) -> Floats:
        return self._row(_RISES)

    @property
    def falls(self) -> Floats:
        return self._row(_FALLS)

    @property
    def moved(self) -> Floats:
        return self.values[_MOVED:]

    def __len__(self) -> int:
        return int(self.values.shape[1])

    @property
    def count(self) -> int:
        """Number of all points so far."""
        return self.offset + len(self)


class Track:
    """Collects the points of one run."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """`names` are the series of the run's records, in their order."""
        test = names.index("test_loss") if "test_loss" in names else -1
        moved = [row for row, name in enumerate(names) if name.startswith("ratio/W")]
        self._rows = np.array([names.index("train_loss"), test, *moved], np.intp)
        self._values: Floats = np.empty((_MOVED + len(moved), SPARE))
        self._count = 0
        self._offset = 0
        self._open = np.array([np.nan, 0.0, 0.0, np.nan, 0.0])
        """Last loss; rises and falls so far; highest loss since the last point, and its step."""

    @property
    def nbytes(self) -> int:
        return self._values.nbytes

    def append(self, records: Records) -> None:
        """Add the next records."""
        if len(records):
            places = _points(records.first, records.stop)
            self._reserve(len(places))
            new = self._values[:, self._count : self._count + len(places)]
            with np.errstate(all="ignore"):
                _FOLLOW[-1](records.first, records.values, places, self._rows, self._open, new)
            self._count += len(places)

    def _reserve(self, count: int) -> None:
        if self._count + count > self._values.shape[1]:
            wider = np.empty((len(self._values), self._count + max(count, SPARE)))
            wider[:, : self._count] = self._values[:, : self._count]
            self._values = wider

    def before(self, step: int, examined: int) -> Series:
        """Return the points before `step`. They are new from step `examined` on."""
        steps = self._values[_STEP, : self._count]
        fresh, stop = np.searchsorted(steps, [examined, step]).tolist()
        start = max(fresh - KEPT, 0)
        return Series(step, fresh - start, self._offset + start, self._values[:, start:stop])

    def forget(self, examined: int) -> None:
        """Drop the points that no later examination than the one at step `examined` needs."""
        if self._count < KEPT + SPARE:
            return
        old = int(np.searchsorted(self._values[_STEP, : self._count], examined)) - KEPT
        if old >= SPARE:
            self._keep(self._values[:, old : self._count])
            self._offset += old

    def _keep(self, points: Floats) -> None:
        """Take these points instead of all, with room for more."""
        self._count = points.shape[1]
        self._values = np.concatenate([points, np.empty((len(points), SPARE))], axis=1)

    # ------------------------------------------------------------------ copies

    def about(self) -> tuple[About, Arrays]:
        """Return all of it, to store."""
        _, rises, falls, _, peak_step = self._open.tolist()
        open_part = {"rises": rises, "falls": falls, "peak_step": int(peak_step), "offset": self._offset}
        numbers = self._open[[0, 3]]
        return open_part, {"track": self._values[:, : self._count].copy(), "track_open": numbers}

    def restore(self, about: About, arrays: Arrays) -> None:
        """Restore what `about` returned. Raises ValueError for another network's."""
        values = arrays["track"]
        if len(values) != len(self._values):
            raise ValueError("this track has other series")
        self._keep(values)
        self._offset = about["offset"]
        last_loss, peak = arrays["track_open"].tolist()
        self._open = np.array(
            [last_loss, about["rises"], about["falls"], peak, about["peak_step"]], np.float64
        )


def _points(first: int, stop: int) -> NDArray[np.int64]:
    """Return the points first <= k < stop."""
    parts = []
    while first < stop:
        apart = distance(first)
        end = min(stop, max(1 << first.bit_length(), 2 * POINTS))
        parts.append(np.arange(-(-first // apart) * apart, end, apart, dtype=np.int64))
        first = end
    return np.concatenate(parts)


def follow(
    first: int,
    values: Floats,
    points: NDArray[np.int64],
    rows: NDArray[np.intp],
    open_part: Floats,
    columns: Floats,
) -> None:
    """Fill `columns` at `points` from the records from step `first` on; the end stays open in `open_part`.

    `rows` are those of the training loss, of the test loss or -1, and of the layers' changes. It is compiled as it is.
    """
    before, rises, falls, peak, peak_step = open_part
    at = 0
    for place in range(values.shape[1]):
        loss, step = values[rows[0], place], first + place
        rises += loss - before > NOTABLE * before
        falls += before - loss > NOTABLE * before
        if isfinite(loss) and not peak >= loss:
            peak, peak_step = loss, step
        if at < len(points) and points[at] == step:
            columns[_STEP, at], columns[_LOSS, at] = step, loss
            columns[_TEST, at] = values[rows[1], place] if rows[1] >= 0 else np.nan
            columns[_PEAK, at], columns[_PEAK_STEP, at] = peak, peak_step
            columns[_RISES, at], columns[_FALLS, at] = rises, falls
            for layer in range(2, len(rows)):
                columns[_MOVED + layer - 2, at] = values[rows[layer], place]
            peak, peak_step = np.nan, step + 1
            at += 1
        before = loss
    open_part[:] = before, rises, falls, peak, peak_step


Follow: TypeAlias = Callable[[int, Floats, NDArray[np.int64], NDArray[np.intp], Floats, Floats], None]

_FOLLOW: list[Follow] = [follow]
"""The function as it is, and at most its compiled version."""


def follow_by(compiled: Follow) -> None:
    """Use the compiled version from now on."""
    _FOLLOW[1:] = [compiled]
