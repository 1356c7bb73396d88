"""The history of one run: its series by name, and which of them follow from others.

Must not know training, nor who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fallline.history.parts import Part
from fallline.history.pyramid import Pyramid, most_bytes
from fallline.vocabulary.columns import Buckets, Floats, Records
from fallline.vocabulary.packing import About, Arrays


class RunHistory:
    """All series of a run from step 0 on, in less than 2 MB for the notebook's network however long the run is.

    `sizes` tells how many numbers each parameter has. For those, `grad_mean/P` is not stored but read as `grad_l1/P`
    divided by the size: division keeps the order, so minimum, maximum and last are those of the stored quotients, bit
    for bit.
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
        """So many steps were recorded: 0 ... `count` - 1."""
        return self._pyramid.count

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays held."""
        return self._pyramid.nbytes

    @property
    def most_bytes(self) -> int:
        """Bytes of all arrays of a long run."""
        return most_bytes(len(self._pyramid.names))

    def append(self, records: Records) -> None:
        """Remember the records that follow those held. ValueError when they do not follow or are of other series."""
        if records.names != self.names:
            raise ValueError("these records are not of this run's series")
        if not len(records):
            return
        stored = replace(records, names=self._pyramid.names, values=records.values[self._rows])
        self._pyramid.append(stored)
        self._see(records)

    def range(self, first: int, last: int, at_most: int, exact_start: bool = True) -> Buckets:
        """Whole buckets that overlap the steps `first` ... `last`, at most so many: see `Pyramid.range`."""
        told = self._pyramid.range(first, last, at_most, exact_start=exact_start)
        return replace(
            told,
            names=self.names,
            minimum=self._expand(told.minimum),
            maximum=self._expand(told.maximum),
            mean=self._expand(told.mean),
            final=self._expand(told.final),
            count=told.count[self._sources],
        )

    def latest(self) -> dict[str, tuple[int, float]]:
        """The step and value of the last finite record of every series that has one."""
        found = zip(self.names, self._latest_step.tolist(), self._latest.tolist(), strict=True)
        return {name: (step, value) for name, step, value in found if step >= 0}

    # ------------------------------------------------------------------ being kept

    def about(self) -> tuple[About, Arrays]:
        """What the parts do not say."""
        latest: Arrays = {"latest_step": self._latest_step, "latest": self._latest}
        return {"series": list(self.names), **self._pyramid.about()}, latest

    def parts(self) -> Iterator[Part]:
        """Pieces from which `restore` makes this history again, bit for bit."""
        return self._pyramid.parts()

    def restore(self, about: About, latest: Arrays, parts: Iterable[tuple[About, Arrays]]) -> None:
        """Become the history that told these. ValueError when it was one of other series."""
        if about["series"] != list(self.names):
            raise ValueError("this history was one of other series")
        self._pyramid = Pyramid.restored(self._pyramid.names, about, parts)
        self._latest_step, self._latest = latest["latest_step"], latest["latest"]

    def _expand(self, stored: Floats) -> Floats:
        expanded: Floats = stored[self._sources] / self._divisors
        return expanded

    def _see(self, records: Records) -> None:
        """Note the last finite value of each series; most stand in the last column."""
        missing: NDArray[np.intp] = np.arange(len(self.names))
        for width in (1, len(records)):
            values = records.values[missing, len(records) - width :]
            finite = np.isfinite(values)
            seen = finite.any(axis=1)
            places = width - 1 - np.argmax(finite[:, ::-1], axis=1)[seen]
            self._latest[missing[seen]] = values[seen, places]
            self._latest_step[missing[seen]] = records.stop - width + places
            missing = missing[~seen]
