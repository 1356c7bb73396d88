"""What a reader asks of an experiment for its next frame: names and numbers only, so that it can travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fallline.vocabulary.columns import Buckets

Header = dict[str, Any]
"""The fields of a run in a frame, beside its columns."""

FEWEST_BUCKETS = 2
"""Buckets of each run that a frame may always hold. On a line of 5 kB/s, four took 0.8 s, in which a frame gets old."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a reader has of a run: in this generation all steps before `step`, and its header of that version.

    `left` buckets of its past are still to come; 0 once it has seen the present. At each of `edges`, the newest first,
    one of its buckets begins: a frame may replace what follows.
    """

    run: str
    generation: int
    step: int
    version: int = -1
    left: int = 0
    edges: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """A request for what the runs did since `held`; requests that are equal get one answer.

    - A run has at most `buckets` buckets, of the series `names` (None: all).
    - The frame has about `most_bytes`: `run_bytes` for each run and `bucket_bytes` for each of its buckets.
    - Where not all runs fit, those behind the run `after` come first.
    - `interval` is the least time between two frames, in seconds.
    """

    names: tuple[str, ...] | None
    buckets: int
    encoding: str
    most_bytes: int
    run_bytes: int
    bucket_bytes: int
    interval: float
    held: tuple[Held, ...] = ()
    after: str | None = None

    def buckets_within(self, runs: int, news_bytes: int) -> int:
        """Return how many buckets of each run fit into a frame of so many runs, one of which has so many news."""
        left = self.most_bytes // max(runs, 1) - self.run_bytes - news_bytes
        return max(left // self.bucket_bytes, FEWEST_BUCKETS)


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """A run in a frame: the changes of its header, its next buckets, and what a reader then has."""

    header: Header
    buckets: Buckets
    held: Held


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """The answer to a request, for all `readers` that made it."""

    request: FrameRequest
    readers: list[int]
    runs: Mapping[str, RunUpdate]
