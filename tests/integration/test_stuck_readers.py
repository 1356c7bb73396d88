"""Readers who never read use little memory, are cut, and delay nobody."""

from __future__ import annotations

import asyncio
import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fallline.web import server as servers
from fallline.web.server import listening_socket
from support.serving import NUMPY, Server, created, open_server

MANY = 40
CUT_SECONDS = 12.0
SLACK = 6.0
"""Seconds that a machine with other things to do may be late."""

HANDSHAKE = (
    "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame_of(message: dict[str, Any]) -> bytes:
    """Return a client's frame with this text and a mask of zeros."""
    text = json.dumps(message).encode()
    assert len(text) < 126
    return b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text


def stuck_reader(port: int, experiment: str) -> socket.socket:
    """Open a socket with a small buffer that watches and reads nothing."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", port))
    one.sendall(HANDSHAKE.format(port=port).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += one.recv(1)
    assert b" 101 " in answer
    one.sendall(frame_of({"type": "watch", "experiment": experiment, "fps": 30}))
    one.recv(1, socket.MSG_PEEK)  # frames arrive; from here on it reads nothing
    return one


@pytest.fixture
def server() -> Iterator[Server]:
    with open_server(**NUMPY) as one:
        yield one


def descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


async def test_readers_who_never_read_are_cut_and_cost_little_memory(
    server: Server,
) -> None:
    recipe = {"data": {"samples": 60}, "runs": [{"name": f"run-{number}"} for number in range(8)]}
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        one = await created(client, recipe)
        await one.ask("POST", "/play", {"speed": "max"})
        await asyncio.sleep(4)  # until a history is sent
        base, before = descriptors(server), server.resident_bytes
        most, slowest, began = 0, 0.0, time.monotonic()
        with ExitStack() as readers:
            for _ in range(MANY):
                readers.enter_context(await asyncio.to_thread(stuck_reader, server.port, one.id))
            await asyncio.sleep(1)
            assert descriptors(server) > base + MANY - 4  # connections of the client come and go
            while descriptors(server) > base + 3:
                start = time.monotonic()
                assert start - began < CUT_SECONDS + SLACK, "they are still there"
                assert (await client.get("/healthz")).status_code == 200
                slowest = max(slowest, time.monotonic() - start)
                most = max(most, server.resident_bytes - before)
                await asyncio.sleep(0.1)
    assert slowest < 2
    # The second part is for all readers together, and for the training.
    assert most < MANY * 256 * 1024 + 20 * 2**20


def test_the_kernel_cuts_a_peer_without_room_though_nothing_of_ours_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servers, "UNACKNOWLEDGED_MS", 3_000)
    with listening_socket("127.0.0.1", 0) as bound, socket.socket() as peer:
        bound.listen()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(bound.getsockname())
        line, _ = bound.accept()
        with line:
            line.setblocking(False)
            with suppress(BlockingIOError):
                while line.send(bytes(65_536)):
                    pass
            ended = select.poll()
            ended.register(line, select.POLLHUP)
            began = time.monotonic()
            assert ended.poll(15_000), "still there"
            assert time.monotonic() - began > 1.5
