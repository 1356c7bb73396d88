"""What one reader of one experiment has not yet had: events in order, and for each run one growing piece of history.

A reader who is slow gets fewer and wider buckets, never a gap: pieces are joined, then merged down to what one frame
may hold. Until then they stay as they came, the same objects for all readers: by that one sees who is told the same.
Must not know the network, other experiments, or when to send; told the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from fallline.realtime.frames import Frame, Header, Press, Told
from fallline.vocabulary.columns import Buckets

MOST_EVENTS = 256
SLACK = 1_024
"""Buckets that may lie about unmerged beyond those of a frame; joining rarely is cheaper than joining at each offer."""

CATCH_UP_BYTES = 512 * 1024
"""What one frame of a catch-up may weigh, about: on a bad line the pongs behind a larger one would come too late."""

_BYTES = {"json": 20, "bdata": 11}

ON_CHANGE = ("findings",)
"""What a frame says of a run only where it is not what the frame before said."""


@lru_cache(maxsize=256)
def _among(names: tuple[str, ...], asked: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that are asked for and there, and those that are not; readers by the hundred ask alike, all the time."""
    return tuple(name for name in asked if name in names), tuple(name for name in asked if name not in names)


@dataclass(slots=True)
class _Pending:
    """What one run has to tell. `told` is the header last sent, `next` the step that must come next."""

    names: tuple[str, ...] = ()
    header: Header = field(default_factory=dict)
    told: Header = field(default_factory=dict)
    pieces: list[Buckets] = field(default_factory=list)
    next: int | None = None
    catches_up: bool = True

    @property
    def has_news(self) -> bool:
        return bool(self.pieces) or self.header != self.told

    @property
    def news(self) -> Header:
        """The header, without what the reader has had."""
        had = self.told if self.told.get("generation") == self.header["generation"] else {}
        return {
            key: said for key, said in self.header.items() if key not in ON_CHANGE or said != had.get(key)
        }

    def fits(self, piece: Buckets) -> bool:
        return self.next is None or int(piece.first[0]) == self.next

    def merge(self, at_most: int) -> Buckets:
        return Told(self.header, self.names, tuple(self.pieces)).merged(at_most)

    def take(self, at_most: int, room: int) -> Told:
        """Everything, or of what was there before the reader came its oldest `room` buckets."""
        told = Told(self.news, self.names, tuple(self.pieces))
        self.told = self.header
        if self.catches_up and len(merged := told.merged(at_most)) > room:
            self.pieces = [merged.part(slice(room, None))]
            return replace(told, pieces=(merged.part(slice(0, room)),))
        self.pieces, self.catches_up = [], False
        return told


class Outbox:
    """One reader's backlog. `wake` is called when there is something to send."""

    def __init__(
        self,
        experiment: str,
        *,
        fps: float = 10.0,
        series: Iterable[str] | None = None,
        buckets: int = 100,
        encoding: str = "json",
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.experiment = experiment
        self.unknown_series: tuple[str, ...] = ()
        self.must_resume = False
        self.is_closed = False
        self.press = Press()
        """Shared by all who listen to the experiment, once it is listened to."""
        self._interval = 1 / fps
        self._series = None if series is None else tuple(series)
        self._at_most = buckets
        self._encoding = encoding
        self._wake = wake
        self._events: deque[dict[str, Any]] = deque()
        self._runs: dict[str, _Pending] = {}
        self._not_before = 0.0

    # ------------------------------------------------------------------ what comes in

    def offer(self, run: str, header: Header, buckets: Buckets | None) -> None:
        """What every frame says of the run now, and the piece of history that follows what was offered before."""
        pending = self._runs.setdefault(run, _Pending())
        if pending.header and pending.header["generation"] != header["generation"]:
            pending.pieces, pending.next, pending.catches_up = [], None, False
        pending.header = header
        if buckets is not None:
            self._keep(pending, buckets)
        if pending.has_news:
            self._wake()

    def _keep(self, pending: _Pending, buckets: Buckets) -> None:
        pending.names = buckets.names
        if self._series is not None:
            pending.names, self.unknown_series = _among(buckets.names, self._series)
        if not len(buckets):
            return
        if not pending.fits(buckets):
            # Cannot be, but a reader who is told to come back loses nothing, and one with a gap does not know.
            self.must_resume = True
            return
        pending.pieces.append(buckets)
        pending.next = int(buckets.last[-1]) + 1
        if sum(map(len, pending.pieces)) > self._at_most + SLACK:
            pending.pieces = [pending.merge(self._at_most)]

    def event(self, message: dict[str, Any]) -> None:
        """Something that happened once. A reader who leaves too many of them lying has to resume."""
        if message.get("event") == "run_removed":
            self._runs.pop(str(message["run"]), None)
        self._events.append(message)
        self.must_resume = self.must_resume or len(self._events) > MOST_EVENTS
        self._wake()

    def begin(self, answer: dict[str, Any]) -> None:
        """The answer to the watch, which goes out before everything else."""
        self._events.appendleft(answer)

    def interrupt(self) -> None:
        """What was told may not stand, so the reader has to resume."""
        self.must_resume = True
        self._wake()

    def close(self) -> None:
        """The experiment is gone."""
        self.is_closed = True
        self._wake()

    # ------------------------------------------------------------------ what goes out

    def take_event(self) -> dict[str, Any] | None:
        """The oldest event not yet taken."""
        return self._events.popleft() if self._events else None

    def frame_due(self) -> float | None:
        """When the next frame may go by the reader's `fps`; None while there is nothing to tell."""
        return self._not_before if any(pending.has_news for pending in self._runs.values()) else None

    def take_frame(self, now: float) -> Frame:
        """Everything that is pending, as one frame."""
        # Counted from when it was due, unless that is long past: so a timer that is late does not lower the rate.
        self._not_before = max(self._not_before + self._interval, now + self._interval / 2)
        news = {run: pending for run, pending in self._runs.items() if pending.has_news}
        told = {
            run: pending.take(self._at_most, self._room(pending, len(news))) for run, pending in news.items()
        }
        return self.press.share(Frame(self.experiment, told, self._at_most, self._encoding))

    def _room(self, pending: _Pending, runs: int) -> int:
        """How many buckets of a run fit into a frame of a catch-up that tells of so many runs."""
        bucket = 4 * max(len(pending.names), 1) * _BYTES[self._encoding]
        return max(CATCH_UP_BYTES // bucket // runs, 1)
