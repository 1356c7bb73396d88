"""Counts of the server about itself, for its operator: numbers without ids and contents.

Histograms and limits are counted where something happens; `Present` is counted when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from fallline.execution.interface import Waiting
from fallline.vocabulary.errors import FalllineError, TooExpensive, TooLarge, TooManyRequests, Unavailable

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of a histogram."""

LIMITS = (TooExpensive, TooLarge, TooManyRequests, Unavailable)
"""Errors that say that a limit was hit."""

LIMITS_WITHOUT_ERROR = (
    "reader-too-slow",
    "too-many-messages",
    "socket-replaced",
    "evicted",
    "paused-for-memory",
)
"""Limits that close connections or experiments."""


class Histogram:
    """Counts of observed seconds. One thread observes, any thread may read."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


def limit_names() -> tuple[str, ...]:
    """Return the names of all limits: the codes of their errors, and the limits without an error."""
    errors = (error for limit in LIMITS for error in (limit, *limit.__subclasses__()))
    return (*(error.code for error in errors), *LIMITS_WITHOUT_ERROR)


@dataclass(slots=True)
class Meters:
    """Counts made on the event loop."""

    frame_age: Histogram = field(default_factory=Histogram)
    """Seconds from the publication of a frame's newest step until its socket took the frame."""

    limits: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(limit_names(), 0)))
    """How often each limit was hit: by the code of an error, or what the server did.

    All begin at 0: the rate of a series that begins at 1 misses its first hit.
    """

    def count_error(self, error: FalllineError) -> None:
        """Count an error of a limit. Others are the caller's own."""
        if isinstance(error, LIMITS):
            self.limits[error.code] += 1


@dataclass(frozen=True, slots=True)
class Present:
    """Counts of the present moment. `memory_bytes` counts open experiments and their readers."""

    experiments: int
    open: int
    busy: int
    memory_bytes: int
    steps: int
    faults: int
    waiting: Waiting
    writes_waiting: int
    is_read_only: bool
    store_bytes: int
    disk_free_bytes: int
    seconds_since_backup: float | None
