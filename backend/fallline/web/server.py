"""The HTTP server: uvicorn as it has to be set so that a reader who stalls, or a SIGTERM, cannot wedge it.

Stock uvicorn ends a dead socket by closing its transport, which waits for the peer to drain it: for ever, if the peer
never reads, and SIGTERM then waits too. Here a connection whose end has been decided is aborted soon after. Must not
know what the application does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fallline.settings import Settings

MESSAGE_BYTES = 64 * 1024
SEND_BUFFER = 64 * 1024
UNACKNOWLEDGED_MS = 10_000
KEEPALIVE_SECONDS = 5.0
FAREWELL_SECONDS = 1.0
"""How long a peer has to take what is left for it once the connection is to end."""

REQUEST_SECONDS = 10.0
"""How long the first request of a connection may take to arrive, without its body."""

GRACE_SECONDS = 2
"""How long requests at work may take to end after SIGTERM; with the farewell before it, the exit comes within 3 s."""

log = logging.getLogger("fallline.web")


class CannotListen(Exception):
    """The address or port is not to be had; the text says why, in one line."""


class ImpatientHttp(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """HTTP, without those who connect and then do not say what they want."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        # A connection that became a socket has another protocol by now, with deadlines of its own.
        if self.cycle is None and self.transport.get_protocol() is self:
            self.transport.close()


class AbortingWebSocket(WebSocketsSansIOProtocol):
    """The socket's protocol, whose end does not wait for a peer that does not read."""

    close_timeout: float

    def abort_soon(self) -> None:
        """Give the peer a last moment to drain, then drop the connection and what it has not taken."""
        self.loop.call_later(FAREWELL_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        super().shutdown()
        self.abort_soon()

    async def run_asgi(self) -> None:
        # uvicorn would wait 10 s for the peer's answer to our close frame.
        self.close_timeout = FAREWELL_SECONDS
        await super().run_asgi()
        self.abort_soon()


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
