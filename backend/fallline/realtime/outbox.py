"""What one reader of one experiment has not yet had: events in order, and its places in the history of each run.

A reader who is slow gets fewer and wider buckets, never a gap. Nothing is merged before a frame is taken, so a reader
who is stuck costs no work. Must not know the network, other experiments, or when to send; told the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from fallline.realtime.backlog import Backlog, Cursor, RunBacklog
from fallline.realtime.frames import Frame, FrameCache, Header, RunUpdate
from fallline.realtime.unsent import Unsent
from fallline.realtime.weight import weight_of
from fallline.vocabulary.columns import Buckets

MOST_EVENTS = 256

FRAME_BYTES = 128 * 1024
"""What one frame may weigh, about: wider buckets instead of more. A reader who gets stuck holds one."""

CATCH_UP_BYTES = 512 * 1024
"""The same of a frame that tells of the past, which goes out in several frames instead of in wider buckets."""

PAST_BYTES = 8 * 1024 * 1024
"""What a socket may hold of pasts: of all that it watches what was there before it came. Beyond, they are coarser."""

SHARED_PUBLICATIONS = 60
"""For so many publications, two seconds, those who come share the past of one who came before."""

CATCH_UP_SECONDS = 1 / 30
"""Frames of the past follow one another this fast at least, whatever the reader's `fps`."""

FEWEST_BUCKETS = 4
"""A frame holds so many buckets of each run in any case."""

_BYTES = {"json": 20, "bdata": 11}
_BYTES_OF_SERIES = {"json": 60, "bdata": 190}
"""Of a number, and of a series without its numbers."""

ON_CHANGE = ("findings",)
"""What a frame says of a run only where it is not what the frame before said."""


@lru_cache(maxsize=256)
def _among(names: tuple[str, ...], asked: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that are asked for and there, and those that are not; readers by the hundred ask alike, all the time."""
    return tuple(name for name in asked if name in names), tuple(name for name in asked if name not in names)


class _Past(Backlog):
    """What was offered to one reader before it joined the others, all of it while somebody may share it."""

    def __init__(self) -> None:
        super().__init__()
        self.beginning = Cursor(self)
        self._first_frame: Frame | None = None
        self._parts: dict[tuple[str, int, int, int], Buckets] = {}

    def part(
        self, run: str, place: int, pieces: tuple[Buckets, ...], at_most: int, room: int
    ) -> Buckets | None:
        """The oldest `room` buckets, where all of what is not yet had does not fit. The same object for all."""
        key = (run, place, at_most, room)
        if key not in self._parts:
            merged = RunUpdate({}, pieces[0].names, pieces).merged(at_most)
            if len(merged) <= room:
                return None
            self._parts[key] = merged.part(slice(0, room))
        return self._parts[key]

    def share(self, frame: Frame) -> Frame:
        """The frame with which another reader began, where it says the same."""
        if self._first_frame is None:
            self._first_frame = frame
        return self._first_frame if frame.says_the_same_as(self._first_frame) else frame

    def without_pieces(self) -> _Past:
        """The same runs, of which everything has been had."""
        had = _Past()
        for run, strand in self.strands.items():
            had.publish({run: (strand.header, Buckets.empty(strand.names))})
            had.strands[run].end = strand.end
        had.beginning.close()
        return had


class Outbox:
    """One reader's backlog. `wake` is called when there is something to send.

    What is offered to it alone comes first: the past, when it begins to watch. What follows is read from the backlog
    that it shares with the other readers of the experiment, once it has joined them.
    """

    def __init__(
        self,
        experiment: str,
        *,
        fps: float = 10.0,
        series: Iterable[str] | None = None,
        buckets: int = 100,
        encoding: str = "json",
        wake: Callable[[], None] = lambda: None,
        unsent: Unsent | None = None,
        past_limit: int = PAST_BYTES,
    ) -> None:
        self.experiment = experiment
        self.unknown_series: tuple[str, ...] = ()
        self.must_resume = False
        self.is_closed = False
        self.past_limit = past_limit
        """What the past may weigh with which it begins."""
        self.wake = wake
        self._unsent = Unsent() if unsent is None else unsent
        self._cache = FrameCache()
        self._interval = 1 / fps
        self._series = None if series is None else tuple(series)
        self._at_most = buckets
        self._encoding = encoding
        self._events: deque[tuple[dict[str, Any], int]] = deque()
        self._events_bytes = 0
        self._offered = _Past()
        self._past = Cursor(self._offered, self._offered.beginning)
        self._live: Cursor | None = None
        self._joined_at = 0
        self.history_key: object = None
        """Which past it asked for, so that others who ask for the same may share it."""
        self._told: dict[str, Header] = {}
        self._next: dict[str, int] = {}
        self._catching_up: set[str] = set()
        self._not_before = 0.0

    # ------------------------------------------------------------------ what comes in

    def add_history(self, run: str, header: Header, buckets: Buckets | None) -> None:
        """What every frame says of the run now, and the piece of history that follows what was offered before."""
        known = self._offered.strands.get(run)
        if known is None:
            self._catching_up.add(run)
        elif known.header["generation"] != header["generation"]:
            self._catching_up.discard(run)
        self._offered.publish({run: (header, buckets)}, PAST_BYTES)
        self.must_resume = self.must_resume or self._offered.is_broken
        if buckets is not None and self._series is not None:
            self.unknown_series = _among(buckets.names, self._series)[1]
        if self._has_news(run):
            self.wake()

    def join(self, backlog: Backlog, cache: FrameCache) -> None:
        """Read on, behind what was offered, in the backlog that all readers of the experiment share."""
        if self._live is None:
            self._live = Cursor(backlog)
            self._joined_at = backlog.published
        self._cache = cache
        self.must_resume = self.must_resume or self._live.backlog is not backlog

    def begins_at(self, published: int) -> bool:
        """Whether another reader may begin with it: it still has all of its past, and came not long ago."""
        return (
            self._live is not None
            and bool(self._catching_up)
            and self._catching_up == self._offered.strands.keys()
            and published - self._joined_at <= SHARED_PUBLICATIONS
        )

    def share(self, other: Outbox) -> None:
        """Begin where another reader began who asked for the same past: it is held once for both."""
        assert other._live is not None
        self._offered = other._offered
        self._past = Cursor(self._offered, self._offered.beginning)
        self._catching_up = set(self._offered.strands)
        self._live, self._joined_at = Cursor(other._live.backlog, other._live), other._joined_at
        if self._series is not None:
            for strand in self._offered.strands.values():
                self.unknown_series = _among(strand.names, self._series)[1]

    def leave(self) -> None:
        """Read no more: events that have not gone out never will, and weigh nothing any more."""
        self.drop_events()
        if self._live is not None:
            self._live.close()
            self._live = None

    def event(self, message: dict[str, Any], weight: int | None = None) -> None:
        """Something that happened once. A reader who leaves too many of them lying has to resume."""
        if self.must_resume:
            return
        if message.get("event") == "run_removed":
            self._forget(str(message["run"]))
        fits = self._put(message, weight)
        if not fits or len(self._events) > MOST_EVENTS:
            self.drop_events()
            self.must_resume = True
        self.wake()

    def drop_events(self) -> None:
        """None of them goes out any more."""
        while self.take_event() is not None:
            pass

    def _forget(self, run: str) -> None:
        self._offered.remove(run)
        for cursor in (self._past, self._live):
            if cursor is not None:
                cursor.forget(run)
        self._told.pop(run, None)
        self._next.pop(run, None)
        self._catching_up.discard(run)

    def _put(self, message: dict[str, Any], weight: int | None = None) -> bool:
        weighed = weight_of(message) if weight is None else weight
        self._events.append((message, weighed))
        self._events_bytes += weighed
        return self._unsent.add(weighed)

    def begin(self, answer: dict[str, Any]) -> None:
        """The answer to the watch, which goes out before everything else."""
        self._put(answer)
        self._events.rotate(1)

    def interrupt(self) -> None:
        """What was told may not stand, so the reader has to resume."""
        self.must_resume = True
        self.wake()

    def close(self) -> None:
        """The experiment is gone."""
        self.is_closed = True
        self.wake()

    # ------------------------------------------------------------------ what it holds

    @property
    def past(self) -> object:
        """The past with which it began, one for all who share it."""
        return self._offered

    @property
    def past_bytes(self) -> int:
        """Bytes of the past while it has not had all of it."""
        return self._offered.bytes

    @property
    def events_bytes(self) -> int:
        """Bytes of events and of the answer to the watch, about."""
        return self._events_bytes

    @property
    def lag(self) -> int:
        """Buckets of the shared backlog not yet had."""
        return 0 if self._live is None else self._live.lag

    # ------------------------------------------------------------------ what goes out

    def take_event(self) -> dict[str, Any] | None:
        """The oldest event not yet taken."""
        if not self._events:
            return None
        message, weight = self._events.popleft()
        self._events_bytes -= weight
        self._unsent.remove(weight)
        return message

    def frame_due(self) -> float | None:
        """When the next frame may go by the reader's `fps`; None while there is nothing to tell."""
        return self._not_before if any(map(self._has_news, self._runs())) else None

    def take_frame(self, now: float) -> Frame:
        """Everything that is pending, as one frame of at most `FRAME_BYTES`."""
        news = [run for run in self._runs() if self._has_news(run)]
        most_bytes = FRAME_BYTES if self._catching_up.isdisjoint(news) else CATCH_UP_BYTES
        at_most = min([self._at_most, *(self._room(run, len(news), most_bytes) for run in news)])
        told = {run: self._take(run, at_most) for run in news}
        # Counted from when it was due, unless that is long past: so a timer that is late does not lower the rate.
        interval = min(self._interval, CATCH_UP_SECONDS) if self._catching_up else self._interval
        self._not_before = max(self._not_before + interval, now + interval / 2)
        frame = Frame(self.experiment, told, at_most, self._encoding)
        if self._catching_up:
            return self._offered.share(frame)
        if self._offered.bytes:
            self._offered = self._offered.without_pieces()
            self._past = Cursor(self._offered)
        return self._cache.share(frame)

    def _runs(self) -> list[str]:
        if self._live is None:
            return list(self._offered.strands)
        return list({**self._offered.strands, **self._live.strands})

    def _strand(self, run: str) -> RunBacklog:
        """Where the newest of the run stands."""
        live = {} if self._live is None else self._live.strands
        return live.get(run) or self._offered.strands[run]

    def _has_past(self, run: str) -> bool:
        """Whether it lacks something of what was offered, that is still the run's past."""
        strand = self._offered.strands.get(run)
        return (
            strand is not None
            and self._past.lacks(run)
            and strand.header["generation"] == self._strand(run).header["generation"]
        )

    def _has_news(self, run: str) -> bool:
        return (
            self._strand(run).header != self._told.get(run)
            or self._has_past(run)
            or (self._live is not None and self._live.lacks(run))
        )

    def _take(self, run: str, room: int) -> RunUpdate:
        """What the run has to tell: all of it, or of its past the oldest that one frame may hold."""
        generation = self._strand(run).header["generation"]
        had = self._told.get(run, {})
        if had.get("generation") != generation:
            had = {}
            self._next.pop(run, None)
        pieces = self._following(run, self._take_pieces(run, room))
        # While the past goes out it is told as it was, alike to all who share it.
        header = (self._offered.strands[run] if run in self._catching_up else self._strand(run)).header
        self._told[run] = header
        news = {key: said for key, said in header.items() if key not in ON_CHANGE or said != had.get(key)}
        return RunUpdate(news, self._names(run), pieces)

    def _names(self, run: str) -> tuple[str, ...]:
        names = self._strand(run).names
        if not names and run in self._offered.strands:
            names = self._offered.strands[run].names
        return names if self._series is None else _among(names, self._series)[0]

    def _take_pieces(self, run: str, room: int) -> tuple[Buckets, ...]:
        past = self._past.pieces(run) if self._has_past(run) else ()
        live = self._live.pieces(run) if self._live is not None else ()
        if run in self._catching_up and past:
            part = self._offered.part(run, self._past.place(run), past, self._at_most, room)
            if part is not None:
                self._past.advance(run, int(part.last[-1]) + 1)
                return (part,)
        self._catching_up.discard(run)
        self._past.advance(run)
        if live and self._live is not None:
            self._live.advance(run)
        return past + live

    def _following(self, run: str, pieces: tuple[Buckets, ...]) -> tuple[Buckets, ...]:
        """The pieces, if they follow one another and what went before; else nothing, and the reader has to resume."""
        for piece in pieces:
            if self._next.setdefault(run, int(piece.first[0])) != int(piece.first[0]):
                self.must_resume = True
                return ()
            self._next[run] = int(piece.last[-1]) + 1
        return pieces

    def _room(self, run: str, runs: int, most_bytes: int) -> int:
        """How many buckets of a run fit into a frame that tells of so many runs."""
        series = max(len(self._names(run)), 1)
        room = most_bytes // runs - series * _BYTES_OF_SERIES[self._encoding]
        return max(room // ((4 * series + 2) * _BYTES[self._encoding]), FEWEST_BUCKETS)
