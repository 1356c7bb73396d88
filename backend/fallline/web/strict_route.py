"""The class of all routes: query and body are bounded and parsed strictly, before FastAPI validates them.

FastAPI would parse queries and bodies of any size, accept NaN, and use the last of repeated keys. A body is JSON with
any Content-Type, so that `curl -d '{"steps": 5}'` works; forms of foreign pages are refused by their Origin. Uploads
must declare their content type.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any, TypeAlias, cast

from fastapi import Request
from fastapi.params import Body
from fastapi.routing import APIRoute
from starlette.responses import Response

from fallline.runs.checks.bounds import BOUNDS
from fallline.vocabulary.errors import TooLarge
from fallline.web.errors import TooSlow, UnsupportedMediaType
from fallline.web.queries import check_query
from fallline.web.strict_json import parse_object

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
JSON, CSV, NPZ = "application/json", "text/csv", "application/octet-stream"
BYTES = {JSON: BODY_BYTES, CSV: int(BOUNDS["csv_bytes"]), NPZ: int(BOUNDS["npz_bytes"])}
"""Limit on a body by its media type."""

UNICODE = frozenset({"utf-8", "utf8", "us-ascii"})


class StrictRoute(APIRoute):
    """A route with a bounded query, and a bounded body that is strict JSON or a declared upload.

    Its answer has only the fields that the handler returned.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "response_model_exclude_unset": True})

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        media_type = None if self.body_field is None else cast(Body, self.body_field.field_info).media_type

        async def check_and_handle(request: Request) -> Response:
            if query := request.scope["query_string"]:
                check_query(query)
            if media_type is None:
                return await handle(request)
            if media_type == JSON:
                return await handle(_WithBody(request, parse_object(await read(request))))
            _check_declared(request, media_type)
            return await handle(_WithBody(request, await read(request, BYTES[media_type])))

        return check_and_handle


class _WithBody(Request):
    """A request whose body has been read. FastAPI validates its value as parsed JSON, for any content type."""

    def __init__(self, request: Request, value: Any) -> None:
        headers = [header for header in request.scope["headers"] if header[0] != b"content-type"]
        super().__init__({**request.scope, "headers": headers}, request.receive)
        self._value = value

    async def body(self) -> bytes:
        return b"{}"  # FastAPI does not ask for the value of an empty body

    async def json(self) -> Any:
        return self._value


async def read(request: Request, limit: int = BODY_BYTES) -> bytes:
    """Return the raw body. Raises TooLarge as early as possible, and TooSlow."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise TooSlow(f"the body must arrive within {BODY_SECONDS:g} s") from None
    return bytes(body)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body must have at most {limit:,} bytes")


def _check_declared(request: Request, media_type: str) -> None:
    """Raise UnsupportedMediaType unless the request declares this type, and text in UTF-8."""
    declared = Message()
    declared["content-type"] = request.headers.get("content-type", "")
    if declared.get_content_type() != media_type or declared.get_content_charset("utf-8") not in UNICODE:
        raise UnsupportedMediaType(
            media_type, f"send the file with the header Content-Type: {media_type}; text must be in UTF-8"
        )
