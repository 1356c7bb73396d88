"""Connections, sockets and lines that say nothing are cut, and keep nobody away."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from support.serving import NUMPY, Server, open_program, open_server

MOST, MANY = 20, 60
PATIENCE = 90.0
"""Seconds, for a machine that has other things to do."""

PATIENT = (str(Path(__file__).parents[1] / "support" / "patient.py"),)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with open_server(**NUMPY, FALLLINE_SILENT_CONNECTIONS=str(MOST)) as one:
        yield one


def descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def until(done: Callable[[], bool]) -> bool:
    """Wait for it."""
    give_up = time.monotonic() + PATIENCE
    while not (is_done := done()) and time.monotonic() < give_up:
        time.sleep(0.05)
    return is_done


def silent_ones(server: Server, many: int, crowd: ExitStack) -> None:
    """Open connections. Every second one sends the beginning of a request, which is no request."""
    for number in range(many):
        one = crowd.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        if number % 2:
            one.sendall(b"GET / HTTP/1.1\r\nHost: loc")


def test_many_silent_connections_keep_nobody_away() -> None:
    """No deadline cuts these, so only the limit can."""
    settings = {**NUMPY, "FALLLINE_SILENT_CONNECTIONS": str(MOST)}
    with open_program(PATIENT, **settings) as server, ExitStack() as crowd:
        base = descriptors(server)
        silent_ones(server, MANY, crowd)
        answer = httpx.get(server.url + "healthz", timeout=PATIENCE)
        assert answer.status_code == 200, "and those before it were accepted"
        assert until(lambda: descriptors(server) <= base + MOST), "they are too many"


def test_silent_connections_are_cut_although_nobody_comes(server: Server) -> None:
    base = descriptors(server)
    with ExitStack() as crowd:
        silent_ones(server, MOST, crowd)
        assert until(lambda: descriptors(server) == base + MOST), "there is room for them"
        assert until(lambda: descriptors(server) <= base)


def test_line_ends_do_not_keep_a_connection(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = HTTPResponse(one)
        answer.begin()
        assert answer.status == 200
        assert answer.read(), "head and body may come in two pieces"
        one.sendall(b"\r\n")
        assert one.recv(1) == b"", "it was cut"


def test_a_socket_and_a_line_that_watch_nothing_are_closed(server: Server) -> None:
    lines = server.url + "api/v1/lines"
    with connect(server.socket_url) as line, httpx.Client(timeout=PATIENCE) as client:
        opened = client.post(lines).json()
        here, key = f"{lines}/{opened['line']}/messages", {"Authorization": f"Bearer {opened['key']}"}

        def messages() -> Any:
            return client.get(here, params={"after": 0, "wait": 20}, headers=key).json()["messages"]

        assert (messages() or messages()) == [{"type": "close", "code": 4400}]
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(PATIENCE)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400
