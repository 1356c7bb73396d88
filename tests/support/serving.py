"""A server for tests, in this process or in its own process with a port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI

from fallline.bootstrap import create_app
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.compiling import cache_directory, is_complete
from fallline.settings import Settings
from support.lives import costless

BACKEND = Path(__file__).parents[2] / "backend"
NUMPY = {"FALLLINE_KERNEL": "numpy"}
"""For a server that does not need compiled code."""

START_SECONDS = 90
"""Start timeout; an idle machine needs 2 s."""

EXAMINED_SECONDS = 20
"""How long one request waits for findings."""

SMALL: dict[str, Any] = {"data": {"samples": 60}}


UNLIMITED = {
    "requests_per_second": 1e6,
    "wrong_tokens_per_second": 1e6,
    "refusals_per_second": 1e6,
    "unused_creations": 1_000_000,
}
"""Tests ask faster than people do, and leave unused what they create."""


@asynccontextmanager
async def open_app(
    kernels: Kernels | None = None, **settings: Any
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    app = create_app(Settings(**{"data": None, **UNLIMITED, **settings}), kernels)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield app, client


@dataclass
class Experiment:
    """An experiment over HTTP: its address and token."""

    client: httpx.AsyncClient
    id: str
    token: str
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def here(self) -> str:
        return f"/api/v1/experiments/{self.id}"

    @property
    def authorized(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def get(self, path: str = "", **query: Any) -> httpx.Response:
        return await self.client.get(self.here + path, params=query)

    async def settled(self) -> dict[str, Any]:
        """Return the state once all its findings are there, without the cost of examinations."""
        while True:
            began = time.monotonic()
            state = (await self.get(wait=EXAMINED_SECONDS)).json()
            if time.monotonic() - began < EXAMINED_SECONDS:  # else some may still be on their way
                return costless(state)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = {} if body is None else {"json": body}
        return await self.client.request(
            method, self.here + path, headers={**self.authorized, **headers}, **content
        )


async def created(client: httpx.AsyncClient, recipe: dict[str, Any] | None = None) -> Experiment:
    answer = await client.post("/api/v1/experiments", json=SMALL if recipe is None else recipe)
    assert answer.status_code == 201, answer.text
    state = answer.json()
    return Experiment(client, state["id"], state["token"], state)


class Server:
    """A server in its own process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, output: Path) -> None:
        self.process = process
        self.url = url
        self._output = output
        self.port = urlsplit(url).port or 0

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/stream"

    @property
    def resident_bytes(self) -> int:
        """Memory of the process that is in RAM."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def end(self, number: int = signal.SIGTERM, timeout: float = 90) -> tuple[int, float]:
        """Send a signal. Returns the exit status and the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout), time.monotonic() - began


@cache
def compiled_ahead() -> None:
    """Compile the kernels, so that no server switches to them during a test."""
    directory = cache_directory(os.environ)
    if directory is not None and is_complete(directory):
        return
    subprocess.run(
        [sys.executable, "-m", "fallline", "warm"], check=True, capture_output=True, env=_environment()
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(BACKEND), "OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def open_server(*arguments: str, **environment: str) -> Iterator[Server]:
    """Start a server on a free port; see `open_program`."""
    with open_program(("-m", "fallline"), *arguments, **environment) as server:
        yield server


@contextmanager
def open_program(program: Sequence[str], *arguments: str, **environment: str) -> Iterator[Server]:
    """Start a Python program that serves on a free port; see `open_entry`."""
    command = [sys.executable, *program, "serve", "--port", "{port}", *arguments]
    with open_entry(command, **environment) as server:
        yield server


@contextmanager
def open_entry(command: Sequence[str], **environment: str) -> Iterator[Server]:
    """Start a command that serves; its `{port}` is a free one.

    It stores in a temporary folder, unless `FALLLINE_DATA` or `--memory` is set.
    """
    compiled_ahead()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        variables = {"FALLLINE_DATA": str(Path(folder) / "data"), **environment}
        with output.open("wb") as sink:
            process = subprocess.Popen(
                [word.replace("{port}", "0") for word in command],
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**_environment(), **variables},
            )
        try:
            yield Server(process, _url(process, output), output)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        # An exception that the server catches and logs is still a fault.
        assert "Traceback" not in (log := output.read_text()), log


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[str]:
    """Start a server. Yields its address without a final slash."""
    with open_server(*arguments, **environment) as server:
        yield server.url.rstrip("/")


def _url(process: subprocess.Popen[bytes], output: Path) -> str:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        if match := re.search(r"listens on (http://[^\s\",]+)", output.read_text()):
            return match[1]
        time.sleep(0.02)
    raise AssertionError(f"the server does not start: {output.read_text()}")


def raw(port: int, request: bytes, timeout: float = 60) -> bytes:
    """Send these bytes. Returns the response until the connection closes or times out."""
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection,
        contextlib.suppress(ConnectionError, TimeoutError),
    ):
        connection.sendall(request)
        while chunk := connection.recv(65536):
            answer += chunk
    return answer
