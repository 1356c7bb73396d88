"""uvicorn's protocols for HTTP and WebSocket, with limits on what a peer may use.

Plain uvicorn accepts request heads of any size and waits without limit for a second request. It parses one read at
once, which takes seconds for the smallest frames. It ends a dead socket by closing its transport, which waits for the
peer. Must not know what the application does.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

from fallline.realtime.limits import Budget
from fallline.vocabulary.messages import CloseCode
from fallline.web.errors import Malformed, problem_response
from fallline.web.middleware import HEADERS

HEAD_BYTES = 64 * 1024
"""Limit on all of a request except its body: first line, headers, trailers, sizes of chunks."""

HEAD_TOO_LONG = f"the request line and headers must have at most {HEAD_BYTES:,} bytes"

REQUEST_SECONDS = 10.0
"""How long a request may take to arrive without its body; and the rest of its body after the answer."""

MOST_AHEAD = 16
"""Requests of one connection that may wait for the answer to the one before them."""

KEEPALIVE_SECONDS = 5.0
"""How often a peer is pinged, and how long its answer may take."""

FAREWELL_SECONDS = 1.0
"""How long a peer may take to receive the last data when a connection ends."""

UNREAD_SECONDS = 30.0
"""How long a reader of a response may take nothing of it, where the kernel does not end the connection earlier."""

UNSENT_BYTES = 16 * 1024
"""Data that the kernel has not accepted waits here. Above this size, senders wait too."""

PIECE_BYTES = 512
"""Data of one socket that is parsed before other sockets get their turn: 85 of the smallest frames."""

EXTRA_FRAMES, EXTRA_FRAMES_PER_SECOND = 200, 20.0
"""Limits on control frames and continuations: so many at once, and so many per second on average."""

INVALID_TEXT = 1007
"""Close code for text that is not UTF-8 (RFC 6455, section 7.4.1)."""

MOST_SILENT = 2_000
"""Connections without a request."""


class Silent:
    """Connections without a request: new ones, and those whose last response is complete.

    A new one replaces the longest silent one. A client that sends its request at once is never silent for long, so
    nobody who opens many connections keeps others away.
    """

    def __init__(self, most: int = MOST_SILENT) -> None:
        self._most = most
        self._connections: dict[BoundedHttp, None] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, one: BoundedHttp) -> None:
        """Add a connection, or begin its silence anew."""
        self.remove(one)
        self._connections[one] = None
        if len(self._connections) > self._most:
            longest = next(iter(self._connections))
            self.remove(longest)
            longest.end_silence()

    def remove(self, one: BoundedHttp) -> None:
        """Remove a connection that has a request, or is closed. Repeats have no effect."""
        self._connections.pop(one, None)


class BoundedHttp(HttpToolsProtocol):
    """HTTP with bounded headers and request deadlines, and a bounded number of `silent` connections."""

    url = b""
    """Uvicorn sets it when a request begins; garbage may come before."""

    silent = Silent()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._spent = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _bound_unsent(transport)
        self._wait()
        self.silent.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.silent.remove(self)
        self._stop_waiting()
        self._read_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._read_on()
        self._be_silent()

    def _read_on(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _abort(self) -> None:
        if self._is_ours():
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._spent += len(data)
        super().data_received(data)
        if self._spent > HEAD_BYTES and self._is_ours():
            self._refuse_more()
        elif self._is_without_deadline():
            self._wait()  # line ends between requests: they stop uvicorn's timer, and begin no request

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if len(self.pipeline) >= MOST_AHEAD:
            raise ValueError("too many requests at once")  # the parser ends there, and 400 is the answer
        self._spent = 0
        if self._deadline is None:
            self._wait()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._stop_waiting()
        self.silent.remove(self)

    def on_body(self, body: bytes) -> None:
        self._spent -= len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The rest of the body is received, since some clients read the answer only afterwards. There is a deadline.
        if self.cycle.response_complete and self.cycle.more_body:
            self._wait()
        self._be_silent()

    def send_400_response(self, msg: str) -> None:
        # The parser refuses an address of more than 65,535 bytes, and does not say why.
        self.transport.write(_answer(Malformed(HEAD_TOO_LONG if len(self.url) >= HEAD_BYTES else msg)))
        self.transport.close()

    def _refuse_more(self) -> None:
        if self.cycle is not None and self.cycle.more_body:
            self.transport.close()  # trailers or chunk sizes are too long: this request has its answer, or gets none
        else:
            self.send_400_response(HEAD_TOO_LONG)

    def _be_silent(self) -> None:
        """Count as silent once the last response is complete and sent, except for a rest of 16 KB."""
        is_sent = self.cycle is not None and self.cycle.response_complete and not self.flow.write_paused
        if is_sent and self._is_ours():
            self.silent.add(self)

    def end_silence(self) -> None:
        """Close the connection for another one."""
        if self._is_ours():
            self.transport.close()

    def _is_without_deadline(self) -> bool:
        is_idle = self.cycle is not None and self.cycle.response_complete
        timers = (self._deadline, self.timeout_keep_alive_task)
        return is_idle and timers == (None, None) and self._is_ours()

    def _is_ours(self) -> bool:
        """Return whether this protocol, and not a WebSocket, has the connection."""
        return self.transport.get_protocol() is self and not self.transport.is_closing()

    def _wait(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # a part of the next request arrived while this one is still running
        elif self._is_ours():
            self.transport.close()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """The WebSocket protocol with limits on what a peer may send or leave unread."""

    close_timeout: float

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._unparsed = bytearray()
        self._has_turn = False
        self._extra = Budget(EXTRA_FRAMES_PER_SECOND, EXTRA_FRAMES, self.loop.time())

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _bound_unsent(transport)

    # ------------------------------------------------------------------ receiving

    def data_received(self, data: bytes) -> None:
        self._unparsed += data
        if not self._has_turn:
            self._parse()

    async def receive(self) -> Any:
        message = await super().receive()
        if self._unparsed and not self._has_turn:
            self._parse()
        return message

    def _parse(self) -> None:
        """Parse a piece.

        The next one follows in a later turn, or when the application has received this one.
        """
        self._has_turn = False
        if self._unparsed and not self.read_paused and not self.transport.is_closing():
            piece = bytes(self._unparsed[:PIECE_BYTES])
            del self._unparsed[:PIECE_BYTES]
            super().data_received(piece)
        if self.transport.is_closing():
            self._unparsed.clear()
        elif self._unparsed:
            self.transport.pause_reading()
            if not self.read_paused:
                self._has_turn = True
                self.loop.call_soon(self._parse)
        elif not self.read_paused:
            self.transport.resume_reading()

    async def send(self, message: Any) -> None:
        """Send, and return when the peer has received almost all of it.

        So only one message is on its way.
        """
        if "more" in message:
            await self._send_fragment(message.get("text"), message.get("bytes"), is_last=not message["more"])
        else:
            await super().send(message)
        await self.writable.wait()
        # After a refusal uvicorn would think that the application forgot the handshake, and log an error.
        self.handshake_complete = self.handshake_complete or self.close_sent

    async def _send_fragment(self, text: str | None, data: bytes | None, *, is_last: bool) -> None:
        """Send a part of a message; ASGI has only whole ones."""
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected
        begin = self.conn.send_text if data is None else self.conn.send_binary
        send = self.conn.send_continuation if self.conn.expect_continuation_frame else begin
        try:
            send((text or "").encode() if data is None else data, fin=is_last)
        except InvalidState:
            raise ClientDisconnected from None
        self.transport.write(b"".join(self.conn.data_to_send()))

    def handle_connect(self, event: Request) -> None:
        if self.conn.accept(event).status_code == 101:
            super().handle_connect(event)
            return
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(_answer(Malformed("the WebSocket handshake must be of version 13 (RFC 6455)")))
        self.transport.close()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_unicode(b"".join(self.frames)):
            # uvicorn would log its exception for each such message
            self.frames = []
            self.conn.fail(INVALID_TEXT, "text must be UTF-8")
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        if self._may_send_more():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._may_send_more():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        if self._may_send_more():
            super().handle_cont(event)

    def _may_send_more(self) -> bool:
        if self.close_sent:
            return False
        if self._extra.take(self.loop.time()):
            return True
        self.conn.fail(CloseCode.TOO_MANY_MESSAGES, "too many frames")
        self.handle_parser_exception()
        self.abort_soon()
        return False

    # ------------------------------------------------------------------ closing

    def abort_soon(self) -> None:
        """Abort the connection after a last moment for the peer to receive data."""
        self.loop.call_later(FAREWELL_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        if self.read_paused or self._unparsed:
            # The answer may be among what this side has not read: a busy server is not a dead peer.
            self.pong_timer = self.loop.call_later(KEEPALIVE_SECONDS, self.keepalive_timeout)
            return
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        super().shutdown()
        self.abort_soon()

    async def run_asgi(self) -> None:
        # uvicorn waits 10 s for the peer's close frame.
        self.close_timeout = FAREWELL_SECONDS
        await super().run_asgi()
        self.abort_soon()


def _is_unicode(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bound_unsent(transport: Any) -> None:
    with suppress(NotImplementedError):  # raised by transports without a buffer
        transport.set_write_buffer_limits(high=UNSENT_BYTES)


def _answer(error: Malformed) -> bytes:
    """Return the whole HTTP response to a request that never reaches the application."""
    response = problem_response(error)
    headers = {**HEADERS, "Cache-Control": "no-store", "Connection": "close"}
    lines = [
        f"HTTP/1.1 {response.status_code} Bad Request",
        *(f"{name}: {headers[name]}" for name in headers),
    ]
    own = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return "\r\n".join(lines).encode() + b"\r\n" + own + b"\r\n" + bytes(response.body)
