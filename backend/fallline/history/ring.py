"""Ring buffers of buckets of one width, and of single steps, and their content as pieces to store.

A full ring drops its oldest buckets for new ones. A ring can be restored from the arrays that it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.columns import STATISTICS, Buckets, Records, from_records
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

    It stores bucket k for `start` <= k < `stop`, at place k % size of every array.
    """

    def __init__(self, buckets: Buckets, width: int, size: int) -> None:
        rows, self.names = len(buckets.names), buckets.names
        self.width, self._size = width, size
        self.start = self.stop = int(buckets.first[0]) // width if len(buckets) else 0
        # The smallest integer type for counts up to the width saves a fifth of the memory.
        counts = np.empty((rows, size), np.min_scalar_type(width))
        self._arrays: Arrays = {"samples_seen": np.empty(size, np.int64), "seconds": np.empty(size)}
        self._arrays.update({name: np.empty((rows, size)) for name in STATISTICS.values()}, count=counts)
        self.add(buckets)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, full or not."""
        return sum(array.nbytes for array in self._arrays.values())

    def add(self, buckets: Buckets) -> None:
        """Add the buckets `stop`, `stop` + 1, ..."""
        stop = self.stop + len(buckets)
        buckets = buckets.part(slice(max(len(buckets) - self._size, 0), None))
        places = np.arange(stop - len(buckets), stop) % self._size
        for name, array in self._arrays.items():
            array[..., places] = getattr(buckets, name)
        self.start, self.stop = max(self.start, stop - self._size), stop

    def read(self, start: int, stop: int) -> Buckets:
        """Return copies of the buckets start <= k < stop."""
        return buckets_of(self.names, self.width, start, self.arrays(start, stop))

    def arrays(self, start: int, stop: int) -> Arrays:
        """Return copies of the columns of the buckets start <= k < stop."""
        places = np.arange(start, stop) % self._size
        return {name: array[..., places] for name, array in self._arrays.items()}

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
