"""One connection's protocol as a state machine: messages in, what is to be done and to be sent out.

Owns the order of what is sent, credit, limits and deadlines. Must not know asyncio, HTTP or the lab; told the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, TypeAlias

from fallline.realtime.budget import Budget
from fallline.realtime.frames import Frame
from fallline.realtime.outbox import PAST_BYTES, Outbox
from fallline.realtime.unsent import Unsent
from fallline.realtime.weight import weight_of
from fallline.vocabulary.errors import Conflict, TooManyRequests
from fallline.vocabulary.messages import ClientMessage, CloseCode, Command, Got, Ping, Unwatch, Watch

HELLO_SECONDS = 5.0
IDLE_SECONDS = 10.0
MOST_WATCHED = 16
MOST_AT_WORK = 32
MOST_REPLIES = 256
IN_FLIGHT = 2
COMMAND_BURST = 20.0
EXCESS = 50
MESSAGE_RATE, MESSAGE_BURST = 1_000.0, 2_000.0
BYTES_A_MESSAGE = 1024
"""A longer message counts as several."""

UNACKNOWLEDGED_SECONDS = 60.0
"""How long a reader that is paced by credit may leave its frames unacknowledged while there are more for it."""

WATCH_RATE, WATCH_BURST = 5.0, 2.0 * MOST_WATCHED


@dataclass(frozen=True, slots=True)
class Closing:
    """The last thing sent."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class NumberedFrame:
    """A frame and its number on this socket."""

    number: int
    frame: Frame


Outgoing: TypeAlias = dict[str, Any] | NumberedFrame | Closing


class Session:
    """What a client asked for on one socket, and what it is owed."""

    def __init__(self, now: float, commands_per_second: float = 5.0) -> None:
        self._watched: dict[str, tuple[Outbox, str | None]] = {}
        self.unsent = Unsent()
        """What waits to be sent, but for frames; outboxes of this socket count in it too."""
        self._replies: deque[tuple[dict[str, Any], int]] = deque()
        self._closing: Closing | None = None
        self._frames = 0
        self._acknowledged: int | None = None
        self._without_credit_since: float | None = None
        self._at_work = 0
        self._excess = 0
        self._commands = Budget(commands_per_second, COMMAND_BURST, now)
        self._watches = Budget(WATCH_RATE, WATCH_BURST, now)
        self._messages = Budget(MESSAGE_RATE, MESSAGE_BURST, now)
        self._idle_at = now + HELLO_SECONDS

    @property
    def watched(self) -> tuple[str, ...]:
        """The experiments on this socket."""
        return tuple(self._watched)

    @property
    def past_limit(self) -> int:
        """What the past may weigh of one experiment more."""
        return PAST_BYTES - sum(outbox.past_bytes for outbox, _ in self._watched.values())

    @property
    def commanded(self) -> tuple[str, ...]:
        """The experiments on this socket that it may change."""
        return tuple(name for name, (_, token) in self._watched.items() if token is not None)

    # ------------------------------------------------------------------ what comes in

    def admit(self, size: int, now: float) -> bool:
        """Whether a message of so many characters may be looked at: all count, whatever is in them."""
        if self._messages.take(now, max(size / BYTES_A_MESSAGE, 1.0)):
            return True
        self.close(CloseCode.TOO_MANY_MESSAGES, "too many messages")
        return False

    def mistake(self, now: float) -> None:
        """A message cannot be understood. It counts as a command; raises TooManyRequests where these are used up."""
        self._spend_command(now)

    def receive(self, message: ClientMessage, now: float) -> Watch | Unwatch | Got | Command | None:
        """What is to be done about a message; None where the session has done it. Raises why it is refused.

        One that is about to close takes no more: the client comes back, and sends again what was not answered.
        """
        if self._closing is not None:
            return None
        match message:
            case Got(frame=frame):
                before = self._acknowledged or 0
                self._acknowledged = max(before, min(frame, self._frames))
                return message if self._acknowledged > before or self._has_read_all else None
            case Ping(id=id):
                self.reply({"type": "pong", "id": id})
                # A paused experiment sends no frames: a reader who has had all of them is still there.
                return Got(type="got", frame=self._frames) if self._frames and self._has_read_all else None
            case Watch():
                self._idle_at = now + IDLE_SECONDS
                self._admit_watch(message, now)
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
                f"one socket watches at most {MOST_WATCHED} experiments: unwatch one, or open another"
            )

    def _admit_command(self, now: float) -> None:
        self._spend_command(now)
        if self._at_work >= MOST_AT_WORK:
            raise self._exceeded(self._commands, now)
        self._at_work += 1

    def _spend_command(self, now: float) -> None:
        if self._commands.is_full(now):
            self._excess = 0
        if not self._commands.take(now):
            raise self._exceeded(self._commands, now)

    def _exceeded(self, budget: Budget, now: float) -> TooManyRequests:
        self._excess += 1
        if self._excess > EXCESS:
            self.close(CloseCode.TOO_MANY_MESSAGES, "too many commands")
        return TooManyRequests("more than one socket may send: wait a little", budget.seconds_to_next(now))

    def token_for(self, experiment: str) -> str | None:
        """The token that came with the watch of this experiment."""
        return self._watched[experiment][1] if experiment in self._watched else None

    # ------------------------------------------------------------------ what becomes of it

    def open(self, outbox: Outbox, token: str | None, state: dict[str, Any]) -> None:
        """The watch is done: its answer goes out, then the frames follow."""
        self._watched[outbox.experiment] = (outbox, token)
        outbox.begin({"type": "experiment", "experiment": outbox.experiment, "state": state})

    def forget(self, experiment: str, now: float) -> Outbox | None:
        """Not watched any more; returns what it was watched through."""
        self._idle_at = now + IDLE_SECONDS
        return self._watched.pop(experiment, (None, None))[0]

    def done(self, message: dict[str, Any]) -> None:
        """A command has come to its end, and this is the answer."""
        self._at_work -= 1
        self.reply(message)

    def reply(self, message: dict[str, Any]) -> None:
        """Send this as soon as possible, in order."""
        weight = weight_of(message)
        self._replies.append((message, weight))
        if not self.unsent.add(weight) or len(self._replies) > MOST_REPLIES:
            self._drop_replies()
            self.close(CloseCode.TOO_SLOW, "answers are not being read")

    def _take_reply(self) -> dict[str, Any]:
        message, weight = self._replies.popleft()
        self.unsent.remove(weight)
        return message

    def _drop_replies(self) -> None:
        while self._replies:
            self._take_reply()

    def close(self, code: CloseCode, reason: str) -> None:
        """End the connection once the replies are out. The first reason stays."""
        self._closing = self._closing or Closing(code, reason)

    # ------------------------------------------------------------------ what goes out

    def take(self, now: float) -> Outgoing | None:
        """The next thing to send, if there is one now."""
        self._look_at_deadlines(now)
        # Events before answers: what a command brought about has been told when it is acknowledged.
        for outbox, _ in self._watched.values():
            if (event := outbox.take_event()) is not None:
                return event
        if self._replies:
            return self._take_reply()
        if self._closing is not None:
            return self._closing
        return self._take_frame(now) if self._has_credit else None

    def _look_at_deadlines(self, now: float) -> None:
        if not self._watched and now >= self._idle_at and not self._at_work:
            self.close(CloseCode.PROTOCOL, "nothing is being watched")
        if any(outbox.must_resume for outbox, _ in self._watched.values()):
            self._give_up("too far behind: resume")
        if self._has_credit or not self._is_anything_due:
            self._without_credit_since = None
        elif self._without_credit_since is None:
            self._without_credit_since = now
        elif now - self._without_credit_since >= UNACKNOWLEDGED_SECONDS:
            self._give_up("frames are not being acknowledged: resume")

    def _give_up(self, reason: str) -> None:
        """Nothing more goes out but the close, after which the client comes back."""
        self._drop_replies()
        for outbox, _ in self._watched.values():
            outbox.drop_events()
        self._watched.clear()
        self.close(CloseCode.TOO_SLOW, reason)

    @property
    def _is_anything_due(self) -> bool:
        return any(outbox.frame_due() is not None for outbox, _ in self._watched.values())

    @property
    def _has_credit(self) -> bool:
        return self._acknowledged is None or self._frames - self._acknowledged < IN_FLIGHT

    def _take_frame(self, now: float) -> NumberedFrame | None:
        due = [
            (at, name)
            for name, (outbox, _) in self._watched.items()
            if (at := outbox.frame_due()) is not None
        ]
        at, name = min(due, default=(now + 1, ""))
        if at > now:
            return None
        self._frames += 1
        return NumberedFrame(self._frames, self._watched[name][0].take_frame(now))

    def wake_at(self, now: float) -> float | None:
        """When `take` may have something by itself, without anything coming in; None for never."""
        times = [] if self._watched or self._at_work else [self._idle_at]
        if self._has_credit:
            times += [at for outbox, _ in self._watched.values() if (at := outbox.frame_due()) is not None]
        elif self._without_credit_since is not None:
            times.append(self._without_credit_since + UNACKNOWLEDGED_SECONDS)
        return min(times, default=None)

    def closed_experiments(self) -> list[str]:
        """Experiments that are watched and gone."""
        return [name for name, (outbox, _) in self._watched.items() if outbox.is_closed]
