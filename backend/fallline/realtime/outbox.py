"""Pending messages of one reader: events, and a position in each run's history.

A slow reader gets fewer and wider buckets, never a gap. Pieces are merged when a frame is taken, so a stuck reader
costs no work. Takes the time as an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from fallline.realtime.backlog import Backlog, Cursor, RunBacklog
from fallline.realtime.frames import (
    BYTES_OF_NUMBER,
    BYTES_OF_SERIES,
    Frame,
    FrameCache,
    Header,
    RunUpdate,
)
from fallline.realtime.limits import Unsent, weight_of
from fallline.vocabulary.columns import Buckets

MOST_EVENTS = 256

FRAME_BYTES = 128 * 1024
"""Approximate bytes of one frame; more measurements give wider buckets. A stuck reader holds one frame."""

CATCH_UP_BYTES = 512 * 1024
"""Approximate bytes of one frame of the past, which is sent in several frames instead of wider buckets."""

PAST_BYTES = 8 * 1024 * 1024
"""Bytes of history before the watch, over all experiments of one socket. Above it, the history is coarser."""

SHARED_PUBLICATIONS = 60
"""Publications (two seconds) during which a new reader can share the history of an earlier one."""

CATCH_UP_SECONDS = 1 / 30
"""Longest time between frames of the past, whatever the reader's `fps`."""

FEWEST_BUCKETS = 2
"""Buckets of each run that a frame may always hold. On a line of 5 kB/s, four took 0.8 s, in which a frame gets old."""

HEADER_BYTES = 220
"""About the bytes of a run in a frame beside its series."""

ON_CHANGE = ("findings", "doctor")
"""Header fields that a frame holds only if they differ from the frame before."""


@lru_cache(maxsize=256)
def _split(names: tuple[str, ...], requested: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the requested series into existing and unknown ones, cached for many readers."""
    existing = tuple(name for name in requested if name in names)
    return existing, tuple(name for name in requested if name not in names)


class _History(Backlog):
    """The history before a reader joined, whole while another may share it.

    Nothing in it may refer to it: it has to go with its last reader, and Python finds cycles late.
    """

    def __init__(self, readers: int = 1) -> None:
        """With one reader who receives nothing, all pieces stay."""
        super().__init__()
        self.readers = readers
        self._first_frame: Frame | None = None
        self._parts: dict[tuple[str, int, int, int], Buckets] = {}

    def part(
        self, run: str, position: int, pieces: tuple[Buckets, ...], at_most: int, most_buckets: int
    ) -> Buckets | None:
        """Return the oldest buckets, shared by all readers; None if all of them fit."""
        key = (run, position, at_most, most_buckets)
        if key not in self._parts:
            merged = RunUpdate({}, pieces[0].names, pieces).merged(at_most)
            if len(merged) <= most_buckets:
                return None
            self._parts[key] = merged.part(slice(0, most_buckets))
        return self._parts[key]

    def share(self, frame: Frame) -> Frame:
        """Return another reader's first frame if it has the same content, else this one."""
        if self._first_frame is None:
            self._first_frame = frame
        return self._first_frame if frame.has_same_content(self._first_frame) else frame

    def without_pieces(self) -> _History:
        """Return a history of the same runs whose pieces have all been received."""
        received = _History(readers=0)
        for name, run in self.runs.items():
            received.publish({name: (run.header, Buckets.empty(run.names))})
            received.runs[name].end = run.end
        return received


class Outbox:
    """One reader's messages. `wake` is called when there is something to send.

    The reader first gets the history that was added for it alone, from before the watch. After it joins, it reads from
    the backlog that all readers of the experiment share.
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
        most_bytes: int | None = None,
    ) -> None:
        """`most_bytes` limits each frame, also of the past: if need be, runs take turns."""
        self.experiment = experiment
        self.unknown_series: tuple[str, ...] = ()
        self.must_resume = False
        self.is_closed = False
        self.past_limit = past_limit
        """Bytes that its history may have."""
        self.wake = wake
        self._unsent = Unsent() if unsent is None else unsent
        self._most_bytes = most_bytes
        self._cache = FrameCache()
        self.fps = fps
        self._interval = 1 / fps
        self._series = None if series is None else tuple(series)
        self._at_most = buckets
        self._encoding = encoding
        self._events: deque[tuple[dict[str, Any], int]] = deque()
        self.events_bytes = 0
        """Approximate bytes of unsent events and of the answer to the watch."""
        self._history = _History()
        self._past = Cursor(self._history, from_start=True)
        self._live: Cursor | None = None
        self._joined_at = 0
        self._taken_at = 0
        """Publications of the backlog when it took its last frame."""
        self.history_key: object = None
        """Equal for readers that asked for the same history, so that they can share it."""
        self._last_headers: dict[str, Header] = {}
        self._next: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        """The newest frame of each run, where runs take turns."""
        self._catching_up: set[str] = set()
        self._not_before = 0.0

    @property
    def packed_series(self) -> tuple[str, ...] | None:
        """The series of columns that leave out those without a value; None for other encodings."""
        return self._series if self._encoding in ("packed", "binary") else None

    # ------------------------------------------------------------------ incoming

    def add_history(self, run: str, header: Header, buckets: Buckets | None) -> None:
        """Add a run's header and the next piece of its history, for this reader alone."""
        previous = self._history.runs.get(run)
        if previous is None:
            self._catching_up.add(run)
        elif previous.header["generation"] != header["generation"]:
            self._catching_up.discard(run)
        self._history.publish({run: (header, buckets)}, PAST_BYTES)
        self.must_resume = self.must_resume or self._history.is_broken
        if buckets is not None and self._series is not None:
            self.unknown_series = _split(buckets.names, self._series)[1]
        if self._has_news(run):
            self.wake()

    def join(self, backlog: Backlog, cache: FrameCache) -> None:
        """Continue after the history with the shared backlog of the experiment."""
        if self._live is None:
            self._live = Cursor(backlog)
            self._joined_at = self._taken_at = backlog.published
        self._cache = cache
        self.must_resume = self.must_resume or self._live.backlog is not backlog

    def can_share_at(self, published: int) -> bool:
        """Return whether a new reader can share the history: it is whole and recent."""
        return (
            self._live is not None
            and bool(self._catching_up)
            and self._catching_up == self._history.runs.keys()
            and published - self._joined_at <= SHARED_PUBLICATIONS
        )

    def share(self, other: Outbox) -> None:
        """Start where another reader started that asked for the same history."""
        assert other._live is not None
        self._history = other._history
        self._past = Cursor(self._history, from_start=True)
        self._catching_up = set(self._history.runs)
        self._live, self._joined_at = Cursor(other._live.backlog, other._live), other._joined_at
        self._taken_at = other._live.backlog.published
        if self._series is not None:
            for run in self._history.runs.values():
                self.unknown_series = _split(run.names, self._series)[1]

    def leave(self) -> None:
        """Stop reading; drop unsent events and the history.

        A caller that closes many watches may hold this one for a while.
        """
        self.drop_events()
        self._history = self._history.without_pieces()
        self._past = Cursor(self._history)
        if self._live is not None:
            self._live.close()
            self._live = None

    def event(self, message: dict[str, Any], weight: int | None = None) -> None:
        """Queue an event. With too many unread events, the reader has to resume."""
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
        while self.take_event() is not None:
            pass

    def _forget(self, run: str) -> None:
        self._history.remove(run)
        for cursor in (self._past, self._live):
            if cursor is not None:
                cursor.forget(run)
        self._last_headers.pop(run, None)
        self._next.pop(run, None)
        self._turns.pop(run, None)
        self._catching_up.discard(run)

    def _put(self, message: dict[str, Any], weight: int | None = None) -> bool:
        size = weight_of(message) if weight is None else weight
        self._events.append((message, size))
        self.events_bytes += size
        return self._unsent.add(size)

    def begin(self, answer: dict[str, Any]) -> None:
        """Queue the answer to the watch before everything else."""
        self._put(answer)
        self._events.rotate(1)

    def interrupt(self) -> None:
        """Make the reader resume, because steps it received may not be stored."""
        self.must_resume = True
        self.wake()

    def close(self) -> None:
        """Note that the experiment has been deleted."""
        self.is_closed = True
        self.wake()

    # ------------------------------------------------------------------ sizes

    @property
    def past(self) -> object:
        """The history from before the watch: one object for all readers that share it."""
        return self._history

    @property
    def past_bytes(self) -> int:
        """Bytes of the history, until the reader has received all of it."""
        return self._history.bytes

    @property
    def lag(self) -> int:
        """Buckets of the shared backlog not yet received."""
        return 0 if self._live is None else self._live.lag

    @property
    def missed(self) -> int:
        """Publications since it took a frame."""
        return 0 if self._live is None else self._live.backlog.published - self._taken_at

    # ------------------------------------------------------------------ outgoing

    def take_event(self) -> dict[str, Any] | None:
        if not self._events:
            return None
        message, weight = self._events.popleft()
        self.events_bytes -= weight
        self._unsent.remove(weight)
        return message

    def frame_due(self) -> float | None:
        """Return the time of the next frame by the `fps`; None while nothing is pending."""
        return self._not_before if any(map(self._has_news, self._runs())) else None

    def take_frame(self, now: float, line_bytes: int = FRAME_BYTES) -> Frame:
        """Return everything pending as one frame, or a part of the past.

        The frame has about `FRAME_BYTES` at most, or `line_bytes` if the reader's line takes less in a moment. One of
        the past has about `CATCH_UP_BYTES`.
        """
        changed = [run for run in self._runs() if self._has_news(run)]
        if self._live is not None:
            self._taken_at = self._live.backlog.published
        is_past = not self._catching_up.isdisjoint(changed)
        most_bytes = CATCH_UP_BYTES if is_past else min(FRAME_BYTES, line_bytes)
        if self._most_bytes is not None:
            most_bytes = min(most_bytes, self._most_bytes)
            changed = self._whose_turn_it_is(changed)
        at_most = min(
            [self._at_most, *(self._buckets_that_fit(run, len(changed), most_bytes) for run in changed)]
        )
        updates = {run: self._take(run, at_most) for run in changed}
        # Counted from the due time, unless that is long past: a late timer does not lower the rate.
        interval = min(self._interval, CATCH_UP_SECONDS) if self._catching_up else self._interval
        self._not_before = max(self._not_before + interval, now + interval / 2)
        if self._catching_up:
            return self._history.share(Frame(self.experiment, updates, at_most, self._encoding))
        frame = Frame(self.experiment, updates, at_most, self._encoding, self._made_at)
        if self._history.bytes and not any(map(self._has_past, self._runs())):
            self._history = self._history.without_pieces()
            self._past = Cursor(self._history)
        return self._cache.share(frame)

    def _whose_turn_it_is(self, changed: list[str]) -> list[str]:
        """Return the runs that fit into one frame with few buckets each; the longest unsent come first."""
        left = self._most_bytes or 0
        fitting: set[str] = set()
        for run in sorted(changed, key=lambda run: self._turns.get(run, 0)):
            left -= self._fixed_bytes(run) + FEWEST_BUCKETS * self._bytes_of_bucket(run)
            if fitting and left < 0:
                break
            fitting.add(run)
        turn = max(self._turns.values(), default=0) + 1
        self._turns.update(dict.fromkeys(fitting, turn))
        return [run for run in changed if run in fitting]

    @property
    def _made_at(self) -> float:
        """When the newest publication since it joined was made, else 0."""
        if self._live is None or self._live.backlog.published <= self._joined_at:
            return 0.0
        return self._live.backlog.made_at

    def _runs(self) -> list[str]:
        if self._live is None:
            return list(self._history.runs)
        return list({**self._history.runs, **self._live.runs})

    def _newest(self, run: str) -> RunBacklog:
        """Return the live backlog of the run, or its history if there is none."""
        live = {} if self._live is None else self._live.runs
        return live.get(run) or self._history.runs[run]

    def _has_past(self, run: str) -> bool:
        """Return whether the reader lacks history of the run's present generation."""
        history = self._history.runs.get(run)
        return (
            history is not None
            and self._past.lacks(run)
            and history.header["generation"] == self._newest(run).header["generation"]
        )

    def _has_news(self, run: str) -> bool:
        header, last = self._newest(run).header, self._last_headers.get(run)
        return (
            # mostly the same object: comparing all its findings would take longer than the rest
            (header is not last and header != last)
            or self._has_past(run)
            or (self._live is not None and self._live.lacks(run))
        )

    def _take(self, run: str, most_buckets: int) -> RunUpdate:
        """Return everything pending of the run, or the oldest part of its history."""
        generation = self._newest(run).header["generation"]
        before = self._last_headers.get(run, {})
        if before.get("generation") != generation:
            before = {}
            self._next.pop(run, None)
        pieces = self._check_order(run, self._take_pieces(run, most_buckets))
        # The history goes out with its own header, the same for all readers who share it.
        header = (self._history.runs[run] if run in self._catching_up else self._newest(run)).header
        self._last_headers[run] = header
        changes = {
            key: value for key, value in header.items() if key not in ON_CHANGE or value != before.get(key)
        }
        return RunUpdate(changes, self._names(run), pieces)

    def _names(self, run: str) -> tuple[str, ...]:
        names = self._newest(run).names
        if not names and run in self._history.runs:
            names = self._history.runs[run].names
        return names if self._series is None else _split(names, self._series)[0]

    def _take_pieces(self, run: str, most_buckets: int) -> tuple[Buckets, ...]:
        past = self._past.pieces(run) if self._has_past(run) else ()
        live = self._live.pieces(run) if self._live is not None else ()
        if run in self._catching_up and past:
            part = self._history.part(run, self._past.position(run), past, self._at_most, most_buckets)
            if part is not None:
                self._past.advance(run, int(part.last[-1]) + 1)
                return (part,)
        self._catching_up.discard(run)
        self._past.advance(run)
        if live and self._live is not None:
            self._live.advance(run)
        return past + live

    def _check_order(self, run: str, pieces: tuple[Buckets, ...]) -> tuple[Buckets, ...]:
        """Return the pieces if each follows the one before; else the reader must resume."""
        for piece in pieces:
            if self._next.setdefault(run, int(piece.first[0])) != int(piece.first[0]):
                self.must_resume = True
                return ()
            self._next[run] = int(piece.last[-1]) + 1
        return pieces

    def _buckets_that_fit(self, run: str, runs: int, most_bytes: int) -> int:
        """Return how many buckets of a run fit into a frame with this many runs."""
        bytes_left = most_bytes // runs - self._fixed_bytes(run)
        return max(bytes_left // self._bytes_of_bucket(run), FEWEST_BUCKETS)

    def _fixed_bytes(self, run: str) -> int:
        """Return the bytes of a run in a frame without its buckets."""
        header, before = self._newest(run).header, self._last_headers.get(run, {})
        changed = [header[key] for key in ON_CHANGE if key in header and header[key] != before.get(key)]
        series = len(self._names(run)) * BYTES_OF_SERIES[self._encoding]
        return HEADER_BYTES + series + weight_of(changed)

    def _bytes_of_bucket(self, run: str) -> int:
        return (4 * max(len(self._names(run)), 1) + 2) * BYTES_OF_NUMBER[self._encoding]
