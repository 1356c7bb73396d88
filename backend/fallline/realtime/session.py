"""The protocol of one connection as a state machine.

Owns the order of messages, credit, limits and deadlines. Takes the time as an argument.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, TypeAlias

from fallline.realtime.frames import Frame
from fallline.realtime.limits import Budget, Unsent
from fallline.realtime.outbox import Outbox
from fallline.realtime.pace import LinePace
from fallline.vocabulary.encoding import weight_of
from fallline.vocabulary.errors import Conflict, TooManyRequests
from fallline.vocabulary.messages import ClientMessage, CloseCode, Command, Got, Ping, Unwatch, Watch

HELLO_SECONDS = 5.0
IDLE_SECONDS = 10.0
MOST_WATCHED = 16
MOST_RUNNING_COMMANDS = 32
MOST_REPLIES = 256
IN_FLIGHT = 2
COMMAND_BURST = 20.0
MOST_REFUSED = 50
MESSAGE_RATE, MESSAGE_BURST = 1_000.0, 2_000.0
BYTES_A_MESSAGE = 1024
"""A longer message counts as several messages."""

UNACKNOWLEDGED_SECONDS = 60.0
"""Seconds that a reader with credit may leave frames unacknowledged. Half of it passes before the session asks whether
more frames are due, and half of it then.
"""

WATCH_RATE, WATCH_BURST = 5.0, 2.0 * MOST_WATCHED


@dataclass(frozen=True, slots=True)
class Closing:
    """The close of the socket, sent last."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class NumberedFrame:
    """A frame and its number on this socket."""

    number: int
    frame: Frame


Outgoing: TypeAlias = dict[str, Any] | NumberedFrame | Closing


class Session:
    """The state of a socket: watched experiments, commands and unsent messages."""

    def __init__(self, now: float, commands_per_second: float = 5.0, *, needs_credit: bool = False) -> None:
        """With `needs_credit`, frames count as unacknowledged before the first acknowledgement too."""
        self._watched: dict[str, tuple[Outbox, str | None]] = {}
        self.unsent = Unsent()
        """Unsent messages without frames. The outboxes of this socket count here too."""
        self._replies: deque[tuple[dict[str, Any], int]] = deque()
        self._closing: Closing | None = None
        self._frames = 0
        self._acknowledged: int | None = 0 if needs_credit else None
        self._without_credit_since: float | None = None
        self._due_since: float | None = None
        """Since when a frame has been here without credit for it."""
        self._pace = LinePace()
        self._running_commands = self._running_watches = 0
        self._refused = 0
        self._commands = Budget(commands_per_second, COMMAND_BURST, now)
        self._watches = Budget(WATCH_RATE, WATCH_BURST, now)
        self._messages = Budget(MESSAGE_RATE, MESSAGE_BURST, now)
        self._idle_at = now + HELLO_SECONDS

    @property
    def watched(self) -> tuple[str, ...]:
        return tuple(self._watched)

    @property
    def acknowledged(self) -> int:
        """The newest acknowledged frame; 0 before the first."""
        return self._acknowledged or 0

    @property
    def commanded(self) -> tuple[str, ...]:
        """The experiments on this socket that its client may change."""
        return tuple(name for name, (_, token) in self._watched.items() if token is not None)

    # ------------------------------------------------------------------ incoming

    def admit(self, size: int, now: float) -> bool:
        """Count a message. Return False, and close the socket, above the rate limit."""
        if self._messages.take(now, max(size / BYTES_A_MESSAGE, 1.0)):
            return True
        self.close(CloseCode.TOO_MANY_MESSAGES, "too many messages")
        return False

    def count_invalid_message(self, now: float) -> None:
        """Count an invalid message as a command. Raises TooManyRequests."""
        self._spend_command(now)

    def receive(self, message: ClientMessage, now: float) -> Watch | Unwatch | Got | Command | None:
        """Return the message if the caller has to act on it, None if it is done.

        Raises why it is refused. A closing session ignores messages: the client reconnects and repeats commands without
        an answer.
        """
        if self._closing is not None:
            return None
        match message:
            case Got(frame=frame):
                before, most_bytes = self.acknowledged, self._pace.most_bytes
                self._acknowledged = max(before, min(frame, self._frames))
                self._pace.acknowledged(self._acknowledged, now)
                if self._pace.most_bytes < most_bytes:
                    self._drop_frames()
                return message if self._acknowledged > before or self._has_read_all else None
            case Ping(id=id):
                self.reply({"type": "pong", "id": id})
                # A paused experiment sends no frames, so a ping shows that the reader is still there.
                return Got(type="got", frame=self._frames) if self._frames and self._has_read_all else None
            case Watch():
                self._admit_watch(message, now)
                self._running_watches += 1
                return message
            case Unwatch():
                return message
            case Command():
                self._admit_command(now)
                return message

    @property
    def _has_read_all(self) -> bool:
        return self._acknowledged == self._frames

    def _admit_watch(self, message: Watch, now: float) -> None:
        if not self._watches.take(now):
            raise self._exceeded(self._watches, now)
        if message.experiment not in self._watched and len(self._watched) >= MOST_WATCHED:
            raise Conflict(
                f"one socket watches at most {MOST_WATCHED} experiments: unwatch one, or open another socket"
            )

    def _admit_command(self, now: float) -> None:
        self._spend_command(now)
        if self._running_commands >= MOST_RUNNING_COMMANDS:
            raise self._exceeded(self._commands, now)
        self._running_commands += 1

    def _spend_command(self, now: float) -> None:
        if self._commands.is_full(now):
            self._refused = 0
        if not self._commands.take(now):
            raise self._exceeded(self._commands, now)

    def _exceeded(self, budget: Budget, now: float) -> TooManyRequests:
        self._refused += 1
        if self._refused > MOST_REFUSED:
            self.close(CloseCode.TOO_MANY_MESSAGES, "too many commands")
        return TooManyRequests(
            "this socket sends too fast: wait `retry_after` seconds", budget.seconds_to_next(now)
        )

    def token_for(self, experiment: str) -> str | None:
        """Return the token sent with the watch of this experiment."""
        return self._watched[experiment][1] if experiment in self._watched else None

    # ------------------------------------------------------------------ results

    def start_watch(self, outbox: Outbox, token: str | None, state: dict[str, Any]) -> None:
        """Finish a watch: send its answer, then frames."""
        self._watched[outbox.experiment] = (outbox, token)
        answer = {"type": "experiment", "experiment": outbox.experiment, "state": state}
        outbox.begin(answer if outbox.packed_series is None else {**answer, "series": outbox.packed_series})

    def answered_watch(self, now: float) -> None:
        """Note that a watch has started or failed. Until then it may wait for a stored experiment."""
        self._running_watches -= 1
        self._idle_at = now + IDLE_SECONDS

    def end_watch(self, experiment: str, now: float) -> Outbox | None:
        """End a watch. Returns its outbox."""
        self._idle_at = now + IDLE_SECONDS
        return self._watched.pop(experiment, (None, None))[0]

    def finish_command(self, message: dict[str, Any]) -> None:
        self._running_commands -= 1
        self.reply(message)

    def reply(self, message: dict[str, Any]) -> None:
        weight = weight_of(message)
        self._replies.append((message, weight))
        if not self.unsent.add(weight) or len(self._replies) > MOST_REPLIES:
            self._drop_replies()
            self.close(CloseCode.TOO_SLOW, "replies are not being read")

    def _take_reply(self) -> dict[str, Any]:
        message, weight = self._replies.popleft()
        self.unsent.remove(weight)
        return message

    def _drop_replies(self) -> None:
        while self._replies:
            self._take_reply()

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the socket after its replies. The first reason counts."""
        self._closing = self._closing or Closing(code, reason)

    @property
    def is_closing(self) -> bool:
        """True once it closes: further messages have no effect."""
        return self._closing is not None

    # ------------------------------------------------------------------ outgoing

    def take(self, now: float) -> Outgoing | None:
        """Return the next message to send, None if there is none now."""
        self._check_deadlines(now)
        # Events come before answers: a command's events have been sent when it is acknowledged.
        for outbox, _ in self._watched.values():
            if (event := outbox.take_event()) is not None:
                return event
        if self._replies:
            return self._take_reply()
        if self._closing is not None:
            return self._closing
        frame = self._take_frame(now) if self.has_credit(now) else None
        if self.has_credit(now):
            self._ask(now)
        return frame

    def _check_deadlines(self, now: float) -> None:
        if self._is_idle and now >= self._idle_at:
            self.close(CloseCode.PROTOCOL, "nothing is being watched")
        if any(outbox.must_resume for outbox, _ in self._watched.values()):
            self._give_up("too far behind: resume")
        if self.has_credit(now):
            if self._due_since is not None:
                self._drop_frames()
            self._without_credit_since = self._due_since = None
        elif self._without_credit_since is None:
            self._without_credit_since = now
        elif now - self._without_credit_since < UNACKNOWLEDGED_SECONDS / 2:
            return
        elif not self._frames_here:
            self._ask(now)  # only to learn whether more frames are due
        elif self._due_since is None:
            self._due_since = now
        elif now - self._due_since >= UNACKNOWLEDGED_SECONDS / 2:
            self._give_up("frames are not being acknowledged: resume")

    def _drop_frames(self) -> None:
        """Drop the frames that are here: they have become old or too large. Newer ones are asked for."""
        for outbox, _ in self._watched.values():
            outbox.frame = None

    def _ask(self, now: float) -> None:
        """Ask for the next frame of each experiment."""
        for outbox, _ in self._watched.values():
            outbox.ask(now, self._pace.most_bytes)

    @property
    def _is_idle(self) -> bool:
        return not (self._watched or self._running_commands or self._running_watches)

    def _give_up(self, reason: str) -> None:
        """Drop all messages and close with a code after which the client reconnects."""
        self._drop_replies()
        for outbox, _ in self._watched.values():
            outbox.drop_events()
        self._watched.clear()
        self.close(CloseCode.TOO_SLOW, reason)

    @property
    def _frames_here(self) -> list[Outbox]:
        """The outboxes with a frame, in the order in which the frames were made."""
        here = [(outbox.frame.made_at, name) for name, (outbox, _) in self._watched.items() if outbox.frame]
        return [self._watched[name][0] for _, name in sorted(here)]

    def has_credit(self, now: float) -> bool:
        """Return whether another frame may be on its way."""
        most = 1 if self._pace.is_slow or self._pace.is_waiting(now) else IN_FLIGHT
        return self._acknowledged is None or self._frames - self._acknowledged < most

    def _take_frame(self, now: float) -> NumberedFrame | None:
        for outbox in self._frames_here[:1]:
            self._frames += 1
            frame = outbox.take_frame()
            if self._acknowledged is not None:
                self._pace.sent(self._frames, frame.size, now)
            return NumberedFrame(self._frames, frame)
        return None

    def wake_at(self, now: float) -> float | None:
        """Return when `take` may have something without new input; None for never."""
        times = [self._idle_at] if self._is_idle else []
        since = (self._without_credit_since, self._due_since)
        deadlines = [at + UNACKNOWLEDGED_SECONDS / 2 for at in since if at is not None]
        times += [at for at in deadlines if at > now]
        return min(times, default=None)

    def closed_experiments(self) -> list[str]:
        """Return the watched experiments that have been deleted."""
        return [name for name, (outbox, _) in self._watched.items() if outbox.is_closed]
