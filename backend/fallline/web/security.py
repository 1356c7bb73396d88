"""Security headers, and the checks of Host and Origin.

Must not know the routes.

Sources: OWASP ASVS 5.0 (V3.4, V3.5, V4.4), OWASP WebSocket Security Cheat Sheet. Plotly needs the style rules of the
policy; it needs no looser script rule.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fallline.vocabulary.errors import FalllineError
from fallline.web.errors import ForeignOrigin, UnknownHost, problem_response

# The hash belongs to the empty string: Plotly adds an empty style element and fills it through the CSSOM.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self' blob:",
        "style-src-elem 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "style-src-attr 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)

_FEATURES = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
    "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}
"""Headers of every response."""

STRICT_TRANSPORT = "max-age=63072000; includeSubDomains"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})
DEFAULT_PORTS = {"http": ":80", "https": ":443"}

FURTHER_HOSTS = "use a name or address of this server; the setting FALLLINE_HOSTS adds names"
FURTHER_ORIGINS = (
    "use the page of this server; the setting FALLLINE_ORIGINS allows other origins. "
    "Behind an HTTPS proxy, put its address into FALLLINE_PROXIES"
)

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?P<port>:[0-9]{1,5})?", re.ASCII)


def machine_names() -> frozenset[str]:
    """Return the host names of this machine."""
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, name.split(".")[0], f"{name.split('.')[0]}.local"})


def is_own_host(host: str | None, names: Iterable[str]) -> bool:
    """Return whether a Host header names this server.

    An IP address always does: DNS rebinding needs a name.
    """
    match = _HOST.fullmatch((host or "").lower())
    if match is None:
        return False
    name = match["name"]
    return name in names or "*" in names or _is_address(name.strip("[]"))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_own_origin(origin: str, scheme: str, host: str | None, further: Iterable[str]) -> bool:
    """Return whether `origin` is this server's, or one of `further`.

    The server was reached by `scheme` as `host`. The comparison is exact: no suffix, no wildcard.
    """
    if origin in further:
        return True
    own, separator, authority = origin.partition("://")
    if not separator or own != scheme or urlsplit(origin).netloc != authority:
        return False
    default = DEFAULT_PORTS[scheme]
    return bool(authority) and authority.removesuffix(default) == (host or "").lower().removesuffix(default)


class Guard:
    """ASGI middleware that refuses foreign hosts and origins.

    It adds the headers to every response.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = machine_names() | frozenset(hosts)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                _add_headers(message, secure=_scheme(scope) == "https")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, sending)
        else:
            await _refuse(refusal, scope, receive, sending)

    def _refusal(self, scope: Scope) -> FalllineError | None:
        headers = Headers(scope=scope)
        host = headers.get("host")
        if len(headers.getlist("host")) != 1 or not is_own_host(host, self._hosts):
            return UnknownHost(FURTHER_HOSTS)
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        origins = headers.getlist("origin")
        if unsafe and not (
            len(origins) <= 1
            and all(is_own_origin(one, _scheme(scope), host, self._origins) for one in origins)
        ):
            return ForeignOrigin(FURTHER_ORIGINS)
        return None


def _scheme(scope: Scope) -> str:
    """Return the scheme of the page that a request or a socket belongs to."""
    return "https" if scope["scheme"] in ("https", "wss") else "http"


def _add_headers(message: Message, *, secure: bool) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-store")
    if secure:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT


async def _refuse(error: FalllineError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    # Starlette's responses can answer a handshake: before it is accepted it is an HTTP request.
    await problem_response(error)(scope, receive, send)
