"""Limits on the data of a connection, in total and at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from fallline.web import protocols
from fallline.web.protocols import HEAD_BYTES, PIECE_BYTES, BoundedHttp, BoundedWebSocket, Silent
from support.clocks import Clock

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MESSAGES = 1_000


class Line(asyncio.Transport):
    """A transport without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.closing, self.written = True, False, b""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = GET + b"Transfer-Encoding: chunked\r\n\r\n"


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def overflow(beginning: bytes, more: bytes) -> tuple[bool, bytes]:
    """Repeat `more` up to three times the limit of a head.

    Return whether the connection was ended, and the answer.
    """
    config = uvicorn.Config(answer)
    config.load()
    line = Line()
    protocol = BoundedHttp(config, ServerState(), {})
    line.set_protocol(protocol)
    protocol.connection_made(line)
    protocol.data_received(beginning)
    await asyncio.gather(*protocol.tasks)
    for _ in range(3 * HEAD_BYTES // len(more)):
        if not line.closing:
            protocol.data_received(more)
    ended = line.closing
    protocol.connection_lost(None)
    return ended, line.written


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (b"GET /", b"a" * 1_000),
        (GET + b"X: ", b"a" * 1_000),
        (GET, b"X: 1\r\n" * 200),
        (GET + b"\r\n" + GET + b"X: ", b"a" * 1_000),
    ],
    ids=["address", "one header", "many headers", "second request"],
)
async def test_an_endless_head_is_refused(beginning: bytes, more: bytes) -> None:
    ended, answer = await overflow(beginning, more)
    assert ended
    assert b"HTTP/1.1 400 " in answer
    assert b"at most 65,536 bytes" in answer


async def test_what_is_no_request_at_all_is_refused() -> None:
    ended, answer = await overflow(b"\x16\x03\x01\x02\x00\x01", b"\x00")
    assert ended
    assert b"Invalid HTTP request" in answer


async def test_an_address_of_70_000_letters_in_one_piece_is_refused_with_the_limit() -> None:
    _, answer = await overflow(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n")
    assert b"at most 65,536 bytes" in answer


@pytest.mark.parametrize(
    ("beginning", "more"),
    [(CHUNKED + b"0\r\n", b"X: 1\r\n" * 200), (CHUNKED + b"1;", b"a" * 1_000), (CHUNKED, b"1\r\na\r\n" * 200)],
    ids=["trailers", "extension of a chunk", "smallest chunks"],
)  # fmt: skip
async def test_endless_trailers_after_an_answer_end_the_connection(beginning: bytes, more: bytes) -> None:
    ended, answer = await overflow(beginning, more)
    assert ended
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_the_rest_of_an_answered_body_is_received() -> None:
    ended, _ = await overflow(GET + b"Content-Length: 9999999\r\n\r\n", b"a" * 1_000)
    assert not ended


def connected(app: Any, line: Line, ping_interval: float | None = None) -> BoundedWebSocket:
    """Return the server's side of a WebSocket whose handshake has arrived."""
    config = uvicorn.Config(app, ws_ping_interval=ping_interval)
    config.load()
    protocol = BoundedWebSocket(config, ServerState(), {})
    protocol.connection_made(line)
    protocol.data_received(HANDSHAKE)
    return protocol


async def test_a_reader_who_takes_nothing_of_a_response_is_cut_and_a_slow_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocols, "UNREAD_SECONDS", 0.1)
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)

    async def pass_time(share: float) -> None:
        clock.now += share * protocols.UNREAD_SECONDS
        for _ in range(3):
            await asyncio.sleep(0)

    config = uvicorn.Config(answer)
    config.load()
    line = Line()
    protocol = BoundedHttp(config, ServerState(), {})
    line.set_protocol(protocol)
    protocol.connection_made(line)
    for _ in range(4):
        protocol.pause_writing()
        await pass_time(0.5)
        protocol.resume_writing()
    await pass_time(2.0)
    is_open = not line.closing
    protocol.pause_writing()
    await pass_time(2.0)
    assert (is_open, line.closing) == (True, True)
    protocol.connection_lost(None)


class Few(BoundedHttp):
    """A server with room for two silent connections."""

    silent = Silent(2)


def opened(kind: type[BoundedHttp], app: Any = answer, line: Line | None = None) -> tuple[BoundedHttp, Line]:
    config = uvicorn.Config(app)
    config.load()
    line = Line() if line is None else line
    protocol = kind(config, ServerState(), {})
    line.set_protocol(protocol)
    protocol.connection_made(line)
    return protocol, line


async def test_of_too_many_silent_connections_the_longest_silent_one_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Few, "silent", Silent(2))
    goes_on = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await goes_on.wait()
        await answer(scope, receive, send)

    first, second, busy, third = (opened(Few, slow) for _ in range(4))
    assert [line.closing for _, line in (first, second, busy, third)] == [True, True, False, False]
    busy[0].data_received(GET + b"\r\n")
    crowd = [opened(Few) for _ in range(6)]
    assert not busy[1].closing, "it waits for its response"
    assert [line.closing for _, line in crowd] == [True] * 4 + [False] * 2
    goes_on.set()
    await asyncio.gather(*busy[0].tasks)
    assert (crowd[-2][1].closing, crowd[-1][1].closing, busy[1].closing) == (True, False, False)
    for protocol, _ in (first, second, busy, third, *crowd):
        protocol.connection_lost(None)
    assert len(Few.silent) == 0


async def test_a_connection_is_silent_only_when_its_response_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Few, "silent", Silent(1))

    class Full(Line):
        """A transport that the body fills."""

        def write(self, data: Any) -> None:
            super().write(data)
            if not data.startswith(b"HTTP/1.1"):
                protocol.pause_writing()

    line = Full()
    protocol, _ = opened(Few, line=line)
    protocol.data_received(GET + b"\r\n")
    await asyncio.gather(*protocol.tasks)
    opened(Few)
    opened(Few)
    assert protocol.cycle.response_complete
    while_it_reads = line.closing
    protocol.resume_writing()
    last, _ = opened(Few)
    assert (while_it_reads, line.closing) == (False, True)
    protocol.connection_lost(None)
    last.connection_lost(None)


async def test_line_ends_between_requests_do_not_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "REQUEST_SECONDS", 0.05)
    protocol, line = opened(BoundedHttp)
    protocol.data_received(GET + b"\r\n")
    await asyncio.gather(*protocol.tasks)
    protocol.data_received(b"\r\n")
    await asyncio.sleep(0.15)
    assert line.closing
    protocol.connection_lost(None)


async def test_many_small_messages_are_received_in_pieces_and_in_order() -> None:
    most_at_once, received = 0, []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal most_at_once
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(MESSAGES):
            received.append((await receive())["text"])
            most_at_once = max(most_at_once, protocol.queue.qsize())

    line = Line()
    protocol = connected(app, line)
    while not protocol.handshake_complete:
        await asyncio.sleep(0)
    frames = [b"\x81\x84\0\0\0\0" + f"{number:04}".encode() for number in range(MESSAGES)]
    protocol.data_received(b"".join(frames))
    assert not line.reading
    assert protocol.queue.qsize() <= PIECE_BYTES // len(frames[0])
    await asyncio.gather(*protocol.tasks)
    assert received == [f"{number:04}" for number in range(MESSAGES)]
    assert most_at_once <= PIECE_BYTES // len(frames[0]) + 1  # one is split
    assert line.reading


@pytest.mark.parametrize("frames", [b"\x81\x82\0\0\0\0a\xff", b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0a"])
async def test_text_that_is_not_utf_8_ends_the_socket_and_is_not_logged(
    frames: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["code"] == 1007

    line = Line()
    protocol = connected(app, line)
    while not protocol.handshake_complete:
        await asyncio.sleep(0)
    protocol.data_received(frames)
    await asyncio.gather(*protocol.tasks)
    assert line.closing
    assert b"\x03\xeftext must be UTF-8" in line.written
    assert caplog.records == []


async def test_a_peer_whose_answer_is_not_read_yet_counts_as_alive() -> None:
    """The application takes its time for one message while the next one and the pong wait."""
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await go_on.wait()
        await receive()
        await receive()

    line = Line()
    protocol = connected(app, line, ping_interval=60)
    while not protocol.handshake_complete:
        await asyncio.sleep(0)
    protocol.data_received(2 * b"\x81\x81\0\0\0\0a")
    protocol.send_keepalive_ping()
    ping = line.written.rpartition(b"\x89\x04")[2]
    protocol.data_received(b"\x8a\x84\0\0\0\0" + ping)
    protocol.keepalive_timeout()
    is_open = not line.closing
    go_on.set()
    while protocol.pending_ping_payload is not None:
        await asyncio.sleep(0)
    protocol.send_keepalive_ping()
    protocol.keepalive_timeout()
    assert (is_open, line.closing) == (True, True)
    protocol.connection_lost(None)
    await asyncio.gather(*protocol.tasks)


async def test_a_message_counts_as_sent_when_the_peer_has_received_it() -> None:
    """So one message is in memory for a stuck peer, and the next one is not made."""
    done = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for number in range(3):
            await send({"type": "websocket.send", "text": str(number)})
            done.append(number)

    class Full(Line):
        """A transport that each message fills."""

        def write(self, data: Any) -> None:
            super().write(data)
            if data.startswith(b"\x81"):
                protocol.pause_writing()

    line = Full()
    protocol = connected(app, line)
    for count in range(3):
        for _ in range(10):
            await asyncio.sleep(0)
        assert done == list(range(count))
        assert line.written.count(b"\x81\x01") == count + 1
        protocol.resume_writing()
    await asyncio.gather(*protocol.tasks)
    assert done == [0, 1, 2]


@pytest.mark.parametrize(("kind", "opcode"), [("text", b"\1"), ("bytes", b"\2")])
async def test_a_message_in_fragments_is_one_message_and_others_wait_for_its_end(
    kind: str, opcode: bytes
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for text, more in (("a", True), ("bc", True), ("ü", False)):
            part = text if kind == "text" else text.encode()
            await send({"type": "websocket.send", kind: part, "more": more})
        await send({"type": "websocket.send", "text": "d"})

    line = Line()
    protocol = connected(app, line)
    while not protocol.tasks:
        await asyncio.sleep(0)
    await asyncio.gather(*protocol.tasks)
    frames = line.written.partition(b"\r\n\r\n")[2]
    assert frames == opcode + b"\x01a" + b"\x00\x02bc" + b"\x80\x02" + "ü".encode() + b"\x81\x01d"
