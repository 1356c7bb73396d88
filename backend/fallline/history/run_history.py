"""The history of one run: its series by name, stored or derived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.history.pyramid import Pyramid, most_bytes
from fallline.history.ring import Part
from fallline.vocabulary.columns import STATISTICS, Buckets, Floats, Records
from fallline.vocabulary.packing import About, Arrays


class RunHistory:
    """All series of a run from step 0 on, in bounded memory.

    The notebook's network needs less than 2 MB. `sizes` has the number of entries of each parameter. For these,
    `grad_mean/P` is not stored but computed as `grad_l1/P` over the size. Division keeps the order, so minimum,
    maximum and last equal stored quotients to the bit.
    """

    def __init__(self, names: tuple[str, ...], sizes: Mapping[str, int] | None = None) -> None:
        self.names = names
        means = {f"grad_mean/{name}": (f"grad_l1/{name}", size) for name, size in (sizes or {}).items()}
        derived = {name: means[name] for name in names if name in means and means[name][0] in names}
        stored = [name for name in names if name not in derived]
        sources = [derived[name][0] if name in derived else name for name in names]
        self._rows = np.array([row for row, name in enumerate(names) if name not in derived], np.intp)
        self._sources = np.array([stored.index(name) for name in sources], np.intp)
        self._divisors = np.array([[derived[name][1] if name in derived else 1.0] for name in names])
        self._pyramid = Pyramid(tuple(stored))
        self._latest_step = np.full(len(names), -1, np.int64)
        self._latest = np.full(len(names), np.nan)

    @property
    def count(self) -> int:
        """Number of recorded steps: 0 ... `count` - 1."""
        return self._pyramid.count

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self._pyramid.nbytes

    @property
    def most_bytes(self) -> int:
        """Bytes of all arrays of a long run."""
        return most_bytes(len(self._pyramid.names))

    def append(self, records: Records) -> None:
        """Add the next records. Raises ValueError for others."""
        if records.names != self.names:
            raise ValueError("these records have other series than this run")
        if not len(records):
            return
        stored = replace(records, names=self._pyramid.names, values=records.values[self._rows])
        self._pyramid.append(stored)
        self._update_latest(records)

    def range(self, first: int, last: int, at_most: int) -> Buckets:
        """Return whole buckets of the range: see `Pyramid.range`."""
        buckets = self._pyramid.range(first, last, at_most)
        columns: dict[str, Any] = {name: self._expand(getattr(buckets, name)) for name in STATISTICS.values()}
        return replace(buckets, names=self.names, count=buckets.count[self._sources], **columns)

    def latest(self) -> dict[str, tuple[int, float]]:
        """Return the step and value of the last finite record of every series."""
        latest = zip(self.names, self._latest_step.tolist(), self._latest.tolist(), strict=True)
        return {name: (step, value) for name, step, value in latest if step >= 0}

    # ------------------------------------------------------------------ storing

    def about(self) -> tuple[About, Arrays]:
        """Return the fields that the parts do not contain."""
        latest: Arrays = {"latest_step": self._latest_step, "latest": self._latest}
        return {"series": list(self.names), **self._pyramid.about()}, latest

    def parts(self) -> Iterator[Part]:
        """Yield pieces from which `restore` restores this history to the bit."""
        return self._pyramid.parts()

    def restore(self, about: About, latest: Arrays, parts: Iterable[tuple[About, Arrays]]) -> None:
        """Restore the history of these parts. Raises ValueError if it had other series."""
        if about["series"] != list(self.names):
            raise ValueError("this history has other series")
        self._pyramid = Pyramid.restored(self._pyramid.names, about, parts)
        self._latest_step, self._latest = latest["latest_step"], latest["latest"]

    def _expand(self, stored: Floats) -> Floats:
        expanded: Floats = stored[self._sources] / self._divisors
        return expanded

    def _update_latest(self, records: Records) -> None:
        """Update the last finite value of each series; most are in the last column."""
        missing: NDArray[np.intp] = np.arange(len(self.names))
        for width in (1, len(records)):
            values = records.values[missing, len(records) - width :]
            finite = np.isfinite(values)
            has_value = finite.any(axis=1)
            places = width - 1 - np.argmax(finite[:, ::-1], axis=1)[has_value]
            self._latest[missing[has_value]] = values[has_value, places]
            self._latest_step[missing[has_value]] = records.stop - width + places
            missing = missing[~has_value]
