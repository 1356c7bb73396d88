"""Connections, sockets and lines that say nothing are cut, and keep nobody away."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from fallline.web.protocols import REQUEST_SECONDS
from support.serving import NUMPY, Server, open_server

MOST, MANY = 20, 60
SLACK = 6.0
"""Seconds that a machine with other things to do may be late."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with open_server(**NUMPY, FALLLINE_SILENT_CONNECTIONS=str(MOST)) as one:
        yield one


def descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait for it, at most so long."""
    give_up = time.monotonic() + seconds
    while not (is_done := done()) and time.monotonic() < give_up:
        time.sleep(0.05)
    return is_done


def test_many_silent_connections_keep_nobody_away(server: Server) -> None:
    base, began = descriptors(server), time.monotonic()
    with ExitStack() as crowd:
        for number in range(MANY):
            one = crowd.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if number % 2:
                one.sendall(b"GET / HTTP/1.1\r\nHost: loc")  # the beginning of a request is no request
        assert httpx.get(server.url + "healthz").status_code == 200, "and those before it were accepted"
        until(lambda: descriptors(server) <= base + MOST, began + REQUEST_SECONDS - 1 - time.monotonic())
        assert descriptors(server) <= base + MOST, "they are too many already"
        assert until(lambda: descriptors(server) <= base, REQUEST_SECONDS + SLACK), (
            "nobody came, and they are cut all the same"
        )


def test_line_ends_do_not_keep_a_connection(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=REQUEST_SECONDS + SLACK) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = HTTPResponse(one)
        answer.begin()
        assert answer.status == 200
        assert answer.read(), "head and body may come in two pieces"
        one.sendall(b"\r\n")
        assert one.recv(1) == b"", "it was cut"


def test_a_socket_and_a_line_that_watch_nothing_are_closed(server: Server) -> None:
    lines = server.url + "api/v1/lines"
    opened = httpx.post(lines).json()
    with connect(server.socket_url) as line:
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(5 + SLACK)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400
    here, key = f"{lines}/{opened['line']}/messages", {"Authorization": f"Bearer {opened['key']}"}
    answer = httpx.get(here, params={"after": 0, "wait": 5}, headers=key, timeout=5 + SLACK)
    assert json.loads(answer.text)["messages"] == [{"type": "close", "code": 4400}]
