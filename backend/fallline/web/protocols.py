"""The two protocols of a connection, HTTP and the socket: uvicorn's, with bounds on what a peer may take.

Stock uvicorn takes heads of any size and waits for ever for the second of a connection; it parses at once whatever came
in one read, which with the smallest frames takes seconds; and it ends a dead socket by closing its transport, which
waits for the peer to drain it. Must not know what the application does.
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

from fallline.realtime.budget import Budget
from fallline.vocabulary.messages import CloseCode
from fallline.web.errors import Malformed, problem_response
from fallline.web.security import HEADERS

HEAD_BYTES = 64 * 1024
"""Of a request all that is not its body: the first line, headers, trailers, the sizes of chunks."""

REQUEST_SECONDS = 10.0
"""How long a request may take to arrive, without its body; and, once it is answered, what is left of its body."""

MOST_AHEAD = 16
"""Requests of a connection that may wait for the one before them to be answered."""

FAREWELL_SECONDS = 1.0
"""How long a peer has to take what is left for it once the connection is to end."""

UNSENT_BYTES = 16 * 1024
"""What the kernel has no room for waits here; from so much on, whoever sends more has to wait too."""

PIECE_BYTES = 512
"""Of what came over a socket so much is parsed before others get their turn: 85 frames, if they are the smallest."""

EXTRA_FRAMES, EXTRA_FRAMES_PER_SECOND = 200, 20.0
"""Frames that are no message, or the rest of one: so many at once, and so many a second in the long run."""


class ImpatientHttp(HttpToolsProtocol):
    """HTTP, without those who do not say what they want, or do not come to an end of it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._spent = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._spent += len(data)
        super().data_received(data)
        if self._spent > HEAD_BYTES and self._is_ours():
            self._refuse_more()

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

    def on_body(self, body: bytes) -> None:
        self._spent -= len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The rest is taken, since who sends it reads the answer only then; but not for ever.
        if self.cycle.response_complete and self.cycle.more_body:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        self.transport.write(_told(Malformed(msg)))
        self.transport.close()

    def _refuse_more(self) -> None:
        if self.cycle is not None and self.cycle.more_body:
            self.transport.close()  # what is too long stands behind a head that has an answer, or will have none
        else:
            self.send_400_response("the head of the request is too large")

    def _is_ours(self) -> bool:
        """A connection that became a socket has another protocol, with bounds of its own."""
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
            self._wait()  # the next request came in part, while the one before is still at work
        elif self._is_ours():
            self.transport.close()


class AbortingWebSocket(WebSocketsSansIOProtocol):
    """The socket's protocol, in which nobody holds up others, by what is sent or by what is not read."""

    close_timeout: float

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._unparsed = bytearray()
        self._has_turn = False
        self._extra = Budget(EXTRA_FRAMES_PER_SECOND, EXTRA_FRAMES, self.loop.time())

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        with suppress(NotImplementedError):  # by transports that hold nothing
            transport.set_write_buffer_limits(high=UNSENT_BYTES)

    # ------------------------------------------------------------------ what comes in

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
        """Parse a piece; the next one in a turn to come, or when the application has taken what this one held."""
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
        """Send, and return once the peer has taken it but for a little: so no more than one message is on its way."""
        if "more" in message:
            await self._send_fragment(message["text"], is_last=not message["more"])
        else:
            await super().send(message)
        await self.writable.wait()
        # After a refusal uvicorn would take the handshake for one that the application forgot, and log a mistake.
        self.handshake_complete = self.handshake_complete or self.close_sent

    async def _send_fragment(self, text: str, *, is_last: bool) -> None:
        """Send a part of a message of text; ASGI knows whole messages only."""
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected
        send = self.conn.send_continuation if self.conn.expect_continuation_frame else self.conn.send_text
        try:
            send(text.encode(), fin=is_last)
        except InvalidState:
            raise ClientDisconnected from None
        self.transport.write(b"".join(self.conn.data_to_send()))

    def handle_connect(self, event: Request) -> None:
        if self.conn.accept(event).status_code == 101:
            super().handle_connect(event)
            return
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(_told(Malformed("this is no handshake of a WebSocket of version 13")))
        self.transport.close()

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

    # ------------------------------------------------------------------ the end

    def abort_soon(self) -> None:
        """Give the peer a last moment to drain, then drop the connection and what it has not taken."""
        self.loop.call_later(FAREWELL_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        super().shutdown()
        self.abort_soon()

    async def run_asgi(self) -> None:
        # uvicorn would wait 10 s for the peer's answer to our close frame.
        self.close_timeout = FAREWELL_SECONDS
        await super().run_asgi()
        self.abort_soon()


def _told(error: Malformed) -> bytes:
    """The whole answer to what the application never sees."""
    response = problem_response(error)
    headers = {**HEADERS, "Cache-Control": "no-store", "Connection": "close"}
    lines = [
        f"HTTP/1.1 {response.status_code} Bad Request",
        *(f"{name}: {headers[name]}" for name in headers),
    ]
    own = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return "\r\n".join(lines).encode() + b"\r\n" + own + b"\r\n" + bytes(response.body)
