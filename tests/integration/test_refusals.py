"""Requests refused before the application get problem details."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.sync.client import connect

from fallline.web import app as web_app
from fallline.web.middleware import HEADERS
from fallline.web.protocols import EXTRA_FRAMES, HEAD_BYTES
from support.serving import Server, created, open_app, raw

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
UPGRADE = b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
STREAM = b"GET /api/v1/stream HTTP/1.1\r\n" + UPGRADE
PATIENCE = 90.0


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x00\xff\r\n\r\n", 400),
        (b"G<T / HTTP/1.1\r\n\r\n", 400),
        (GET + b"no header\r\n\r\n", 400),
        (GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (STREAM + b"Sec-WebSocket-Version: 13\r\n\r\n", 400),
        (STREAM + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", 400),
        (STREAM + b"Sec-WebSocket-Version: 12\r\n" + KEY + b"\r\n", 400),
        (STREAM.replace(b"GET", b"POST") + b"Sec-WebSocket-Version: 13\r\n" + KEY + b"\r\n", 400),
        (STREAM.replace(b"stream", b"other") + b"Sec-WebSocket-Version: 13\r\n" + KEY + b"\r\n", 404),
        (b"GET / HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Version: 13\r\n" + KEY + b"\r\n", 404),
    ],
    ids=range(10),
)
def test_requests_refused_before_the_application_get_problem_details(
    request_bytes: bytes, status: int, shared_server: Server
) -> None:
    head, _, body = raw(shared_server.port, request_bytes).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert first.split()[1] == str(status)
    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    assert {name: headers[name.lower()] for name in HEADERS} == HEADERS
    assert int(headers["content-length"]) == len(body)
    assert json.loads(body)["status"] == status
    assert "short" not in body.decode()


def until_the_end(line: socket.socket) -> bytes:
    """Return the answer until the server closes, or raise TimeoutError."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while more := line.recv(65536):
            answer += more
    return answer


@pytest.mark.parametrize(
    ("beginning", "status"),
    [
        (b"GET /", b"400"),
        (GET + b"X: ", b"400"),
        (GET + b"X: 1\r\n" * 40_000, b"400"),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: 1\r\n" * 40_000, b"200"),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n1;", b"200"),
        ((GET + b"\r\n") * 5_000, b"400"),
    ],
    ids=["address", "one header", "many headers", "trailers", "extension of a chunk", "requests in a row"],
)
def test_endless_requests_are_not_buffered(beginning: bytes, status: bytes, shared_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", shared_server.port), timeout=PATIENCE) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(beginning + b"a" * 4 * HEAD_BYTES)
        answer = until_the_end(line)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:99]


def test_a_large_head_with_a_body_is_accepted(shared_server: Server) -> None:
    head = (
        GET + b"X: " + b"a" * (HEAD_BYTES // 2) + b"\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n"
    )
    assert raw(shared_server.port, head + b"b" * 300_000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG, Opcode.CONT])
def test_frames_that_are_no_messages_are_counted_too(opcode: Opcode, shared_server: Server) -> None:
    with connect(shared_server.socket_url) as line:
        line.socket.sendall(b"\x01\x80\0\0\0\0" + bytes([opcode, 0x80 + 0, 0, 0, 0, 0]) * 10 * EXTRA_FRAMES
                            if opcode is Opcode.CONT
                            else bytes([0x80 | opcode, 0x80, 0, 0, 0, 0]) * 10 * EXTRA_FRAMES)  # fmt: skip
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(PATIENCE)
    assert closed.value.rcvd is None or closed.value.rcvd.code == 4008


def test_a_message_in_many_fragments_is_one_message(shared_server: Server) -> None:
    with connect(shared_server.socket_url) as line:
        text = '{"type": "ping", "id": "a message in pieces"}'
        line.send(list(text))
        assert json.loads(line.recv(PATIENCE)) == {"type": "pong", "id": "a message in pieces"}


def test_a_refused_handshake_is_no_mistake_of_the_servers(shared_server: Server) -> None:
    before = shared_server.output.count("handshake")
    evil = STREAM + b"Sec-WebSocket-Version: 13\r\nOrigin: http://evil.example\r\n" + KEY + b"\r\n"
    assert raw(shared_server.port, evil).startswith(b"HTTP/1.1 403 ")
    assert raw(shared_server.port, GET + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert shared_server.output.count("handshake") == before


class Visitor:
    """A socket to the application without a network, and its last result."""

    def __init__(self, app: FastAPI) -> None:
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self._said: asyncio.Queue[Any] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": "/api/v1/stream", "scheme": "ws", "query_string": b"", "subprotocols": [],
                 "headers": [(b"host", b"localhost")], "extensions": {"websocket.http.response": {}}}  # fmt: skip
        self._serving = asyncio.create_task(app(scope, self._said.get, self._heard.put))

    async def next(self) -> Any:
        return await asyncio.wait_for(self._heard.get(), PATIENCE)

    def say(self, **message: Any) -> None:
        self._said.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def next_type(self) -> str:
        """Return the type of the next message except frames."""
        while True:
            kind: str = json.loads((await self.next())["text"])["type"]
            if kind != "frame":
                return kind

    def end(self) -> Any:
        """Return the close message of the socket, if there is one."""
        while not self._heard.empty():
            if (heard := self._heard.get_nowait())["type"] == "websocket.close":
                return heard
        return None

    async def leave(self) -> None:
        self._said.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await self._serving


async def test_a_server_holds_so_many_sockets_and_refuses_more_until_one_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web_app, "MOST_SOCKETS", 1)
    async with open_app() as (app, _):
        first = Visitor(app)
        assert (await first.next())["type"] == "websocket.accept"
        second = Visitor(app)
        refusal = await second.next()
        assert (refusal["type"], refusal["status"]) == ("websocket.http.response.start", 503)
        assert (b"retry-after", b"1") in refusal["headers"]
        assert json.loads((await second.next())["body"])["type"] == "/problems/unavailable"
        await first.leave()
        third = Visitor(app)
        assert (await third.next())["type"] == "websocket.accept"
        await third.leave()


async def test_a_socket_with_a_token_replaces_one_that_only_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web_app, "MOST_SOCKETS", 4)
    async with open_app() as (app, client):
        looked_at, mine = await created(client), await created(client)
        onlookers = [Visitor(app) for _ in range(4)]
        for onlooker in onlookers:
            assert (await onlooker.next())["type"] == "websocket.accept"
            onlooker.say(type="watch", experiment=looked_at.id)
            assert await onlooker.next_type() == "experiment"
        late = Visitor(app)
        assert (await late.next())["type"] == "websocket.accept"
        late.say(type="watch", experiment=looked_at.id)
        assert await late.next_type() == "error"
        assert (await late.next())["code"] == 1012
        await late.leave()
        owner = Visitor(app)
        assert (await owner.next())["type"] == "websocket.accept"
        owner.say(type="watch", experiment=mine.id, token=mine.token)
        assert await owner.next_type() == "experiment"
        ends: list[Any] = []
        async with asyncio.timeout(PATIENCE):
            while not ends:
                await asyncio.sleep(0.05)
                ends += filter(None, (onlooker.end() for onlooker in onlookers))
        await asyncio.sleep(0.2)
        ends += filter(None, (onlooker.end() for onlooker in onlookers))
        assert [end["code"] for end in ends] == [1012]
        for each in (*onlookers, owner):
            await each.leave()
