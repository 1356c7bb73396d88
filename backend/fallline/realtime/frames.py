"""What a frame says, and which readers of an experiment are told the same: what is the same is put into words once.

Must not know who reads, how fast, or what number a frame has on its socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fallline.vocabulary.columns import Buckets, coarsen, join

Header = dict[str, Any]

MOST_KEPT = 16
"""Frames of one publication that are kept for other readers: these differ where readers fell behind, or asked for other
things.
"""

_MICROSECONDS = {"json": 1.5, "bdata": 0.05}


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """What is told of one run: `pieces` of its history in a row, of which only the series `names`."""

    header: Header
    names: tuple[str, ...]
    pieces: tuple[Buckets, ...]

    def merged(self, at_most: int) -> Buckets:
        """All pieces as one, of at most so many buckets."""
        if not self.pieces:
            return Buckets.empty(self.names)
        wanted = (piece if piece.names == self.names else piece.select(self.names) for piece in self.pieces)
        return coarsen(join(*wanted), at_most)


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Frame:
    """What happened to the runs of an experiment since the frame before: `at_most` so many buckets of each run."""

    experiment: str
    runs: dict[str, RunUpdate]
    at_most: int
    encoding: str

    def says_the_same_as(self, other: Frame) -> bool:
        """Whether no reader could tell the two apart. Pieces of history are the same where they are the same object."""
        return (self.at_most, self.encoding, self.runs) == (other.at_most, other.encoding, other.runs)

    @property
    def effort(self) -> float:
        """Seconds that it takes to put into words, roughly, and at most."""
        numbers = sum(
            4 * min(sum(map(len, told.pieces)), self.at_most) * len(told.names) for told in self.runs.values()
        )
        return numbers * _MICROSECONDS[self.encoding] * 1e-6

    def message(self) -> dict[str, Any]:
        """The message of CONTRACT, as plain JSON, but for its type and its number."""
        return {
            "experiment": self.experiment,
            "runs": {run: self._run(told) for run, told in self.runs.items()},
        }

    def _run(self, told: RunUpdate) -> dict[str, Any]:
        buckets = told.merged(self.at_most)
        encode = buckets.as_bdata if self.encoding == "bdata" else buckets.as_json
        return {**told.header, "columns": encode(told.header["generation"])}


class FrameCache:
    """The frames of one experiment since it was last told of. One that nobody else can come for is not kept."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._expected = 0

    def begin(self, readers: int) -> None:
        """There is news, so from here on every frame is another; so many readers will come for one."""
        self._frames.clear()
        self._expected = readers

    def share(self, frame: Frame) -> Frame:
        """The frame that another reader came for, where it says the same."""
        shared = next((one for one in self._frames if one.says_the_same_as(frame)), frame)
        self._expected -= 1
        if self._expected <= 0:
            self._frames.clear()
        elif shared is frame and len(self._frames) < MOST_KEPT:
            self._frames.append(frame)
        return shared
