"""The HTTP server: uvicorn that no stalled reader and no SIGTERM blocks.

Owns how it listens and ends; `web.protocols` owns the connections. Must not know what the application does.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from fallline.execution.memory import settle
from fallline.settings import Settings
from fallline.web.base_path import under
from fallline.web.protocols import KEEPALIVE_SECONDS, BoundedHttp, BoundedWebSocket, Silent

MESSAGE_BYTES = 64 * 1024
SEND_BUFFER = 64 * 1024
UNACKNOWLEDGED_MS = 10_000
"""Time after which the kernel ends a connection whose peer receives nothing. The event loop cannot delay this."""
GRACE_SECONDS = 2
"""How long running requests may take after SIGTERM. The whole exit takes at most 3 s."""

MOST_OPEN = 65_536
"""Limit on open files and connections that the process requests from the system."""

OWN_ADDRESS = "use an address of this machine, or 0.0.0.0 for all of them"
HINTS = {
    errno.EADDRINUSE: "; is another fallline running? Use --port for another port",
    errno.EADDRNOTAVAIL: f"; {OWN_ADDRESS}",
    errno.EACCES: "; ports below 1024 may need more rights: use --port for another port",
}
"""What helps against an error of the system."""

log = logging.getLogger("fallline.web")

if sys.platform != "win32":
    import resource


class CannotListen(Exception):
    """The server cannot listen on the address or port; the text says why, in one line."""


class Server(uvicorn.Server):
    """A server that lets the app finish first and exits with 0 on SIGTERM."""

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
        # The app finishes first, so that waiting callers get an answer and not a cut connection.
        await self._stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn raises the signal again at the end, and the process would not exit with 0.
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket with small buffers. Raises CannotListen.

    It has a timeout for peers that receive nothing.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror}; {OWN_ADDRESS}") from None
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; elsewhere only the keepalive detects it
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        hint = HINTS.get(error.errno or 0, "")
        raise CannotListen(f"cannot listen on {host}, port {port}: {error.strerror}{hint}") from None
    return bound


def allow_many_connections() -> None:
    """Raise the limit on open files: 1,024 are too few for a class."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN)
        if soft != resource.RLIM_INFINITY and soft < limit:
            # macOS reports no limit but has one, and refuses more: then the limit stays as it is.
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def url_of(bound: socket.socket, base: str) -> str:
    """Return the URL to open in a browser on this machine."""
    host, port = bound.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}{base}/"


def serve(
    app: ASGIApp,
    settings: Settings,
    bound: socket.socket,
    listening: Callable[[], None],
    stopping: Callable[[], Awaitable[None]],
) -> None:
    """Serve until SIGTERM or SIGINT."""
    allow_many_connections()

    class Http(BoundedHttp):
        silent = Silent(settings.silent_connections)

    config = uvicorn.Config(
        app,
        http=Http,
        ws=BoundedWebSocket,
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=KEEPALIVE_SECONDS,
        ws_ping_timeout=KEEPALIVE_SECONDS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=1024,
        # URLs contain experiments' ids, which give the right to read: they must not be logged.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # `web.middleware` applies them, and needs the proxy's own address
    )
    with under(settings.base_path):  # also answers to requests that never reach the application
        Server(config, listening, stopping).run(sockets=[bound])
