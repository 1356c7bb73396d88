"""Shelves: bounded stores of buckets of one width, numbered from the start of the run, and of single steps.

A full shelf forgets its oldest when it takes new ones, and can be made again from the arrays that it tells. Must not
know what other widths there are, nor names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.columns import STATISTICS, Buckets, Records, from_records
from fallline.vocabulary.packing import Arrays

FEW = 64
"""Steps that a new shelf has room for: most experiments of a workshop are short, and many are kept."""


class BucketShelf:
    """The newest `room` of the buckets [k width, (k + 1) width) that were added, all series together.

    Bucket k is held for `start` <= k < `stop`, at place k % room of every array.
    """

    def __init__(self, buckets: Buckets, width: int, room: int) -> None:
        rows, self.names = len(buckets.names), buckets.names
        self.width, self._room = width, room
        self.start = self.stop = int(buckets.first[0]) // width if len(buckets) else 0
        # A bucket of few steps counts to few: the smallest integer that holds its width saves a fifth.
        counts = np.empty((rows, room), np.min_scalar_type(width))
        self._arrays: Arrays = {
            "samples_seen": np.empty(room, np.int64),
            "seconds": np.empty(room),
        }
        self._arrays.update({name: np.empty((rows, room)) for name in STATISTICS.values()}, count=counts)
        self.add(buckets)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, full or not."""
        return sum(array.nbytes for array in self._arrays.values())

    def add(self, buckets: Buckets) -> None:
        """Put the buckets `stop`, `stop` + 1, ... on the shelf."""
        stop = self.stop + len(buckets)
        buckets = buckets.part(slice(max(len(buckets) - self._room, 0), None))
        places = np.arange(stop - len(buckets), stop) % self._room
        for name, array in self._arrays.items():
            array[..., places] = getattr(buckets, name)
        self.start, self.stop = max(self.start, stop - self._room), stop

    def read(self, start: int, stop: int) -> Buckets:
        """The buckets start <= k < stop, copied."""
        return made_buckets(self.names, self.width, start, self.arrays(start, stop))

    def arrays(self, start: int, stop: int) -> Arrays:
        """The columns of the buckets start <= k < stop, copied; `made_buckets` makes buckets of them."""
        places = np.arange(start, stop) % self._room
        return {name: array[..., places] for name, array in self._arrays.items()}


def made_buckets(names: tuple[str, ...], width: int, start: int, arrays: Arrays) -> Buckets:
    """The buckets k = `start`, `start` + 1, ... of this width, of their columns."""
    numbers = np.arange(start, start + len(arrays["seconds"]), dtype=np.int64)
    columns = {**arrays, "count": arrays["count"].astype(np.int64)}
    return Buckets(numbers * width, (numbers + 1) * width - 1, names=names, **columns)


class StepShelf:
    """The newest `room` of the steps that were added, one record each; grows to `room` as they come."""

    width = 1

    def __init__(self, names: tuple[str, ...], start: int, room: int) -> None:
        self.names, self._room = names, room
        self.start = self.stop = start
        self._samples_seen = np.empty(0, np.int64)
        self._seconds = np.empty(0)
        self._values = np.empty((len(names), 0))

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, full or not."""
        return self._samples_seen.nbytes + self._seconds.nbytes + self._values.nbytes

    def add(self, records: Records) -> None:
        """Put the records from `stop` on on the shelf."""
        self._make_room(min(self.stop - self.start + len(records), self._room))
        kept = records.part(records.stop - self._room, records.stop)
        places = self._places(kept.first, kept.stop)
        self._samples_seen[places] = kept.samples_seen
        self._seconds[places] = kept.seconds
        self._values[:, places] = kept.values
        self.start, self.stop = max(self.start, records.stop - self._room), records.stop

    def read(self, start: int, stop: int) -> Buckets:
        """The steps start <= k < stop as buckets of one step, copied."""
        return from_records(self.records(start, stop))

    def records(self, start: int, stop: int) -> Records:
        """The steps start <= k < stop as they were added, copied."""
        places = self._places(start, stop)
        columns = self._samples_seen[places], self._seconds[places]
        return Records(start, *columns, self.names, self._values[:, places])

    def _places(self, start: int, stop: int) -> NDArray[np.intp]:
        return np.arange(start, stop) % len(self._seconds)

    def _make_room(self, needed: int) -> None:
        if needed <= len(self._seconds):
            return
        held = self.records(self.start, self.stop) if self.stop > self.start else None
        size = min(max(FEW, 1 << (needed - 1).bit_length()), self._room)
        self._samples_seen = np.empty(size, np.int64)
        self._seconds = np.empty(size)
        self._values = np.empty((len(self.names), size))
        if held is not None:
            places = self._places(held.first, held.stop)
            self._samples_seen[places], self._seconds[places] = held.samples_seen, held.seconds
            self._values[:, places] = held.values


Shelf = BucketShelf | StepShelf
