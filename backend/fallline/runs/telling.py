"""What those who watch an experiment are told: frames and events, in the order in which they happened.

Told the time. Must not know sockets, nor how steps are made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fallline.runs.playback import WAKE_SECONDS
from fallline.runs.run import PIECE, Run
from fallline.vocabulary.columns import Buckets, bucket_bytes

PUBLISHED_BYTES = 256 * 1024
"""What the pieces of one publication may weigh, about: twice what a frame holds, for a frame may be of fewer series."""

PUBLISHED_A_SECOND = 2 * 1024 * 1024
"""The same of all publications of a second: those of a fast training come thirty times a second, and a frame that tells
several of them merges what is too much of them on the event loop.
"""

FEWEST = 4
"""Buckets of a piece, however many runs and series there are."""

Pieces = dict[str, tuple[dict[str, Any], Buckets | None]]
"""For each run what every frame says of it, and a piece of its history (or None)."""


@dataclass(frozen=True, slots=True)
class Frames:
    """What happened to the runs since the frames before."""

    experiment: str
    runs: Pieces


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once and is never dropped."""

    experiment: str
    message: dict[str, Any]


class Telling:
    """Of one experiment (`id`). While nobody watches, frames are not kept, and events are all there is to tell."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._watchers = 0
        self._outgoing: list[Frames | Event] = []
        self._published_at = -math.inf
        self._room = 0.0
        """Bytes that may be published now."""

    @property
    def is_watched(self) -> bool:
        return self._watchers > 0

    @property
    def due_at(self) -> float:
        """When it is time to publish again: nobody sees finer."""
        return self._published_at + WAKE_SECONDS

    def publish(self, runs: Mapping[str, Run], now: float, *, playing: bool) -> None:
        """Put what happened since the last publication among the outgoing frames."""
        since, self._published_at = now - self._published_at, now
        self._room = min(self._room + since * PUBLISHED_A_SECOND, PUBLISHED_BYTES)
        if self.is_watched:
            at_most = _buckets_within(self._room, runs)
            pieces = {run.name: (run.header(playing=playing), run.publish(at_most)) for run in runs.values()}
            self._room -= sum(piece.nbytes for _, piece in pieces.values() if piece is not None)
            self._outgoing.append(Frames(self._id, pieces))

    def event(self, event: str, run: Run | None, **more: Any) -> None:
        """An event of one run, or of the whole experiment (`run` None)."""
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

    def past(self, run: Run, *, playing: bool) -> None:
        """What a run that came with a past has behind it."""
        if run.state.step and self.is_watched:
            past = run.history.range(0, run.state.step - 1, PIECE)
            self._outgoing.append(Frames(self._id, {run.name: (run.header(playing=playing), past)}))

    def join(
        self,
        runs: Mapping[str, Run],
        since: Mapping[str, dict[str, int]],
        buckets: int,
        room: float,
        *,
        playing: bool,
        watchers: int,
    ) -> Pieces:
        """So many more watchers: what they have missed since the generation and step that they name for each run.

        In at most so many `buckets` a run, and about `room` bytes in all; with no buckets, nothing of what it missed.
        """
        self._watchers += watchers
        share = room / max(len(runs), 1)
        return {
            run.name: (
                run.header(playing=playing),
                _missed(run, since.get(run.name), buckets, share) if buckets else None,
            )
            for run in runs.values()
        }

    def leave(self, runs: Mapping[str, Run]) -> None:
        """One watcher less; without any, nothing is kept to be told."""
        self._watchers -= 1
        if not self.is_watched:
            for run in runs.values():
                run.publish()

    def take(self) -> list[Frames | Event]:
        """Frames and events since the last call, in the order in which they happened."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing


def _buckets_within(room: float, runs: Mapping[str, Run]) -> int:
    """Buckets of each run's piece in one publication of about so many bytes."""
    each = sum(bucket_bytes(run.history.names) for run in runs.values())
    return int(max(min(PIECE, room / max(each, 1)), FEWEST))


def _missed(run: Run, since: dict[str, int] | None, buckets: int, room: float) -> Buckets:
    """What a watcher lacks of a run; where that is nothing, it still says which series there are."""
    held = since["step"] if since is not None and since["generation"] == run.generation else 0
    first = held if held <= run.state.step else 0
    if first >= run.state.step:
        return Buckets.empty(run.history.names)
    at_most = int(max(min(buckets, room / bucket_bytes(run.history.names)), 1))
    return run.history.range(first, run.state.step - 1, at_most)
