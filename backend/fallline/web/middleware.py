"""ASGI middleware around all routes, which it does not know.

It applies what trusted proxies say, charges clients for the event loop's time, and checks Host and Origin. It adds
security headers. It answers OPTIONS, HEAD and 405 of each URL, and 500 for unexpected exceptions. HEAD is served as
GET without its body. The framework's own 405 lists only the methods of the first matching route.

Sources: OWASP ASVS 5.0 (V3.4, V3.5, V4.4), OWASP WebSocket Security Cheat Sheet. Plotly needs the style rules of the
policy; it needs no looser script rule.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
import time
import types
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from fallline.execution.full_collections import full_collections, thread_seconds
from fallline.realtime.limits import Refusals
from fallline.services.lab import Lab
from fallline.settings import usable_base_path
from fallline.vocabulary.errors import FalllineError
from fallline.web.base_path import here, log_ignored, under
from fallline.web.errors import ForeignOrigin, Internal, MethodNotAllowed, UnknownHost, problem_response
from fallline.web.requests import address_of

log = logging.getLogger("fallline.web")

Table = list[tuple[re.Pattern[str], frozenset[str]]]


def table_of(paths: Mapping[str, Iterable[str]]) -> Table:
    """Return URL patterns with their methods, including HEAD and OPTIONS.

    Fixed URLs come first.
    """
    return [
        (compile_path(path)[0], _with_implied(frozenset(paths[path])))
        for path in sorted(paths, key=lambda path: path.count("{"))
    ]


def _with_implied(methods: frozenset[str]) -> frozenset[str]:
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else frozenset())


def path_of(scope: Scope) -> str:
    """Return the path of a request below the base path; empty for the base path without a final slash."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class Methods:
    """ASGI middleware with a table of URLs; other URLs pass through."""

    def __init__(self, app: ASGIApp, table: Table) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self._methods(path_of(scope)) if scope["type"] == "http" else None
        if methods is None:
            await self._app(scope, receive, send)
            return
        allowed = ", ".join(sorted(methods))
        if scope["method"] not in methods:
            await problem_response(MethodNotAllowed(allowed))(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"Allow": allowed})(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._app(scope, receive, send)

    def _methods(self, path: str) -> frozenset[str] | None:
        return next((methods for pattern, methods in self._table if pattern.match(path)), None)


def _without_body(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending


class LastResort:
    """ASGI middleware that answers unexpected exceptions with 500.

    The log has the exception under the instance id of the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return
        except Exception:
            error = Internal.new()
            log.exception("%s: unexpected exception", error.instance)
            if started:
                raise
            await problem_response(error)(scope, receive, send)


# ---------------------------------------------------------------------- hosts, origins and headers

NO_FRAMES = "frame-ancestors 'none'"

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
        NO_FRAMES,
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

EMBEDDED = re.compile(rb"(?:[^&]*&)*embed=[a-z_,%0-9A-F]+(?:&.*)?")
"""The query of a page that shows charts only. The page accepts further spellings of `embed`."""


def headers_in_frames(origins: Iterable[str]) -> dict[str, str]:
    """Return the headers of a page that pages of these origins may frame."""
    policy = CONTENT_SECURITY_POLICY.replace(NO_FRAMES, f"frame-ancestors {' '.join(origins)}")
    others = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}
    return {**others, "Content-Security-Policy": policy}


def is_embedded(scope: Scope) -> bool:
    """Return whether a request is for the page with charts only."""
    return path_of(scope) == "/" and EMBEDDED.fullmatch(scope["query_string"]) is not None


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


LOCAL_NAME = re.compile(r"[a-z0-9-]+\.local", re.ASCII)
"""A name of multicast DNS (RFC 6762). Only machines in the same network can give one a meaning."""


def is_own_host(host: str | None, names: Iterable[str], *, takes_local_names: bool = False) -> bool:
    """Return whether a Host header names this server.

    An IP address always does: DNS rebinding needs a name. A server that listens in the network also takes any name of
    that network. An attacker who makes such a name point here can open the server anyway.
    """
    match = _HOST.fullmatch((host or "").lower())
    if match is None:
        return False
    name = match["name"]
    if takes_local_names and LOCAL_NAME.fullmatch(name):
        return True
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

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        frame_ancestors: Iterable[str] = (),
        *,
        takes_local_names: bool = False,
    ) -> None:
        self._app = app
        self._takes_local_names = takes_local_names
        self._hosts = machine_names() | frozenset(hosts)
        self._origins = frozenset(origins)
        frames = tuple(frame_ancestors)
        self._embedded = headers_in_frames(frames) if frames else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        refusal = self._refusal(scope)
        headers = self._embedded if refusal is None and is_embedded(scope) else HEADERS

        async def sending(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                _add_headers(message, headers, secure=_scheme(scope) == "https")
            await send(message)

        if refusal is None:
            await self._app(scope, receive, sending)
        else:
            await _refuse(refusal, scope, receive, sending)

    def _refusal(self, scope: Scope) -> FalllineError | None:
        headers = Headers(scope=scope)
        host = headers.get("host")
        is_own = is_own_host(host, self._hosts, takes_local_names=self._takes_local_names)
        if len(headers.getlist("host")) != 1 or not is_own:
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


def _add_headers(message: Message, added: Mapping[str, str], *, secure: bool) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in added.items():
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


# ---------------------------------------------------------------------- proxies and the base path

MOST_LOGGED = 16
"""Different prefixes that are logged as ignored."""


class Forwarded:
    """ASGI middleware that sets client, scheme and base path from trusted proxies, and the base path of the setting.

    The setting wins. A proxy may strip the base path from requests or not: routes see the path below it, since
    `root_path` of ASGI is the base path.
    """

    def __init__(self, app: ASGIApp, proxies: Iterable[str] = (), base: str = "") -> None:
        forwarded = ProxyHeadersMiddleware(app, list(proxies))  # type: ignore[arg-type]
        self._app: ASGIApp = forwarded  # type: ignore[assignment]
        self._proxies = forwarded.trusted_hosts
        self._base = base
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        base = self._base or self._forwarded(scope)
        if not base:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path != base and not path.startswith(f"{base}/"):
            path = base + path
        with under(base):
            await self._app({**scope, "path": path, "root_path": base}, receive, send)

    def _forwarded(self, scope: Scope) -> str:
        client = scope.get("client")
        prefixes = [value for name, value in scope["headers"] if name == b"x-forwarded-prefix"]
        if not prefixes or (client[0] if client else None) not in self._proxies:
            return ""
        prefix = b", ".join(prefixes).decode("latin-1").strip()
        base = usable_base_path(prefix)
        if base is None and prefix not in self._logged and len(self._logged) < MOST_LOGGED:
            self._logged.add(prefix)
            log_ignored("X-Forwarded-Prefix", prefix)
        return base or ""


class FinalSlash:
    """ASGI middleware that redirects the base path to the page, whose relative URLs need its final slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or path_of(scope) or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        await RedirectResponse(here("/") + (f"?{query}" if query else ""))(scope, receive, send)


# ---------------------------------------------------------------------- the event loop's time

CHARGED_SECONDS = 0.005
"""Time after which a long response is charged before its end."""

T = TypeVar("T")


@types.coroutine
def timed(work: Coroutine[Any, Any, T], charge: Callable[[float], None]) -> Generator[Any, Any, T]:
    """Await `work`, and call `charge` with the seconds that this thread worked on it.

    Other tasks and threads that it waits for are not part of them, nor full garbage collections.
    """
    spent, go_on = 0.0, partial(work.send, None)
    try:
        while True:
            began = thread_seconds() - full_collections.seconds
            try:
                waits_for = go_on()
            except StopIteration as end:
                return cast(T, end.value)
            finally:
                spent += thread_seconds() - full_collections.seconds - began
            if spent >= CHARGED_SECONDS:
                charge(spent)
                spent = 0.0
            try:
                go_on = partial(work.send, (yield waits_for))
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:  # for the work, such as its cancellation
                go_on = partial(work.throw, error)
    finally:
        charge(spent)


async def charged(work: Coroutine[Any, Any, T], charge: Callable[[float], None]) -> T:
    """Do what `timed` does, for a task."""
    return await timed(work, charge)


class Charged:
    """ASGI middleware that charges senders for their requests, and holds floods of refusals.

    It knows a sender by the owner key and the address, as trusted proxies report it.
    """

    def __init__(self, app: ASGIApp, lab: Lab, refusals_per_second: float) -> None:
        self._app = app
        self._lab = lab
        self._refusals = Refusals(refusals_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        owner = Headers(scope=scope).get("fallline-owner")
        address = address_of(scope["client"][0] if scope["client"] else None)
        share = self._lab.share_of(owner, address)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                await asyncio.sleep(self._refusals.count(share, time.monotonic()))
            await send(message)

        work = cast(Coroutine[Any, Any, None], self._app(scope, receive, sending))
        await timed(work, partial(self._lab.charge, share))
