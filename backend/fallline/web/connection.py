"""One client of the protocol, on any transport: its messages in, the server's messages out.

Joins `realtime.session` with the lab. Must not know the transport, the protocol's rules, which the session owns, or
what commands do.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from fallline.realtime.frames import BINARY
from fallline.realtime.outbox import Outbox
from fallline.realtime.session import Closing, NumberedFrame, Session
from fallline.services.command_runner import Disconnected
from fallline.services.lab import Lab
from fallline.vocabulary.errors import (
    FalllineError,
    FieldError,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    Unavailable,
)
from fallline.vocabulary.messages import (
    MESSAGES,
    ClientMessage,
    CloseCode,
    Command,
    Got,
    Unwatch,
    Watch,
    read_command,
)
from fallline.web.answers import parts_of_frame, text_of
from fallline.web.errors import Internal, invalid, problem
from fallline.web.open_sockets import WEBSOCKET, OpenSocket, OpenSockets
from fallline.web.requests import parse_object

FRAGMENT = 16 * 1024
"""Size of the fragments of a long message, in characters."""

log = logging.getLogger("fallline.web")

Parsed = tuple[ClientMessage | FalllineError, str | None]
"""A message, or its error, and its id, if it has one."""


class _ProtocolError(Exception):
    """A text that is no message of the protocol."""

    def __init__(self, error: InvalidRequest) -> None:
        super().__init__(error.detail)
        self.error = error


_GOT = re.compile(r'\{"type":"got","frame":(\d{1,15})\}')
"""The acknowledgement as browsers write it: one comes for each frame."""


def read(text: str) -> Parsed:
    """Parse a message. Raises _ProtocolError."""
    if got := _GOT.fullmatch(text):
        return Got(type="got", frame=int(got[1])), None
    try:
        return understand(parse_object(text))
    except InvalidRequest as error:
        raise _ProtocolError(error) from None


def understand(body: Any) -> Parsed:
    """Parse the JSON value of a message. Raises _ProtocolError."""
    if not isinstance(body, dict):
        raise _ProtocolError(InvalidRequest(FieldError("", "must be a JSON object")))
    id = body.get("id")
    valid_id = id if isinstance(id, str) and len(id) <= 128 else None
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in (*MESSAGES, "command"):
        expected = ", ".join((*MESSAGES, "command"))
        raise _ProtocolError(InvalidRequest(FieldError("/type", f"must be one of {expected}")))
    parse = read_command if kind == "command" else MESSAGES[kind].model_validate
    try:
        return parse(body), valid_id
    except ValidationError as error:
        return invalid(error, body), valid_id
    except FalllineError as error:
        return error, valid_id


@dataclass(frozen=True, slots=True)
class Text:
    """An encoded message in parts: its own head, and the rest and binary columns, which readers of a frame share."""

    head: str
    rest: str
    data: bytes | None = None
    frame: int | None = None
    """The number of a frame."""
    made_at: float = 0.0
    """When its newest step was measured; 0 without one."""

    def __len__(self) -> int:
        return len(self.head) + len(self.rest)


class Connection:
    """One client. The transport passes its messages to `receive`, and sends what `next` returns."""

    def __init__(
        self,
        lab: Lab,
        commands_per_second: float,
        sockets: OpenSockets,
        address: str | None,
        *,
        make_room: Callable[[], None],
        kind: str = WEBSOCKET,
        frame_bytes: int | None = None,
    ) -> None:
        """`make_room` closes it for another client. With `frame_bytes`, frames need credit from the first on."""
        now = time.monotonic()
        self._lab = lab
        self._session = Session(now, commands_per_second, needs_credit=frame_bytes is not None)
        self._frame_bytes = frame_bytes
        self._news = asyncio.Event()
        self._joined: set[Outbox] = set()
        self._disconnected: Disconnected = asyncio.get_running_loop().create_future()
        self._address = address
        self._sockets = sockets
        self._make_room = make_room
        self.open_socket = OpenSocket(address, now, self._replace, kind=kind)

    def leave(self) -> None:
        """Stop watching: the client is gone. Repeats have no effect."""
        if not self._disconnected.done():
            self._disconnected.set_result(None)
        for outbox in tuple(self._joined):
            self._leave(outbox)

    def close(self, code: CloseCode, reason: str) -> None:
        """Close it after its replies."""
        self._session.close(code, reason)
        self._news.set()

    def _replace(self) -> None:
        """Close it for another client."""
        self._lab.meters.limits["socket-replaced"] += 1
        self._make_room()

    @property
    def is_closing(self) -> bool:
        """True once it closes: further messages have no effect."""
        return self._session.is_closing

    @property
    def acknowledged(self) -> int:
        """The newest frame that the client has acknowledged; 0 before the first."""
        return self._session.acknowledged

    # ------------------------------------------------------------------ receiving

    async def receive(self, text: str) -> None:
        """Handle a message."""
        await self._receive(len(text), lambda: read(text))

    async def receive_value(self, value: Any, size: int) -> None:
        """Handle a message that was parsed from JSON of this size."""
        await self._receive(size, lambda: understand(value))

    async def _receive(self, size: int, parse: Callable[[], Parsed]) -> None:
        message: object = None
        had_credit = self._session.has_credit(time.monotonic())
        try:
            if self._session.admit(size, time.monotonic()):
                message, id = parse()
                await self._handle(message, id)
        except _ProtocolError as invalid_message:
            self._refuse(None, invalid_message.error)
            self._session.close(CloseCode.PROTOCOL, "not a message of this protocol")
        if not (had_credit and isinstance(message, Got)):  # credit that was there already is no news
            self._news.set()

    async def _handle(self, message: ClientMessage | FalllineError, id: str | None) -> None:
        try:
            if isinstance(message, FalllineError):
                self._session.count_invalid_message(time.monotonic())
                raise message
            await self._do(self._session.receive(message, time.monotonic()))
        except FalllineError as error:
            self._refuse(id, error)

    def _refuse(self, id: str | None, error: FalllineError) -> None:
        self._lab.meters.count_error(error)
        self._session.reply({"type": "error", "id": id, "problem": problem(error)})

    async def _do(self, message: Watch | Unwatch | Got | Command | None) -> None:
        match message:
            case Got():
                self.open_socket.acknowledged = time.monotonic()
                for experiment in self._session.commanded:
                    self._lab.acknowledged(experiment)
            case Watch():
                await self._watch(message)
            case Unwatch():
                self._unwatch(message.experiment)
            case Command():
                # In a task, so that a pause gets through during a long step. The token is read now, because the next
                # message may watch the experiment again with another one.
                token = self._session.token_for(message.experiment)
                task = asyncio.create_task(self._command(message, token))
                _COMMANDS.add(task)
                task.add_done_callback(_COMMANDS.discard)

    # ------------------------------------------------------------------ watching

    async def _watch(self, message: Watch) -> None:
        self.open_socket.is_joining = True
        try:
            await self._join(message)
        except FalllineError as error:
            self._sockets.unwatch(self.open_socket, message.experiment)
            self._lose(error)
        finally:
            self.open_socket.is_joining = False
            self._session.answered_watch(time.monotonic())

    async def _join(self, message: Watch) -> None:
        self._unjoin(message.experiment)
        if message.encoding in BINARY and self.open_socket.kind != WEBSOCKET:
            raise InvalidRequest(FieldError("/encoding", "must be json, bdata or packed without a WebSocket"))
        outbox = Outbox(
            message.experiment,
            fps=message.fps,
            series=message.series,
            buckets=message.buckets,
            encoding=message.encoding,
            since={run: position.model_dump() for run, position in message.since.items()},
            wake=self._news.set,
            unsent=self._session.unsent,
            most_bytes=self._frame_bytes,
        )
        state = await self._lab.watch(message.experiment, message.token, outbox, address=self._address)
        self._joined.add(outbox)
        try:
            if outbox.unknown_series:
                raise InvalidRequest(FieldError("/series", "must be names of series of the experiment"))
            owner = None if message.token is None else self._lab.owner_of(message.experiment)
            self._sockets.watch(self.open_socket, message.experiment, owner, time.monotonic())
        except FalllineError:
            self._leave(outbox)
            raise
        self._session.start_watch(outbox, message.token, state)

    def _lose(self, error: FalllineError) -> None:
        """Report a failed watch; close a connection that watches nothing else."""
        self._refuse(None, error)
        code = next((code for kind, code in _CLOSE_CODES.items() if isinstance(error, kind)), None)
        if code is not None and not self._session.watched:
            self._session.close(code, error.title)

    def _unwatch(self, experiment: str) -> None:
        self._sockets.unwatch(self.open_socket, experiment)
        self._unjoin(experiment)

    def _unjoin(self, experiment: str) -> None:
        outbox = self._session.end_watch(experiment, time.monotonic())
        if outbox is not None:
            self._leave(outbox)

    def _leave(self, outbox: Outbox) -> None:
        self._joined.discard(outbox)
        self._lab.unwatch(outbox.experiment, outbox)

    async def _command(self, command: Command, token: str | None) -> None:
        try:
            if token is None:
                raise NotAuthorized("first send a watch message with the token of this experiment")
            answer = await self._lab.command(
                command.experiment,
                token,
                command.do,
                command.body,
                command.run,
                command.id,
                address=self._address,
                disconnected=self._disconnected,
            )
            self._session.finish_command({"type": "ack", "id": command.id, "answer": answer})
        except FalllineError as error:
            self._lab.meters.count_error(error)
            self._session.finish_command({"type": "error", "id": command.id, "problem": problem(error)})
        except Exception:
            internal = Internal.new()
            log.exception("%s: unexpected exception", internal.instance)
            self._session.finish_command({"type": "error", "id": command.id, "problem": problem(internal)})
        self._news.set()

    # ------------------------------------------------------------------ sending

    async def next(self) -> Text | Closing:
        """Wait for the next message to send. After a `Closing` there is none."""
        while True:
            self._news.clear()
            for experiment in self._session.closed_experiments():
                self._session.end_watch(experiment, time.monotonic())
                self._sockets.unwatch(self.open_socket, experiment)
                self._lose(NotFound("the experiment has been deleted"))
            match self._session.take(time.monotonic()):
                case None:
                    await self._wait_for_news()
                case Closing() as closing:
                    self.count(closing)
                    return closing
                case NumberedFrame() as numbered:
                    # A stuck reader keeps only the text in memory, not the columns of its frame.
                    parts = await parts_of_frame(numbered)
                    return Text(*parts, numbered.number, numbered.frame.made_at)
                case message:
                    return Text("", text_of(message))

    def count(self, closing: Closing) -> None:
        """Count the limit that closes a connection."""
        if (limit := _CLOSED_BY.get(closing.code)) is not None:
            self._lab.meters.limits[limit] += 1

    def charge(self, seconds: float) -> None:
        """Charge the client for seconds of the event loop."""
        experiment = next(iter(self._session.commanded), None)
        self._lab.charge(self._lab.share_of_watcher(experiment, self._address), seconds)

    def sent(self, text: Text) -> None:
        """Measure the age of a frame that its reader took."""
        if text.made_at:
            self._lab.meters.frame_age.observe(time.perf_counter() - text.made_at)

    async def _wait_for_news(self) -> None:
        now = time.monotonic()
        wake_at = self._session.wake_at(now)
        try:
            async with asyncio.timeout(None if wake_at is None else max(wake_at - now, 0)):
                await self._news.wait()
        except TimeoutError:
            return


_CLOSE_CODES = {
    NotAuthorized: CloseCode.TOKEN,
    NotFound: CloseCode.UNKNOWN_EXPERIMENT,
    Unavailable: CloseCode.RESTART,
}
"""Close codes of a connection that watches nothing, by the error of its watch."""

_CLOSED_BY = {
    CloseCode.TOO_SLOW: "reader-too-slow",
    CloseCode.TOO_MANY_MESSAGES: "too-many-messages",
}
"""The limits that close a connection."""

_COMMANDS: set[asyncio.Task[None]] = set()
"""Running commands. They outlive their connection: a repeat on another one gets their answer."""
