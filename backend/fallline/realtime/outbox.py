"""Pending messages of one reader: events, what it has of each run, and the frame that it asked for.

A slow reader asks seldom and gets wider buckets, never a gap. Takes the time as an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fallline.realtime.frames import BINARY, BYTES_OF_NUMBER, BYTES_OF_SERIES, Frame
from fallline.realtime.limits import Unsent
from fallline.vocabulary.encoding import weight_of
from fallline.vocabulary.frame_requests import FrameRequest, Held

MOST_EVENTS = 256

FRAME_BYTES = 128 * 1024
"""Approximate bytes of one frame; more measurements give wider buckets. A stuck reader holds one frame."""

CATCH_UP_BYTES = 512 * 1024
"""Approximate bytes of one frame of the past, which is sent in several frames instead of wider buckets."""

CATCH_UP_SECONDS = 1 / 30
"""Longest time between frames of the past, whatever the reader's `fps`."""

HEADER_BYTES = 220
"""About the bytes of a run in a frame beside its series."""

Ask = Callable[[FrameRequest, float], None]
"""Called with a request for a frame, and with the seconds until it is wanted."""


class Outbox:
    """One reader's messages. `wake` is called when there is something to send."""

    def __init__(
        self,
        experiment: str,
        *,
        fps: float = 10.0,
        series: Iterable[str] | None = None,
        buckets: int = 100,
        encoding: str = "json",
        since: Mapping[str, Mapping[str, int]] | None = None,
        wake: Callable[[], None] = lambda: None,
        unsent: Unsent | None = None,
        most_bytes: int | None = None,
    ) -> None:
        """`since` has, for each run, the generation and the first step that the reader lacks.

        `most_bytes` limits each frame, also of the past: if need be, runs take turns.
        """
        self.experiment = experiment
        self.unknown_series: tuple[str, ...] = ()
        self.must_resume = False
        self.is_closed = False
        self.wake = wake
        self.interval = 1 / fps
        """Seconds between two frames."""
        self.frame: Frame | None = None
        """The frame that it asked for, until it is taken."""
        self._unsent = Unsent() if unsent is None else unsent
        self._most_bytes = most_bytes
        self._series = None if series is None else tuple(series)
        self._series_count = 0
        self._at_most = buckets
        self._encoding = encoding
        self._events: deque[tuple[dict[str, Any], int]] = deque()
        self.events_bytes = 0
        """Approximate bytes of unsent events and of the answer to the watch."""
        self._held = {
            run: Held(run, at["generation"], at["step"], left=buckets) for run, at in (since or {}).items()
        }
        self._after: str | None = None
        self._ask: Ask | None = None
        self._is_waiting = False
        """It has asked for a frame that is not there yet."""
        self._is_past = True
        """The next frame is of the past."""
        self._least_interval: Callable[[], float] = lambda: 0.0
        self._not_before = 0.0

    @property
    def packed_series(self) -> tuple[str, ...] | None:
        """The series of columns that leave out those without a value; None for other encodings."""
        return self._series if self._encoding in ("packed", *BINARY) else None

    # ------------------------------------------------------------------ incoming

    def join(
        self, names: tuple[str, ...], ask: Ask, least_interval: Callable[[], float] = lambda: 0.0
    ) -> None:
        """Begin to ask an experiment with these series for frames, which are so many seconds apart at least."""
        self._least_interval = least_interval
        if self._series is not None:
            self.unknown_series = tuple(name for name in self._series if name not in names)
        self._series_count = len(names if self._series is None else self._series)
        self._ask = ask

    def leave(self) -> None:
        """Stop reading; drop what is unsent. A caller that closes many watches may hold this one for a while."""
        self.drop_events()
        self.frame = self._ask = None

    def put(self, frame: Frame) -> None:
        """Take the frame that it asked for."""
        self.frame, self._is_waiting = frame, False
        self.wake()

    def event(self, message: dict[str, Any], weight: int | None = None) -> None:
        """Queue an event. With too many unread events, the reader has to resume."""
        if self.must_resume:
            return
        if message.get("event") == "run_removed":
            self._held.pop(str(message["run"]), None)
            self.frame = None  # it may have the run: it asks anew
        fits = self._put(message, weight)
        if not fits or len(self._events) > MOST_EVENTS:
            self.drop_events()
            self.must_resume = True
        self.wake()

    def drop_events(self) -> None:
        while self.take_event() is not None:
            pass

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

    # ------------------------------------------------------------------ outgoing

    def take_event(self) -> dict[str, Any] | None:
        if not self._events:
            return None
        message, weight = self._events.popleft()
        self.events_bytes -= weight
        self._unsent.remove(weight)
        return message

    def ask(self, now: float, line_bytes: int = FRAME_BYTES) -> None:
        """Ask for the next frame, unless one is here or on its way.

        The frame has about `FRAME_BYTES` at most, or `line_bytes` if the reader's line takes less in a moment. One of
        the past has about `CATCH_UP_BYTES`.
        """
        if self._ask is None or self._is_waiting or self.frame is not None:
            return
        self._is_waiting = True
        most_bytes = CATCH_UP_BYTES if self._is_past else min(FRAME_BYTES, line_bytes)
        interval = min(self.interval, CATCH_UP_SECONDS) if self._is_past else self.interval
        if self._most_bytes is not None:
            most_bytes = min(most_bytes, self._most_bytes)
        request = FrameRequest(
            names=self._series,
            buckets=self._at_most,
            encoding=self._encoding,
            most_bytes=most_bytes,
            run_bytes=HEADER_BYTES + self._series_count * BYTES_OF_SERIES[self._encoding],
            bucket_bytes=(4 * max(self._series_count, 1) + 2) * BYTES_OF_NUMBER[self._encoding],
            interval=max(interval, self._least_interval()),
            held=tuple(self._held.values()),
            after=self._after,
        )
        # Counted from the due time, unless that is long past: a late answer does not lower the rate.
        self._not_before = max(self._not_before, now - request.interval / 2)
        self._ask(request, max(self._not_before - now, 0.0))
        self._not_before += request.interval

    def take_frame(self) -> Frame:
        """Return the frame that is here; from now on the reader has what is in it."""
        frame, self.frame = self.frame, None
        assert frame is not None
        for name, update in frame.runs.items():
            self._held[name] = update.held
            self._after = name
        self._is_past = any(update.held.left for update in frame.runs.values())
        return frame
