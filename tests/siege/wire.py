"""A lightweight HTTP and WebSocket client, so that load generators leave the server its processor.

Loopback only: it connects to 127.0.0.1 and to nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from dataclasses import dataclass
from typing import Any

from support.aliases import Json

ADDRESS = "127.0.0.1"
API = "/api/v1"
LIMIT = 16 << 20
"""Maximum bytes of one line or one frame."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The response to a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Http:
    """One persistent connection, reopened after an error."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        seconds: float = 5.0,
        **headers: str,
    ) -> Reply:
        """Send a request and read its response. `body` is JSON, or bytes that are sent unchanged."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {ADDRESS}:{self.port}",
            f"Content-Length: {len(content)}",
        ]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await self._connected()
                writer.write("\r\n".join((*lines, "", "")).encode() + content)
                return await self._reply(reader)
        except BaseException:
            self.close()
            raise

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection(ADDRESS, self.port, limit=LIMIT)
        return self._streams

    async def _reply(self, reader: asyncio.StreamReader) -> Reply:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split()[1])
        if headers.get("transfer-encoding") == "chunked":
            body = await self._chunks(reader)
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return Reply(status, headers, body)

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Closed(Exception):
    """The server has closed the WebSocket.

    `code` is its close code, or None for a lost connection.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Socket:
    """One WebSocket to the server's stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, *, receive_buffer: int | None = None, seconds: float = 10.0) -> Socket:
        """Connect. A small `receive_buffer` (bytes) reveals at once that a client does not read."""
        connection = socket.socket()
        connection.setblocking(False)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().sock_connect(connection, (ADDRESS, port))
                reader, writer = await asyncio.open_connection(sock=connection, limit=LIMIT)
                key = base64.b64encode(os.urandom(16)).decode()
                writer.write(
                    f"GET {API}/stream HTTP/1.1\r\nHost: {ADDRESS}:{port}\r\nUpgrade: websocket\r\n"
                    f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
                )
                head = await reader.readuntil(b"\r\n\r\n")
        except BaseException:
            connection.close()
            raise
        if b" 101 " not in head.partition(b"\r\n")[0]:
            writer.close()
            raise Closed(int(head.split()[1]))
        return cls(reader, writer)

    def send(self, message: Json | str | bytes) -> None:
        """Send one text message; `bytes` are sent unchanged."""
        text = message if isinstance(message, str | bytes) else json.dumps(message)
        self._send(0x1, text if isinstance(text, bytes) else text.encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = bytes((0x80 | opcode, 0x80 | size))
        elif size < 1 << 16:
            head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
        self._writer.write(head + b"\0\0\0\0" + payload)  # a mask of zeros leaves the payload as it is

    async def read(self) -> bytes:
        """The next message. Answers pings. Raises Closed."""
        message = b""
        while True:
            try:
                first, second = await self._reader.readexactly(2)
                size = second & 0x7F
                if size >= 126:
                    size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
                payload = await self._reader.readexactly(size)
            except (asyncio.IncompleteReadError, OSError):
                raise Closed(None) from None
            match first & 0x0F:
                case 0x8:
                    self._writer.close()
                    raise Closed(int.from_bytes(payload[:2], "big") if payload else None)
                case 0x9:
                    self._send(0xA, payload)
                case 0xA:
                    pass
                case _:
                    message += payload
                    if first & 0x80:
                        return message

    @property
    def is_open(self) -> bool:
        return not self._writer.is_closing()

    def stop_reading(self) -> None:
        """Stop reading, like a sleeping laptop."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        """Cut the line."""
        self._writer.transport.abort()
