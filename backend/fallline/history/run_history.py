"""The history of one run: its series by name, stored or derived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import copysign, isfinite, isnan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fallline.history.pyramid import Part, Pyramid, most_bytes
from fallline.vocabulary.columns import (
    STATISTICS,
    Buckets,
    Floats,
    Records,
    from_records,
)
from fallline.vocabulary.encoding import About, Arrays

LATER = frozenset({"learning_rate", "grad_norm", "grad_norm_clipped"})
"""Series that histories stored by the first versions lack."""


class RunHistory:
    """All series of a run from step 0 on, in bounded memory.

    The notebook's network needs less than 2 MB. Two kinds of series are not stored:

    - `grad_mean/P`, if `sizes` has the number of entries of P: it is `grad_l1/P` over the size. Division keeps the
      order, so minimum, maximum and last equal stored quotients to the bit;
    - a series that has had one value so far, such as a constant rate, or none. It is stored from its next value on.
    """

    def __init__(self, names: tuple[str, ...], sizes: Mapping[str, int] | None = None) -> None:
        self.names = names
        self._place = {name: place for place, name in enumerate(names)}
        means = {f"grad_mean/{name}": (f"grad_l1/{name}", size) for name, size in (sizes or {}).items()}
        derived = {name: means[name] for name in names if name in means and means[name][0] in names}
        self._own = tuple(name for name in names if name not in derived)
        sources = [derived[name][0] if name in derived else name for name in names]
        self._rows = np.array([row for row, name in enumerate(names) if name not in derived], np.intp)
        self._sources = np.array([self._own.index(name) for name in sources], np.intp)
        self._divisors = np.array([[derived[name][1] if name in derived else 1.0] for name in names])
        self._is_constant = np.full(len(self._own), True)
        self._constants = np.full(len(self._own), np.nan)
        self._stored = np.empty(0, np.intp)
        """Rows of the own series that the pyramid stores."""
        self._pyramid = Pyramid(0)
        self._latest_step = np.full(len(names), -1, np.int64)
        self._latest = np.full(len(names), np.nan)

    @property
    def count(self) -> int:
        """Number of recorded steps: 0 ... `count` - 1."""
        return self._pyramid.count

    @property
    def nbytes(self) -> int:
        return self._pyramid.nbytes

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
        values = records.values
        if not self.count:
            first = values[self._rows, 0]
            self._constants = np.where(np.isfinite(first), first, np.nan)
        series = self._rows, self._is_constant, self._constants
        if _SCAN[-1](records.first, values, *series, self._latest_step, self._latest):
            before, self._stored = self._stored, np.flatnonzero(~self._is_constant)
            self._pyramid.extend(np.isin(self._stored, before), self._constants[self._stored])
        self._pyramid.append(records, self._rows[self._stored])

    def range(self, first: int, last: int, at_most: int, names: Sequence[str] | None = None) -> Buckets:
        """Return at most `at_most` whole buckets that overlap `first` ... `last`, of all series or of these.

        They begin at `first` if it is stored singly and `at_most` allows it. Raises ValueError for at_most < 1, and
        KeyError for an unknown name.
        """
        if at_most < 1:
            raise ValueError("at_most must be at least 1")
        names = self.names if names is None else tuple(names)
        chosen = np.array([self._place[name] for name in names], np.intp)
        first, last = max(first, 0), min(last, self.count - 1)
        if first > last:
            return Buckets.empty(names)
        own, divisors = self._sources[chosen], self._divisors[chosen]
        is_constant, constants = self._is_constant[own], self._constants[own][:, np.newaxis]
        rows = np.searchsorted(self._stored, own[~is_constant])

        def completed(stored: NDArray[Any], constants: NDArray[Any] = constants) -> NDArray[Any]:
            if len(rows) == len(chosen):
                return stored
            columns: NDArray[Any] = np.empty((len(chosen), stored.shape[1]), stored.dtype)
            columns[~is_constant] = stored
            columns[is_constant] = constants[is_constant]
            return columns

        records = self._pyramid.records(first, last, rows) if last - first < at_most else None
        if records is not None:
            return from_records(replace(records, names=names, values=completed(records.values) / divisors))
        buckets = self._pyramid.range(first, last, at_most, rows)
        count = completed(buckets.count, np.isfinite(constants) * (buckets.last - buckets.first + 1))
        columns: dict[str, Any] = {
            name: completed(getattr(buckets, name)) / divisors for name in STATISTICS.values()
        }
        return replace(buckets, names=names, count=count, **columns)

    def latest(self) -> dict[str, tuple[int, float]]:
        """Return the step and value of the last finite record of every series."""
        latest = zip(self.names, self._latest_step.tolist(), self._latest.tolist(), strict=True)
        return {name: (step, value) for name, step, value in latest if step >= 0}

    # ------------------------------------------------------------------ storing

    def about(self) -> tuple[About, Arrays]:
        """Return the fields that the parts do not contain."""
        arrays: Arrays = {
            "latest_step": self._latest_step,
            "latest": self._latest,
            "constants": self._constants,
        }
        stored = [self._own[row] for row in self._stored]
        return {"series": list(self.names), "stored": stored, **self._pyramid.about()}, arrays

    def parts(self) -> Iterator[Part]:
        """Yield pieces from which `restore` restores this history to the bit."""
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
        self._stored = np.flatnonzero(~self._is_constant)
        self._pyramid = Pyramid.restored(len(stored), about, parts)
        self._constants = arrays.get("constants", self._constants).copy()
        present = [self.names.index(name) for name in series]
        self._latest_step[present], self._latest[present] = arrays["latest_step"], arrays["latest"]


def scan(
    first: int,
    values: Floats,
    rows: NDArray[np.intp],
    is_constant: NDArray[np.bool_],
    constants: Floats,
    latest_step: NDArray[np.int64],
    latest: Floats,
) -> bool:
    """Update the last finite values, and which series have had one value; return whether another has had two.

    -0 is not 0, and NaN is no value. It is compiled as it is.
    """
    steps = values.shape[1]
    for row in range(len(values)):
        for at in range(steps - 1, -1, -1):
            if isfinite(values[row, at]):
                latest[row], latest_step[row] = values[row, at], first + at
                break
    has_changed = False
    for series in range(len(rows)):
        if is_constant[series]:
            constant = constants[series]
            for at in range(steps):
                value = values[rows[series], at]
                is_same = value == constant and copysign(1.0, value) == copysign(1.0, constant)
                if not is_same and (isfinite(value) or not isnan(constant)):
                    is_constant[series], has_changed = False, True
                    break
    return has_changed


Scan: TypeAlias = Callable[..., bool]

_SCAN: list[Scan] = [scan]
"""The function as it is, and at most its compiled version."""


def scan_by(compiled: Scan) -> None:
    """Use the compiled version from now on."""
    _SCAN[1:] = [compiled]
