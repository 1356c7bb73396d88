"""ASGI middleware: OPTIONS, HEAD and 405 of each URL, and 500 for unexpected exceptions.

HEAD is served as GET without its body. The framework's own 405 lists only the methods of the first matching route. Must
not know what the routes do.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fallline.web.errors import Internal, MethodNotAllowed, problem_response

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


class Methods:
    """ASGI middleware with a table of URLs; other URLs pass through."""

    def __init__(self, app: ASGIApp, table: Table) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self._methods(scope["path"]) if scope["type"] == "http" else None
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
