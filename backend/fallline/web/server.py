"""The HTTP server: uvicorn as it has to be set so that a reader who stalls, or a SIGTERM, cannot wedge it.

How a connection is held is `web.protocols`'; here is how it listens and ends. Must not know what the application does.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from fallline.settings import Settings
from fallline.web.protocols import AbortingWebSocket, ImpatientHttp

MESSAGE_BYTES = 64 * 1024
SEND_BUFFER = 64 * 1024
UNACKNOWLEDGED_MS = 10_000
"""After so long the kernel ends a connection whose peer takes nothing, also one that is there and has no room. The
event loop cannot delay this.
"""
KEEPALIVE_SECONDS = 5.0
GRACE_SECONDS = 2
"""How long requests at work may take to end after SIGTERM; with the farewell before it, the exit comes within 3 s."""

MOST_OPEN = 65_536
"""Files and connections that the process asks the system for."""

log = logging.getLogger("fallline.web")

if sys.platform != "win32":
    import resource


class CannotListen(Exception):
    """The address or port is not to be had; the text says why, in one line."""


class Server(uvicorn.Server):
    """A server that tells when it listens, lets the app end its work first, and ends with 0 on SIGTERM."""

    def __init__(
        self,
        config: uvicorn.Config,
        listening: Callable[[], None],
        stopping: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._listening = listening
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Work in progress ends first, so that whoever waits for it gets an answer instead of a cut connection.
        await self._stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn raises the signal again when it is done, and the process would end by it instead of with 0.
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def settle() -> None:
    """Take what is there for good out of the collector's sight: to look through it takes 65 ms, in which all stands."""
    gc.collect()
    gc.freeze()


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket whose connections hold little and notice a peer that takes nothing. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror}") from None
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; elsewhere the keepalive alone notices
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        hint = "; is another fallline running? --port takes another one" if error.errno == 98 else ""
        raise CannotListen(f"cannot listen on {host}, port {port}: {error.strerror}{hint}") from None
    return bound


def allow_many_connections() -> None:
    """Let the process open what the system lets it: many begin with 1,024, and the pages of a class take more."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            # macOS says that there is no limit, and refuses more than one that it has: then things stay as they are.
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def url_of(bound: socket.socket) -> str:
    """The address to open in a browser on this machine."""
    host, port = bound.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"


def serve(
    app: ASGIApp,
    settings: Settings,
    bound: socket.socket,
    listening: Callable[[], None],
    stopping: Callable[[], Awaitable[None]],
) -> None:
    """Serve until SIGTERM or SIGINT."""
    allow_many_connections()
    config = uvicorn.Config(
        app,
        http=ImpatientHttp,
        ws=AbortingWebSocket,
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=KEEPALIVE_SECONDS,
        ws_ping_timeout=KEEPALIVE_SECONDS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=1024,
        # Addresses hold experiments' ids, which are the right to read: they belong into no log.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
    )
    Server(config, listening, stopping).run(sockets=[bound])
