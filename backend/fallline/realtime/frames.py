"""The content of a frame, and a cache for readers who lack the same steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fallline.vocabulary.binary import binary
from fallline.vocabulary.columns import Buckets, coarsen, join
from fallline.vocabulary.packed import packed

Header = dict[str, Any]

MOST_CACHED = 16
"""Frames cached for one publication: readers differ in their position, series, buckets and encoding."""

_MICROSECONDS = {"json": 1.5, "bdata": 0.05, "packed": 0.02, "binary": 0.02}
"""Time to encode one number."""

BYTES_OF_NUMBER = {"json": 20, "bdata": 11, "packed": 11, "binary": 8}

BYTES_OF_SERIES = {"json": 60, "bdata": 190, "packed": 4, "binary": 170}
"""Bytes of one series without its numbers."""

_ENCODINGS: dict[str, Callable[[Buckets, int], dict[str, Any]]] = {
    "json": Buckets.as_json,
    "bdata": Buckets.as_bdata,
}


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """A run in a frame: its header, and consecutive `pieces` of the series `names`."""

    header: Header
    names: tuple[str, ...]
    pieces: tuple[Buckets, ...]

    @property
    def has_one_piece(self) -> bool:
        """True if there is nothing to join."""
        return len(self.pieces) == 1

    def merged(self, at_most: int) -> Buckets:
        """Return all pieces as one, with at most this many buckets."""
        if not self.pieces:
            return Buckets.empty(self.names)
        selected = (piece if piece.names == self.names else piece.select(self.names) for piece in self.pieces)
        return coarsen(join(*selected), at_most)


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Frame:
    """Changes of an experiment's runs, with at most `at_most` buckets a run."""

    experiment: str
    runs: dict[str, RunUpdate]
    at_most: int
    encoding: str
    made_at: float = 0.0
    """When its newest step was measured; 0 if it holds only what was before the watch."""

    def has_same_content(self, other: Frame) -> bool:
        """Return whether both encode to the same text, by the identity of pieces."""
        return (self.at_most, self.encoding, self.runs) == (other.at_most, other.encoding, other.runs)

    @property
    def encoding_seconds(self) -> float:
        """Rough upper bound of the time to encode this frame, in seconds."""
        return self._numbers * _MICROSECONDS[self.encoding] * 1e-6

    @property
    def size(self) -> int:
        """Rough upper bound of its bytes, without its headers."""
        series = sum(len(update.names) for update in self.runs.values())
        return self._numbers * BYTES_OF_NUMBER[self.encoding] + series * BYTES_OF_SERIES[self.encoding]

    @property
    def _numbers(self) -> int:
        return sum(
            4 * min(sum(map(len, update.pieces)), self.at_most) * len(update.names)
            for update in self.runs.values()
        )

    def message(self) -> dict[str, Any]:
        """Return the frame message as plain JSON, without its type and number."""
        return {
            "experiment": self.experiment,
            "runs": {run: self._run(update) for run, update in self.runs.items()},
        }

    def _run(self, update: RunUpdate) -> dict[str, Any]:
        generation = update.header["generation"]
        if self.encoding == "packed":
            columns = packed(self._merged(update), generation, update.names)
        else:
            columns = _ENCODINGS[self.encoding](update.merged(self.at_most), generation)
        return {**update.header, "columns": columns}

    def _merged(self, update: RunUpdate) -> Buckets:
        """Return the buckets of a run, for an encoder that selects the series."""
        if update.has_one_piece:  # most frames: without a copy of all statistics of the series
            return coarsen(update.pieces[0], self.at_most)
        return update.merged(self.at_most)

    def binary_runs(self) -> tuple[dict[str, tuple[Header, str]], bytes]:
        """Return the header of each run and the JSON text of its columns, and the bytes of all columns."""
        runs, data = {}, bytearray()
        for run, update in self.runs.items():
            merged, generation = self._merged(update), update.header["generation"]
            columns, numbers = binary(merged, generation, update.names, len(data))
            runs[run] = update.header, columns
            data += numbers
        return runs, bytes(data)


class FrameCache:
    """The frames of one publication that other readers can share."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._expected = 0

    def start(self, readers: int) -> None:
        """Begin a new publication, for which this many readers will take a frame."""
        self._frames.clear()
        self._expected = readers

    def share(self, frame: Frame) -> Frame:
        """Return the cached frame with the same content, or this one."""
        shared = next((cached for cached in self._frames if cached.has_same_content(frame)), frame)
        self._expected -= 1
        if self._expected <= 0:
            self._frames.clear()
        elif shared is frame and len(self._frames) < MOST_CACHED:
            self._frames.append(frame)
        return shared
