"""One WebSocket: a receiving and a sending task around `realtime.session`.

The receiving task always runs, because unread pongs end the connection. Only the other task sends. Must not know the
protocol's rules, which the session owns, or what commands do.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError

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
from fallline.web.open_sockets import OpenSocket, OpenSockets
from fallline.web.requests import address_of, parse_object

SEND_SECONDS = 8.0
"""How long a client may take to receive one message. `web.server.UNACKNOWLEDGED_MS` is the kernel's own deadline."""

FRAGMENT = 16 * 1024
"""Size of the fragments of a long message, in characters."""

log = logging.getLogger("fallline.web")


class _Ended(Exception):
    """The connection has ended."""


class _ProtocolError(Exception):
    """A text that is no message of the protocol."""

    def __init__(self, error: InvalidRequest) -> None:
        super().__init__(error.detail)
        self.error = error


def read(text: str) -> tuple[ClientMessage | FalllineError, str | None]:
    """Parse a message; return it, or its error, and its id, if it has one.

    Raises _ProtocolError.
    """
    try:
        body = parse_object(text)
    except InvalidRequest as error:
        raise _ProtocolError(error) from None
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


class Connection:
    """One client on one socket."""

    def __init__(
        self, websocket: WebSocket, lab: Lab, commands_per_second: float, sockets: OpenSockets | None = None
    ) -> None:
        self._websocket = websocket
        self._lab = lab
        self._session = Session(time.monotonic(), commands_per_second)
        self._news = asyncio.Event()
        self._joined: set[Outbox] = set()
        self._disconnected: Disconnected = asyncio.get_running_loop().create_future()
        self._address = address_of(websocket.client.host if websocket.client else None)
        self._sockets = OpenSockets(1) if sockets is None else sockets
        self.open_socket = OpenSocket(self._address, time.monotonic(), self._make_room)

    async def run(self) -> None:
        """Serve the client until either side ends the connection."""
        await self._websocket.accept()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive_for_ever())
                group.create_task(self._send_for_ever())
        except* _Ended:
            pass
        finally:
            self._disconnected.set_result(None)
            # Each waits for its experiment's turn. One after the other, a reader of 16 busy ones was kept for seconds.
            await asyncio.gather(*(self._lab.unwatch(each.experiment, each) for each in self._joined))

    def _make_room(self) -> None:
        """Close it for another socket."""
        self._lab.meters.limits["socket-replaced"] += 1
        self._session.close(CloseCode.RESTART, "the server is full: reconnect")
        self._news.set()

    # ------------------------------------------------------------------ receiving

    async def _receive_for_ever(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise _Ended
            await self._receive(message.get("text"))
            self._news.set()
            # Messages that have arrived are received without waiting. Many at once would delay their answers, as if the
            # client did not read them.
            await asyncio.sleep(0)

    async def _receive(self, text: str | None) -> None:
        if text is None:
            self._session.close(CloseCode.PROTOCOL, "messages must be text")
            return
        if not self._session.admit(len(text), time.monotonic()):
            return
        try:
            message, id = read(text)
        except _ProtocolError as invalid_message:
            self._refuse(None, invalid_message.error)
            self._session.close(CloseCode.PROTOCOL, "not a message of this protocol")
            return
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
                await self._unwatch(message.experiment)
            case Command():
                # In a task, so that a pause gets through during a long step. The token is read now, because the next
                # message may watch the experiment again with another one.
                token = self._session.token_for(message.experiment)
                task = asyncio.create_task(self._command(message, token))
                _COMMANDS.add(task)
                task.add_done_callback(_COMMANDS.discard)

    # ------------------------------------------------------------------ watching

    async def _watch(self, message: Watch) -> None:
        try:
            await self._join(message)
        except FalllineError as error:
            self._sockets.unwatch(self.open_socket, message.experiment)
            self._lose(error)

    async def _join(self, message: Watch) -> None:
        await self._unjoin(message.experiment)
        outbox = Outbox(
            message.experiment,
            fps=message.fps,
            series=message.series,
            buckets=message.buckets,
            encoding=message.encoding,
            wake=self._news.set,
            unsent=self._session.unsent,
            past_limit=self._session.past_limit,
        )
        since = {run: position.model_dump() for run, position in message.since.items()}
        state = await self._lab.watch(
            message.experiment, message.token, outbox, since, message.buckets, address=self._address
        )
        self._joined.add(outbox)
        try:
            if outbox.unknown_series:
                raise InvalidRequest(FieldError("/series", "must be names of series of the experiment"))
            owner = None if message.token is None else self._lab.owner_of(message.experiment)
            self._sockets.watch(self.open_socket, message.experiment, owner, time.monotonic())
        except FalllineError:
            await self._leave(outbox)
            raise
        self._session.start_watch(outbox, message.token, state)

    def _lose(self, error: FalllineError) -> None:
        """Report a failed watch; close a socket that watches nothing else."""
        self._refuse(None, error)
        code = next((code for kind, code in _CLOSE_CODES.items() if isinstance(error, kind)), None)
        if code is not None and not self._session.watched:
            self._session.close(code, error.title)

    async def _unwatch(self, experiment: str) -> None:
        self._sockets.unwatch(self.open_socket, experiment)
        await self._unjoin(experiment)

    async def _unjoin(self, experiment: str) -> None:
        outbox = self._session.end_watch(experiment, time.monotonic())
        if outbox is not None:
            await self._leave(outbox)

    async def _leave(self, outbox: Outbox) -> None:
        self._joined.discard(outbox)
        await self._lab.unwatch(outbox.experiment, outbox)

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

    async def _send_for_ever(self) -> None:
        while True:
            self._news.clear()
            for experiment in self._session.closed_experiments():
                self._session.end_watch(experiment, time.monotonic())
                self._sockets.unwatch(self.open_socket, experiment)
                self._lose(NotFound("the experiment has been deleted"))
            if (outgoing := self._session.take(time.monotonic())) is None:
                await self._wait_for_news()
                continue
            if isinstance(outgoing, Closing):
                await self._close(outgoing)
            made_at = 0.0
            if isinstance(outgoing, NumberedFrame):
                texts, made_at = await parts_of_frame(outgoing), outgoing.frame.made_at
            else:
                texts = ("", text_of(outgoing))
            # A stuck reader keeps only the text in memory, not the columns of its frame.
            del outgoing
            await self._send(*texts)
            if made_at:
                self._lab.meters.frame_age.observe(time.perf_counter() - made_at)

    async def _wait_for_news(self) -> None:
        now = time.monotonic()
        wake_at = self._session.wake_at(now)
        try:
            async with asyncio.timeout(None if wake_at is None else max(wake_at - now, 0)):
                await self._news.wait()
        except TimeoutError:
            return

    async def _close(self, closing: Closing) -> None:
        if (limit := _CLOSED_BY.get(closing.code)) is not None:
            self._lab.meters.limits[limit] += 1
        with suppress(*_DISCONNECTED):
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.close(closing.code, closing.reason)
        raise _Ended

    async def _send(self, head: str, rest: str) -> None:
        """Send one message, a long one in fragments.

        A stuck reader then keeps only one fragment in memory.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if len(rest) <= FRAGMENT:
                    await self._websocket.send_text(head + rest)
                    return
                await self._websocket.send({"type": "websocket.send", "text": head, "more": True})
                for start in range(0, len(rest), FRAGMENT):
                    fragment = rest[start : start + FRAGMENT]
                    more = start + FRAGMENT < len(rest)
                    await self._websocket.send({"type": "websocket.send", "text": fragment, "more": more})
        except _DISCONNECTED:
            raise _Ended from None


_CLOSE_CODES = {
    NotAuthorized: CloseCode.TOKEN,
    NotFound: CloseCode.UNKNOWN_EXPERIMENT,
    Unavailable: CloseCode.RESTART,
}
"""Close codes of a socket that watches nothing, by the error of its watch."""

_CLOSED_BY = {
    CloseCode.TOO_SLOW: "reader-too-slow",
    CloseCode.TOO_MANY_MESSAGES: "too-many-messages",
}
"""The limits that close a socket."""

_DISCONNECTED = (TimeoutError, RuntimeError, OSError, WebSocketDisconnect)
"""Errors for a client that is too slow or disconnected. Starlette raises all but the first."""

_COMMANDS: set[asyncio.Task[None]] = set()
"""Running commands. They outlive their socket: a repeat on another one gets their answer."""
