"""A frame, and what it takes to send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fallline.vocabulary.binary import binary
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.frame_requests import Header, RunUpdate
from fallline.vocabulary.packed import packed

_MICROSECONDS = {"json": 1.5, "bdata": 0.05, "packed": 0.02, "binary": 0.02, "brief": 0.02}
"""Time to encode one number."""

BYTES_OF_NUMBER = {"json": 20, "bdata": 11, "packed": 11, "binary": 8, "brief": 8}

BYTES_OF_SERIES = {"json": 60, "bdata": 190, "packed": 4, "binary": 170, "brief": 170}
"""Bytes of one series without its numbers."""

BINARY = ("binary", "brief")
"""Encodings of which a WebSocket alone can carry the columns."""

_ENCODINGS: dict[str, Callable[[Buckets, int], dict[str, Any]]] = {
    "json": Buckets.as_json,
    "bdata": Buckets.as_bdata,
    "packed": packed,
}


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Frame:
    """Changes of an experiment's runs, for all readers that asked for the same."""

    experiment: str
    runs: Mapping[str, RunUpdate]
    encoding: str
    made_at: float
    """When its newest step was measured."""

    @property
    def encoding_seconds(self) -> float:
        """Rough upper bound of the time to encode this frame, in seconds."""
        return self._numbers * _MICROSECONDS[self.encoding] * 1e-6

    @property
    def size(self) -> int:
        """Rough upper bound of its bytes, without its headers."""
        series = sum(len(update.buckets.names) for update in self.runs.values())
        return self._numbers * BYTES_OF_NUMBER[self.encoding] + series * BYTES_OF_SERIES[self.encoding]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(update.buckets.nbytes for update in self.runs.values())

    @property
    def _numbers(self) -> int:
        return sum(4 * update.buckets.final.size for update in self.runs.values())

    def message(self) -> dict[str, Any]:
        """Return the frame message as plain JSON, without its type and number."""
        return {
            "experiment": self.experiment,
            "runs": {run: self._run(update) for run, update in self.runs.items()},
        }

    def _run(self, update: RunUpdate) -> dict[str, Any]:
        columns = _ENCODINGS[self.encoding](update.buckets, update.held.generation)
        return {**update.header, "columns": columns}

    @property
    def is_binary(self) -> bool:
        """True if its columns are bytes."""
        return self.encoding in BINARY

    def binary_runs(self) -> tuple[dict[str, tuple[Header, str]], bytes]:
        """Return the header of each run and the JSON text of its columns, and the bytes of all columns."""
        runs, data = {}, bytearray()
        for run, update in self.runs.items():
            columns, numbers = binary(
                update.buckets, update.held.generation, start=len(data), is_brief=self.encoding == "brief"
            )
            runs[run] = update.header, columns
            data += numbers
        return runs, bytes(data)
