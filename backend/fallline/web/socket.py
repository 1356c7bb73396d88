"""One WebSocket: a receiving and a sending task around a `Connection`.

The receiving task always runs, because unread pongs end the connection. Only the other task sends.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import AnyStr

from fastapi import WebSocket, WebSocketDisconnect

from fallline.realtime.session import Closing
from fallline.services.lab import Lab
from fallline.vocabulary.binary import opening
from fallline.vocabulary.messages import CloseCode
from fallline.web.connection import FRAGMENT, Connection, Text
from fallline.web.middleware import charged
from fallline.web.open_sockets import OpenSocket, OpenSockets
from fallline.web.requests import address_of

SEND_SECONDS = 8.0
"""How long a client may take to receive one message. `web.server.UNACKNOWLEDGED_MS` is the kernel's own deadline."""


class _Ended(Exception):
    """The connection has ended."""


class Socket:
    """One client on one socket."""

    def __init__(
        self, websocket: WebSocket, lab: Lab, commands_per_second: float, sockets: OpenSockets | None = None
    ) -> None:
        self._websocket = websocket
        self._connection = Connection(
            lab,
            commands_per_second,
            OpenSockets(1) if sockets is None else sockets,
            address_of(websocket.client.host if websocket.client else None),
            make_room=self._make_room,
        )

    @property
    def open_socket(self) -> OpenSocket:
        return self._connection.open_socket

    async def run(self) -> None:
        """Serve the client until either side ends the connection."""
        await self._websocket.accept()
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._receive_for_ever(), self._send_for_ever()):
                    group.create_task(charged(work, self._connection.charge))
        except* _Ended:
            pass
        finally:
            self._connection.leave()

    def _make_room(self) -> None:
        self._connection.close(CloseCode.RESTART, "the server is full: reconnect")

    # ------------------------------------------------------------------ receiving

    async def _receive_for_ever(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise _Ended
            if (text := message.get("text")) is None:
                self._connection.close(CloseCode.PROTOCOL, "messages must be text")
            else:
                await self._connection.receive(text)
            # Messages that have arrived are received without waiting. Many at once would delay their answers, as if the
            # client did not read them.
            await asyncio.sleep(0)

    # ------------------------------------------------------------------ sending

    async def _send_for_ever(self) -> None:
        while True:
            message = await self._connection.next()
            if isinstance(message, Closing):
                await self._close(message)
            else:
                await self._send(message)
                self._connection.sent(message)

    async def _close(self, closing: Closing) -> None:
        with suppress(*_DISCONNECTED):
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.close(closing.code, closing.reason)
        raise _Ended

    async def _send(self, message: Text) -> None:
        """Send one message."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if message.data is None:
                    await self._send_parts("text", message.head, message.rest)
                else:
                    await self._send_parts("bytes", opening(message.head + message.rest), message.data)
        except _DISCONNECTED:
            raise _Ended from None

    async def _send_parts(self, kind: str, head: AnyStr, rest: AnyStr) -> None:
        """Send a message of two parts, a long one in fragments.

        A stuck reader then keeps only one fragment in memory.
        """
        if len(rest) <= FRAGMENT:
            await self._websocket.send({"type": "websocket.send", kind: head + rest})
            return
        await self._websocket.send({"type": "websocket.send", kind: head, "more": True})
        for start in range(0, len(rest), FRAGMENT):
            fragment, more = rest[start : start + FRAGMENT], start + FRAGMENT < len(rest)
            await self._websocket.send({"type": "websocket.send", kind: fragment, "more": more})


_DISCONNECTED = (TimeoutError, RuntimeError, OSError, WebSocketDisconnect)
"""Errors for a client that is too slow or disconnected. Starlette raises all but the first."""
