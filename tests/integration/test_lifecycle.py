"""The server as a process: it starts, refuses to start, and ends."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fallline import __version__
from fallline.web.protocols import FAREWELL_SECONDS, REQUEST_SECONDS
from fallline.web.requests import BODY_SECONDS
from fallline.web.server import GRACE_SECONDS, MOST_OPEN, allow_many_connections
from fallline.web.socket import SEND_SECONDS
from support.serving import BACKEND, NUMPY, Server, open_program, open_server

IMPATIENT = (str(Path(__file__).parents[1] / "support" / "impatient.py"),)
STALLED = 10
PATIENCE = 90.0
"""Seconds. How soon a server ends is measured by benchmarks/bench_live.py; here, on whatever machine, that it does."""


def fallline(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fallline", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(BACKEND), **environment},
    )


def playing(server: Server, speed: object = "max") -> dict[str, Any]:
    """Create an experiment that plays at full speed."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        created: dict[str, Any] = client.post("/api/v1/experiments", json={"data": {"samples": 60}}).json()
        answer = client.post(
            f"/api/v1/experiments/{created['id']}/play",
            json={"speed": speed},
            headers={"Authorization": f"Bearer {created['token']}"},
        )
        assert answer.status_code == 200
    return created


def stalled(server: Server, id: str) -> socket.socket:
    """A client that asks for everything, and never reads."""
    line = socket.create_connection(("127.0.0.1", server.port))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.sendall(
        f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert b"101" in line.recv(1024)
    message = json.dumps({"type": "watch", "experiment": id, "fps": 30, "buckets": 1000}).encode()
    mask = b"\x00" * 4
    line.sendall(bytes([0x81, 0x80 | len(message)]) + mask + message if len(message) < 126 else
                 bytes([0x81, 0x80 | 126]) + len(message).to_bytes(2, "big") + mask + message)  # fmt: skip
    return line


@contextmanager
def watching(server: Server, id: str, fps: int = 30) -> Iterator[ClientConnection]:
    with connect(server.socket_url, max_size=None) as line:
        yield watch(line, id, fps)


def watch(line: ClientConnection, id: str, fps: int) -> ClientConnection:
    line.send(json.dumps({"type": "watch", "experiment": id, "fps": fps}))
    assert json.loads(line.recv(PATIENCE))["type"] == "experiment"
    return line


def close_code(line: ClientConnection, seconds: float = PATIENCE) -> int | None:
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            line.recv(end - time.monotonic())
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
    raise AssertionError("still open")


def open_files(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_says_one_line_with_the_address_and_a_signal_ends_it_with_0(number: int) -> None:
    with open_server() as server:
        assert httpx.get(server.url + "healthz", timeout=PATIENCE).json()["status"] == "ok"
        assert server.end(number, PATIENCE)[0] == 0
        assert server.output == f"fallline {__version__} listens on {server.url}\n"


def test_a_port_in_use_is_reported_in_one_line(shared_server: Server) -> None:
    second = fallline("serve", "--port", str(shared_server.port))
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert f"port {shared_server.port}" in second.stderr
    assert "in use" in second.stderr


def test_all_that_an_end_waits_for_is_over_after_three_seconds() -> None:
    assert GRACE_SECONDS + FAREWELL_SECONDS <= 3


def test_a_slow_request_gets_ten_seconds_and_a_slow_reader_eight() -> None:
    """The test below uses a server with shorter limits."""
    assert REQUEST_SECONDS == BODY_SECONDS == 10
    assert SEND_SECONDS == 8


def test_sigterm_closes_sockets_with_1012_and_ends_the_server_despite_stalled_readers() -> None:
    with open_server() as server, ExitStack() as lines:
        id = playing(server)["id"]
        healthy = [lines.enter_context(watching(server, id)) for _ in range(10)]
        dead = [stalled(server, id) for _ in range(STALLED)]
        codes: list[int | None] = []
        readers = [
            threading.Thread(target=lambda line=line: codes.append(close_code(line))) for line in healthy
        ]
        for reader in readers:
            reader.start()
        time.sleep(1.5)
        status, _ = server.end(timeout=PATIENCE)
        for reader in readers:
            reader.join()
        for line in dead:
            line.close()
    assert status == 0
    assert codes == [1012] * len(healthy)


def test_a_server_opens_as_many_connections_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        with open_server(**NUMPY) as server:
            allowed = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert allowed == (MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN), hard)


def test_a_system_that_lets_it_open_no_more_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Any] = []

    def refuse(_: int, limits: Any) -> None:
        requests.append(limits)
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    allow_many_connections()
    assert requests == [(MOST_OPEN, resource.RLIM_INFINITY)]


def test_a_request_at_work_is_answered_when_the_server_ends() -> None:
    with open_server(**NUMPY) as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            created = client.post("/api/v1/experiments", json={}).json()
        answered: list[httpx.Response] = []

        def step() -> None:
            answered.append(
                httpx.post(
                    f"{server.url}api/v1/experiments/{created['id']}/step",
                    json={"steps": 1_000_000},
                    headers={"Authorization": f"Bearer {created['token']}"},
                    timeout=PATIENCE,
                )
            )

        asking = threading.Thread(target=step)
        asking.start()
        state = f"{server.url}api/v1/experiments/{created['id']}"
        while httpx.get(state, timeout=PATIENCE).json()["runs"][0]["step"] == 0:
            time.sleep(0.05)
        status, _ = server.end(timeout=PATIENCE)
        asking.join()
    assert status == 0
    assert answered[0].status_code == 503
    assert answered[0].headers["content-type"] == "application/problem+json"


def test_a_reader_that_stalls_is_let_go_and_slows_nobody() -> None:
    """A busy machine may be slow for a moment, but a server that waits for its readers is slow each time."""
    with open_program(IMPATIENT, **NUMPY) as server, ExitStack() as lines:
        id = playing(server, 200)["id"]
        healthy = lines.enter_context(watching(server, id, fps=10))
        for _ in range(5):
            rate, *rates = rates_beside_stalled(server, id, healthy)
            if min(rates) > rate / 3:
                return
    pytest.fail(f"{rates} frames per second instead of {rate}")


def rates_beside_stalled(server: Server, id: str, healthy: ClientConnection) -> list[float]:
    """Return how many frames per second a reader gets: first alone, then until stalled ones are let go."""
    rates, before = [frames_a_second(healthy, 2)], open_files(server)
    dead = [stalled(server, id) for _ in range(STALLED)]
    began = time.monotonic()
    rates += [frames_a_second(healthy, 2), frames_a_second(healthy, 2)]
    while open_files(server) > before:
        assert time.monotonic() - began < PATIENCE, "stalled readers are still held"
        rates.append(frames_a_second(healthy, 2))
    for line in dead:
        line.close()
    return rates


def frames_a_second(line: ClientConnection, seconds: float) -> float:
    frames, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        frames += json.loads(line.recv(PATIENCE))["type"] == "frame"
    return frames / seconds


def until_the_end(line: socket.socket) -> bytes:
    """Return everything that the server sends before it closes the connection."""
    answer = b""
    while more := line.recv(65536):
        answer += more
    return answer


def test_unfinished_requests_are_cut_off() -> None:
    head = b"POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\n"
    with open_program(IMPATIENT, **NUMPY) as server, ExitStack() as lines:

        def begin(request: bytes) -> socket.socket:
            line = lines.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
            line.sendall(request)
            return line

        silent, halfway, endless = begin(b""), begin(head), begin(head + b"Content-Length: 100\r\n\r\n{")
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
        again, leftover = begin(request + b"\r\n"), begin(request + b"Content-Length: 100\r\n\r\n{")
        assert again.recv(9) == b"HTTP/1.1 "
        again.sendall(head)
        watcher = lines.enter_context(watching(server, playing(server, 5)["id"]))
        answer = until_the_end(endless)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
        assert until_the_end(silent) == until_the_end(halfway) == b""
        assert until_the_end(again).startswith(b"200 ")
        assert until_the_end(leftover).startswith(b"HTTP/1.1 200 ")
        while json.loads(watcher.recv(PATIENCE))["type"] != "frame":
            pass
