"""The history of one run: its series by name, stored or derived; and what of it waits for a publication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.history.pyramid import Part, Pyramid, most_bytes
from fallline.vocabulary.columns import (
    STATISTICS,
    Buckets,
    Floats,
    Records,
    Waiting,
    coarsen,
    from_records,
    in_a_row,
    join,
)
from fallline.vocabulary.encoding import About, Arrays

LATER = frozenset({"learning_rate", "grad_norm", "grad_norm_clipped"})
"""Series that histories stored by the first versions lack."""

PIECE = 128
"""Most buckets of a published piece; beyond, neighbours are merged."""

MOST_STEPS = 1_024
"""Most single steps that wait. Many are merged at once, since NumPy's calls cost most."""


class RunHistory:
    """All series of a run from step 0 on, in bounded memory.

    The notebook's network needs less than 2 MB. Two kinds of series are not stored:

    - `grad_mean/P`, if `sizes` has the number of entries of P: it is `grad_l1/P` over the size. Division keeps the
      order, so minimum, maximum and last equal stored quotients to the bit;
    - a series that has had one value so far, such as a constant rate, or none. It is stored from its next value on.
    """

    def __init__(self, names: tuple[str, ...], sizes: Mapping[str, int] | None = None) -> None:
        self.names = names
        means = {f"grad_mean/{name}": (f"grad_l1/{name}", size) for name, size in (sizes or {}).items()}
        derived = {name: means[name] for name in names if name in means and means[name][0] in names}
        self._own = tuple(name for name in names if name not in derived)
        sources = [derived[name][0] if name in derived else name for name in names]
        self._rows = np.array([row for row, name in enumerate(names) if name not in derived], np.intp)
        self._sources = np.array([self._own.index(name) for name in sources], np.intp)
        self._divisors = np.array([[derived[name][1] if name in derived else 1.0] for name in names])
        self._is_constant = np.full(len(self._own), True)
        self._constants = np.full(len(self._own), np.nan)
        self._has_value = np.full(len(names), True)
        """True for each series that has had a value, in the order of names."""
        self._pyramid = Pyramid(())
        self._waiting = Waiting()
        self._latest_step = np.full(len(names), -1, np.int64)
        self._latest = np.full(len(names), np.nan)

    @property
    def count(self) -> int:
        """Number of recorded steps: 0 ... `count` - 1."""
        return self._pyramid.count + self._waiting.steps

    @property
    def nbytes(self) -> int:
        return self._pyramid.nbytes + self._waiting.nbytes

    @property
    def most_bytes(self) -> int:
        """Bytes of all arrays of a long run."""
        return most_bytes(len(self._own))

    def append(self, records: Records) -> None:
        """Add the next records. Raises ValueError for others."""
        if records.names != self.names:
            raise ValueError("these records have other series than this run")
        if not len(records):
            return
        if records.first != self.count:
            raise ValueError(f"record {self.count} must come next, not {records.first}")
        if self._waiting.add(records):
            self._store()

    def _store(self) -> None:
        """Store the records that wait; whoever reads the history calls it first."""
        records = self._waiting.take()
        if records is None:
            return
        self._store_changed(records)
        names, rows = self._pyramid.names, self._rows[~self._is_constant]
        self._pyramid.append(replace(records, names=names, values=records.values[rows]))
        self._update_latest(records)

    def range(self, first: int, last: int, at_most: int) -> Buckets:
        """Return whole buckets of the range: see `Pyramid.range`."""
        self._store()
        buckets = self._pyramid.range(first, last, at_most)
        columns: dict[str, Any] = {
            name: self._with_constants(getattr(buckets, name), self._constants[:, np.newaxis])[self._sources]
            / self._divisors
            for name in STATISTICS.values()
        }
        has_value = np.isfinite(self._constants)[:, np.newaxis]
        count = self._with_constants(buckets.count, has_value * (buckets.last - buckets.first + 1))
        return replace(buckets, names=self.names, count=count[self._sources], **columns)

    def latest(self) -> dict[str, tuple[int, float]]:
        """Return the step and value of the last finite record of every series."""
        self._store()
        latest = zip(self.names, self._latest_step.tolist(), self._latest.tolist(), strict=True)
        return {name: (step, value) for name, step, value in latest if step >= 0}

    # ------------------------------------------------------------------ storing

    def about(self) -> tuple[About, Arrays]:
        """Return the fields that the parts do not contain."""
        self._store()
        arrays: Arrays = {
            "latest_step": self._latest_step,
            "latest": self._latest,
            "constants": self._constants,
        }
        stored = list(self._pyramid.names)
        return {"series": list(self.names), "stored": stored, **self._pyramid.about()}, arrays

    def parts(self) -> Iterator[Part]:
        """Yield pieces from which `restore` restores this history to the bit."""
        self._store()
        return self._pyramid.parts()

    def restore(self, about: About, arrays: Arrays, parts: Iterable[tuple[About, Arrays]]) -> None:
        """Restore the history of these parts. Raises KeyError, or ValueError if it had other series.

        A history without the series that came `LATER` has no value of them until its next record.
        """
        series = about["series"]
        if series != [name for name in self.names if name in series or name not in LATER]:
            raise ValueError("this history has other series")
        stored = about.get("stored", [name for name in self._own if name in series])
        self._is_constant = np.array([name not in stored for name in self._own])
        self._pyramid = Pyramid.restored(tuple(stored), about, parts)
        self._constants = arrays.get("constants", self._constants)
        self._update_has_value()
        present = [self.names.index(name) for name in series]
        self._latest_step[present], self._latest[present] = arrays["latest_step"], arrays["latest"]

    def _store_changed(self, records: Records) -> None:
        """Store the series that have another value for the first time."""
        places = np.flatnonzero(self._is_constant)
        if not self._pyramid.count:
            self._constants = _finite(records.values[self._rows, 0])
            self._update_has_value()
        changed = places[self._differ(places, records.values[self._rows[places]])]
        if len(changed):  # some may only have another infinity than the one NaN
            changed = changed[self._differ(changed, _finite(records.values[self._rows[changed]]))]
        if len(changed):
            self._is_constant[changed] = False
            names = tuple(np.array(self._own)[~self._is_constant].tolist())
            constants = dict(zip(self._own, self._constants.tolist(), strict=True))
            self._pyramid = self._pyramid.extended(names, constants)
            self._update_has_value()

    def _differ(self, places: NDArray[np.intp], values: Floats) -> NDArray[np.bool_]:
        """Return which rows of values differ from their constants, by bits: NaN equals NaN, and -0 is not 0."""
        constants = self._constants[places].view(np.int64)
        return np.asarray((values.view(np.int64) != constants[:, np.newaxis]).any(axis=1))

    def _with_constants(self, stored: NDArray[Any], constants: NDArray[Any]) -> NDArray[Any]:
        """Return all own series, (own, n), from the stored ones and from the value of the others."""
        rows: NDArray[Any] = np.empty((len(self._own), stored.shape[1]), stored.dtype)
        rows[~self._is_constant] = stored
        rows[self._is_constant] = np.broadcast_to(constants, rows.shape)[self._is_constant]
        return rows

    def _update_latest(self, records: Records) -> None:
        """Update the last finite value of each series; most are in the last column."""
        last = records.values[:, -1]
        finite = np.isfinite(last)
        np.copyto(self._latest, last, where=finite)
        self._latest_step[finite] = records.stop - 1
        missing = np.flatnonzero(~finite & self._has_value)
        if not len(missing):
            return
        finite = np.isfinite(records.values[missing])
        has_value = finite.any(axis=1)
        missing = missing[has_value]
        places = len(records) - 1 - np.argmax(finite[has_value, ::-1], axis=1)
        self._latest[missing] = records.values[missing, places]
        self._latest_step[missing] = records.first + places

    def _update_has_value(self) -> None:
        """Update which series have had a value: the others are seldom looked at."""
        has_value = ~self._is_constant | np.isfinite(self._constants)
        self._has_value = has_value[self._sources]


def _finite(values: Floats) -> Floats:
    """Return the values with NaN for each one that is not finite."""
    return np.where(np.isfinite(values), values, np.nan)


class Unpublished:
    """Consecutive records that wait for a publication: taken together, as at most `PIECE` buckets."""

    def __init__(self) -> None:
        self.is_empty = True
        self._merged: Buckets | None = None
        self._steps: list[Records] = []
        self._count = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(each.nbytes for each in self._steps) + (0 if self._merged is None else self._merged.nbytes)

    def add(self, records: Records) -> None:
        """Add the next records. Raises ValueError if they do not follow."""
        if self._steps and records.first != self._steps[-1].stop:
            raise ValueError(f"record {self._steps[-1].stop} must come next, not {records.first}")
        self.is_empty = False
        self._steps.append(records)
        self._count += len(records)
        if self._count > MOST_STEPS:
            self._merged = self._all()
            self._steps, self._count = [], 0

    def take(self, at_most: int = PIECE) -> Buckets | None:
        """Return what waits in at most this many buckets, once; None if nothing waits."""
        if self.is_empty:
            return None
        buckets = coarsen(self._all(), at_most)
        self.is_empty = True
        self._merged, self._steps, self._count = None, [], 0
        return buckets

    def _all(self) -> Buckets:
        """Return what waits in at most `PIECE` buckets."""
        pieces = [] if self._merged is None else [self._merged]
        if self._steps:
            pieces.append(from_records(in_a_row(self._steps), at_most=PIECE))
        return coarsen(join(*pieces), PIECE)
