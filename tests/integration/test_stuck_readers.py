"""Readers who never read use little memory, are cut, and delay nobody."""

from __future__ import annotations

import asyncio
import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from fallline.web import server as servers
from fallline.web.server import listening_socket
from fallline.web.socket import SEND_SECONDS
from support.serving import NUMPY, Server, created, open_server

MANY = 40
PATIENCE = 90.0
"""Seconds, for a machine that has other things to do. After how many readers are cut is tested in test_lifecycle.py."""

ATTEMPTS = 3

HANDSHAKE = (
    "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
STREAM = (
    "GET /api/v1/lines/{line}/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
    "Authorization: Bearer {key}\r\n\r\n"
)


def frame_of(message: dict[str, Any]) -> bytes:
    """Return a client's frame with this text and a mask of zeros."""
    text = json.dumps(message).encode()
    assert len(text) < 126
    return b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text


def stuck_reader(port: int, experiment: str) -> socket.socket:
    """Open a socket with a small buffer that watches and reads nothing."""
    one = _connected(port, HANDSHAKE.format(port=port).encode())
    assert b" 101 " in _head(one)
    one.sendall(frame_of({"type": "watch", "experiment": experiment, "fps": 30}))
    one.recv(1, socket.MSG_PEEK)  # frames arrive; from here on it reads nothing
    return one


def stuck_stream(port: int, experiment: str) -> socket.socket:
    """Open a line and its stream with a small buffer, acknowledge every frame, and read nothing."""
    url = f"http://127.0.0.1:{port}/api/v1/lines"
    with httpx.Client(
        verify=False, timeout=PATIENCE
    ) as client:  # plain HTTP: certificates would take long to load
        opened = client.post(url).json()
        key = {"Authorization": f"Bearer {opened['key']}"}
        watch = {"type": "watch", "experiment": experiment, "fps": 30}
        post = partial(client.post, f"{url}/{opened['line']}/messages", headers=key)
        post(json={"seq": 0, "messages": [watch]})
        request = STREAM.format(port=port, line=opened["line"], key=opened["key"])
        one = _connected(port, request.encode())
        assert b" 200 " in _head(one)
        for seq in range(1, 6):
            time.sleep(0.04)
            post(json={"seq": seq, "messages": [{"type": "got", "frame": 2 * seq}]})
    return one


def _connected(port: int, request: bytes) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", port))
    one.sendall(request)
    return one


def _head(one: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += one.recv(1)
    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    with open_server(**NUMPY) as one:
        yield one


def descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


# a line may keep two frames of 64 KB until they are acknowledged, and 256 KB of other messages
@pytest.mark.parametrize(
    ("stuck", "many", "kilobytes"), [(stuck_reader, MANY, 256), (stuck_stream, MANY // 2, 2 * 64 + 256)]
)
async def test_readers_who_never_read_are_cut_and_cost_little_memory(
    server: Server, stuck: Callable[[int, str], socket.socket], many: int, kilobytes: int
) -> None:
    """A busy machine answers late now and then; a server that waits for its readers does so each time."""
    recipe = {"data": {"samples": 60}, "runs": [{"name": f"run-{number}"} for number in range(8)]}
    slowest: list[float] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        one = await created(client, recipe)
        await one.ask("POST", "/play", {"speed": "max"})
        await asyncio.sleep(4)  # until a history is sent
        while len(slowest) < ATTEMPTS and min(slowest, default=SEND_SECONDS) > SEND_SECONDS / 4:
            slowest.append(
                await _slowest_beside(server, client, partial(stuck, server.port, one.id), many, kilobytes)
            )
    assert min(slowest) <= SEND_SECONDS / 4


async def _slowest_beside(
    server: Server, client: httpx.AsyncClient, stuck: Callable[[], socket.socket], many: int, kilobytes: int
) -> float:
    """Open stuck readers and wait until they are cut. Returns the seconds of the slowest answer meanwhile."""
    base, before = descriptors(server), server.resident_bytes
    most, slowest, peak, began = 0, 0.0, 0, time.monotonic()
    with ExitStack() as readers:
        # all at once: the first are cut ten seconds after they stopped reading
        loop, threads = asyncio.get_running_loop(), readers.enter_context(ThreadPoolExecutor(many))
        opening = asyncio.gather(*(loop.run_in_executor(threads, stuck) for _ in range(many)))
        while not opening.done():
            peak = max(peak, descriptors(server))
            await asyncio.sleep(0.05)
        for reader in await opening:
            readers.enter_context(reader)
        peak = max(peak, descriptors(server))
        # connections of the client come and go; a slow machine cuts the first while the last are opened
        assert peak > base + many - 4 or time.monotonic() - began > SEND_SECONDS
        while descriptors(server) > base + 3:
            start = time.monotonic()
            assert start - began < PATIENCE, "they are still there"
            assert (await client.get("/healthz")).status_code == 200
            slowest = max(slowest, time.monotonic() - start)
            most = max(most, server.resident_bytes - before)
            await asyncio.sleep(0.1)
    # The second part is for all readers together, and for the training.
    assert most < many * kilobytes * 1024 + 20 * 2**20
    return slowest


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
            began = time.monotonic()
            with suppress(BlockingIOError):
                while line.send(bytes(65_536)):
                    pass
            ended = select.poll()
            ended.register(line, select.POLLHUP)
            assert ended.poll(PATIENCE * 1_000), "still there"
            assert time.monotonic() - began > 1.5
