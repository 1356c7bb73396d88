"""Frames and events for the watchers of an experiment, in order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fallline.history.run_history import PIECE
from fallline.runs.run import Run
from fallline.runs.stepping import CALM_SECONDS, WAKE_SECONDS
from fallline.vocabulary.columns import Buckets, bucket_bytes

PUBLISHED_BYTES = 256 * 1024
"""About the most bytes of one publication: two frames' worth, since a frame may have fewer series."""

PUBLISHED_A_SECOND = 2 * 1024 * 1024
"""About the most bytes of all publications in a second. Fast training publishes thirty times a second, and a frame of
several publications merges their surplus on the event loop.
"""

FEWEST = 4
"""Fewest buckets of a piece, for any number of runs and series."""

Pieces = dict[str, tuple[dict[str, Any], Buckets | None]]
"""For each run its header, and a piece of its history (or None)."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Changes of the runs since the previous frames."""

    experiment: str
    runs: Pieces


@dataclass(frozen=True, slots=True)
class Event:
    """A message that is never dropped or merged."""

    experiment: str
    message: dict[str, Any]


class Publisher:
    """Publishes one experiment (`id`). Without watchers it keeps events and no frames."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._rates: list[float] = []
        """Frames per second that each watcher wants."""
        self.most_rate = math.inf
        """Most frames per second that any watcher takes: some may be stuck."""
        self._outgoing: list[Frames | Event] = []
        self._published_at = -math.inf
        self._budget = 0.0
        """Bytes that it may publish now."""

    @property
    def is_watched(self) -> bool:
        return bool(self._rates)

    @property
    def interval(self) -> float:
        """Seconds between two publications: no more than the fastest watcher takes."""
        rate = min(max(self._rates, default=math.inf), self.most_rate)
        return min(max(1 / rate, WAKE_SECONDS), CALM_SECONDS)

    @property
    def due_at(self) -> float:
        """The time of the next publication."""
        return self._published_at + self.interval

    def publish(self, runs: Mapping[str, Run], now: float, *, playing: bool) -> None:
        """Queue the changes since the last publication as frames."""
        since, self._published_at = now - self._published_at, now
        self._budget = min(self._budget + since * PUBLISHED_A_SECOND, PUBLISHED_BYTES)
        if self.is_watched:
            at_most = _buckets_within(self._budget, runs)
            pieces = {
                run.name: (run.header(playing=playing), run.unpublished.take(at_most))
                for run in runs.values()
            }
            self._budget -= sum(piece.nbytes for _, piece in pieces.values() if piece is not None)
            self._outgoing.append(Frames(self._id, pieces))

    def add_event(self, event: str, run: Run | None, **more: Any) -> None:
        """Queue an event of one run, or of the whole experiment (`run` None)."""
        message = {
            "type": "event",
            "experiment": self._id,
            "run": run and run.name,
            "step": run and run.state.step,
            "generation": run and run.generation,
            "event": event,
            **more,
        }
        self._outgoing.append(Event(self._id, message))

    def publish_past(self, run: Run, *, playing: bool) -> None:
        """Queue the history of a new run that already has one."""
        if run.state.step and self.is_watched:
            past = run.history.range(0, run.state.step - 1, PIECE)
            self._outgoing.append(Frames(self._id, {run.name: (run.header(playing=playing), past)}))

    def join(
        self,
        runs: Mapping[str, Run],
        since: Mapping[str, dict[str, int]],
        buckets: int,
        budget: float,
        *,
        playing: bool,
        rates: Sequence[float],
    ) -> Pieces:
        """Add watchers, by the frames per second that each wants, and return what they missed, by run.

        At most `buckets` buckets a run and about `budget` bytes in all. With 0 buckets no history.
        """
        self._rates += rates
        self.most_rate = math.inf
        share = budget / max(len(runs), 1)
        return {
            run.name: (
                run.header(playing=playing),
                _missed(run, since.get(run.name), buckets, share) if buckets else None,
            )
            for run in runs.values()
        }

    def leave(self, runs: Mapping[str, Run], rates: Sequence[float]) -> None:
        """Remove watchers of these rates. After the last one, discard unpublished history."""
        for rate in rates:
            self._rates.remove(rate)
        if not self.is_watched:
            for run in runs.values():
                run.unpublished.take()

    def take(self) -> list[Frames | Event]:
        """Return frames and events since the last call, in order."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing


def _buckets_within(budget: float, runs: Mapping[str, Run]) -> int:
    """Buckets of each run's piece in one publication of about `budget` bytes."""
    each = sum(bucket_bytes(run.history.names) for run in runs.values())
    return int(max(min(PIECE, budget / max(each, 1)), FEWEST))


def _missed(run: Run, since: dict[str, int] | None, buckets: int, budget: float) -> Buckets:
    """The history that a watcher lacks; its series are named even if it is empty.

    It begins at `since`, or at step 0 where only a wider bucket is stored. That one could begin inside a bucket that
    the watcher holds.
    """
    missed_from = since["step"] if since is not None and since["generation"] == run.generation else 0
    first, last = missed_from if missed_from <= run.state.step else 0, run.state.step - 1
    if first > last:
        return Buckets.empty(run.history.names)
    at_most = int(max(min(buckets, budget / bucket_bytes(run.history.names)), 1))
    missed = run.history.range(first, last, at_most)
    return missed if missed.first[0] == first else run.history.range(0, last, at_most)
