"""Which methods an address takes: answers OPTIONS, serves HEAD as a GET without its body, refuses the rest with 405.

The framework's own 405 lists only the methods of the first route it finds. Must not know what the routes do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fallline.web.errors import MethodNotAllowed, problem_response

Table = list[tuple[re.Pattern[str], frozenset[str]]]


def table_of(paths: Mapping[str, Iterable[str]]) -> Table:
    """Patterns with the methods they take, GET bringing HEAD and all OPTIONS; fixed addresses come first."""
    return [
        (compile_path(path)[0], _with_implied(frozenset(paths[path])))
        for path in sorted(paths, key=lambda path: path.count("{"))
    ]


def _with_implied(methods: frozenset[str]) -> frozenset[str]:
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else frozenset())


class Methods:
    """ASGI middleware over a table of addresses; what the table does not know passes through."""

    def __init__(self, app: ASGIApp, table: Table) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = self._taken(scope["path"]) if scope["type"] == "http" else None
        if taken is None:
            await self._app(scope, receive, send)
            return
        allowed = ", ".join(sorted(taken))
        if scope["method"] not in taken:
            await problem_response(MethodNotAllowed(allowed))(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"Allow": allowed})(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._app(scope, receive, send)

    def _taken(self, path: str) -> frozenset[str] | None:
        return next((methods for pattern, methods in self._table if pattern.match(path)), None)


def _without_body(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending
