"""The pump of one WebSocket: a task that receives and a task that sends, around `realtime.session`.

Two tasks always: without one that receives, pongs are not read and the connection dies; the one that sends is the only
sender. Must not know the protocol's rules (the session's) nor what commands do (the lab's).
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from fallline.realtime.outbox import Outbox
from fallline.realtime.session import Closing, NumberedFrame, Session
from fallline.services.attending import Gone
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
from fallline.web.answers import text_of
from fallline.web.bodies import checked
from fallline.web.errors import Internal, problem
from fallline.web.frame_text import parts_of_frame
from fallline.web.open_sockets import Guest, OpenSockets
from fallline.web.plain_words import invalid
from fallline.web.strict_json import parse_object
from fallline.web.visitors import address_of

SEND_SECONDS = 8.0
"""How long a client may take to take one message. Where the loop is held up, the kernel keeps a deadline too: see
`web.server.UNACKNOWLEDGED_MS`."""

FRAGMENT = 16 * 1024
"""Characters of a long message that are sent at once."""

log = logging.getLogger("fallline.web")


class _Over(Exception):
    """The connection has ended, one way or the other."""


class _Gibberish(Exception):
    """A message that is none of the protocol's."""

    def __init__(self, error: InvalidRequest) -> None:
        super().__init__(error.detail)
        self.error = error


def read(text: str) -> tuple[ClientMessage | FalllineError, str | None]:
    """The message that `text` says, or what is wrong with it; and its id, if it has one. Raises _Gibberish."""
    try:
        body = parse_object(text)
    except InvalidRequest as error:
        raise _Gibberish(error) from None
    id = body.get("id")
    known = id if isinstance(id, str) and len(id) <= 128 else None
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in (*MESSAGES, "command"):
        expected = ", ".join((*MESSAGES, "command"))
        raise _Gibberish(InvalidRequest(FieldError("/type", f"should be one of {expected}")))
    try:
        return (_command(body) if kind == "command" else checked(MESSAGES[kind], body)), known
    except FalllineError as error:
        return error, known


def _command(body: dict[str, Any]) -> Command:
    try:
        return read_command(body)
    except ValidationError as error:
        raise invalid(error, body) from None


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
        self._gone: Gone = asyncio.get_running_loop().create_future()
        self._address = address_of(websocket.client.host if websocket.client else None)
        self._sockets = OpenSockets(1) if sockets is None else sockets
        self.guest = Guest(self._address, time.monotonic(), self._make_room)

    async def run(self) -> None:
        """Serve the client until one of both has had enough."""
        await self._websocket.accept()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive_for_ever())
                group.create_task(self._send_for_ever())
        except* _Over:
            pass
        finally:
            self._gone.set_result(None)
            for outbox in self._joined:
                await self._lab.unwatch(outbox.experiment, outbox)

    def _make_room(self) -> None:
        """Others need its place."""
        self._session.close(CloseCode.RESTART, "the server is full: come back")
        self._news.set()

    # ------------------------------------------------------------------ receiving

    async def _receive_for_ever(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise _Over
            await self._receive(message.get("text"))
            self._news.set()
            # What has arrived already is received without waiting: many messages at once would hold back their answers,
            # and so look as if these were not being read.
            await asyncio.sleep(0)

    async def _receive(self, text: str | None) -> None:
        if text is None:
            self._session.close(CloseCode.PROTOCOL, "messages are text")
            return
        if not self._session.admit(len(text), time.monotonic()):
            return
        try:
            message, id = read(text)
        except _Gibberish as gibberish:
            self._refuse(None, gibberish.error)
            self._session.close(CloseCode.PROTOCOL, "that is no message of this protocol")
            return
        try:
            if isinstance(message, FalllineError):
                self._session.mistake(time.monotonic())
                raise message
            await self._do(self._session.receive(message, time.monotonic()))
        except FalllineError as error:
            self._refuse(id, error)

    def _refuse(self, id: str | None, error: FalllineError) -> None:
        self._session.reply({"type": "error", "id": id, "problem": problem(error)})

    async def _do(self, message: Watch | Unwatch | Got | Command | None) -> None:
        match message:
            case Got():
                self.guest.acknowledged = time.monotonic()
                for experiment in self._session.commanded:
                    self._lab.acknowledged(experiment)
            case Watch():
                await self._watch(message)
            case Unwatch():
                await self._unwatch(message.experiment)
            case Command():
                # A task of its own: a pause has to get through while a long step is at work. The token is the one held
                # now, for a message that comes right behind may watch the experiment anew.
                token = self._session.token_for(message.experiment)
                task = asyncio.create_task(self._command(message, token))
                _COMMANDS.add(task)
                task.add_done_callback(_COMMANDS.discard)

    # ------------------------------------------------------------------ watching

    async def _watch(self, message: Watch) -> None:
        try:
            await self._watch_anew(message)
        except FalllineError as error:
            self._sockets.unwatch(self.guest, message.experiment)
            self._lose(error)

    async def _watch_anew(self, message: Watch) -> None:
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
                raise InvalidRequest(
                    FieldError("/series", "should be names of series that the experiment has")
                )
            owner = None if message.token is None else self._lab.owner_of(message.experiment)
            self._sockets.watch(self.guest, message.experiment, owner, time.monotonic())
        except FalllineError:
            await self._leave(outbox)
            raise
        self._session.open(outbox, message.token, state)

    def _lose(self, error: FalllineError) -> None:
        """An experiment cannot be watched; without any other, there may be nothing left for this socket to do."""
        self._refuse(None, error)
        code = next((code for kind, code in _ENDS.items() if isinstance(error, kind)), None)
        if code is not None and not self._session.watched:
            self._session.close(code, error.title)

    async def _unwatch(self, experiment: str) -> None:
        self._sockets.unwatch(self.guest, experiment)
        await self._unjoin(experiment)

    async def _unjoin(self, experiment: str) -> None:
        outbox = self._session.forget(experiment, time.monotonic())
        if outbox is not None:
            await self._leave(outbox)

    async def _leave(self, outbox: Outbox) -> None:
        self._joined.discard(outbox)
        await self._lab.unwatch(outbox.experiment, outbox)

    async def _command(self, command: Command, token: str | None) -> None:
        try:
            if token is None:
                raise NotAuthorized("watch the experiment first, with the token that came with it")
            answer = await self._lab.command(
                command.experiment,
                token,
                command.do,
                command.body,
                command.run,
                command.id,
                address=self._address,
                gone=self._gone,
            )
            self._session.done({"type": "ack", "id": command.id, "answer": answer})
        except FalllineError as error:
            self._session.done({"type": "error", "id": command.id, "problem": problem(error)})
        except Exception:
            internal = Internal.anew()
            log.exception("%s: unforeseen", internal.instance)
            self._session.done({"type": "error", "id": command.id, "problem": problem(internal)})
        self._news.set()

    # ------------------------------------------------------------------ sending

    async def _send_for_ever(self) -> None:
        while True:
            self._news.clear()
            for experiment in self._session.closed_experiments():
                self._session.forget(experiment, time.monotonic())
                self._sockets.unwatch(self.guest, experiment)
                self._lose(NotFound("the experiment has been deleted"))
            if (outgoing := self._session.take(time.monotonic())) is None:
                await self._wait_for_news()
                continue
            if isinstance(outgoing, Closing):
                await self._close(outgoing)
            if isinstance(outgoing, NumberedFrame):
                texts = await parts_of_frame(outgoing)
            else:
                texts = ("", text_of(outgoing))
            # A reader who is stuck holds the text, and not the pieces of history that it was made of.
            del outgoing
            await self._send(*texts)

    async def _wait_for_news(self) -> None:
        now = time.monotonic()
        wake_at = self._session.wake_at(now)
        try:
            async with asyncio.timeout(None if wake_at is None else max(wake_at - now, 0)):
                await self._news.wait()
        except TimeoutError:
            return

    async def _close(self, closing: Closing) -> None:
        with suppress(*_GONE):
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.close(closing.code, closing.reason)
        raise _Over

    async def _send(self, head: str, rest: str) -> None:
        """Send one message. A long one goes in fragments: a reader who is stuck holds one of them for itself."""
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
        except _GONE:
            raise _Over from None


_ENDS = {
    NotAuthorized: CloseCode.TOKEN,
    NotFound: CloseCode.UNKNOWN_EXPERIMENT,
    Unavailable: CloseCode.RESTART,
}
"""Why a socket that watches nothing is closed when a watch comes to nothing."""

_GONE = (TimeoutError, RuntimeError, OSError, WebSocketDisconnect)
"""Too slow, or gone: Starlette has all but the first for a socket that is closed."""

_COMMANDS: set[asyncio.Task[None]] = set()
"""Commands at work. They outlive their socket: what was asked is done, and its repeat is answered from there."""
