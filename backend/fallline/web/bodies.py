"""Bodies of requests: read with a limit in size and time, parsed strictly, checked against the vocabulary.

The framework's own reading is not used: it takes bodies of any size and NaN, and repeats what came in. The body is JSON
whatever Content-Type says, so that `curl -d '{"steps": 5}'` works; what a foreign page might send with a form is
refused by its Origin. Files are the exception: what is no CSV would be read as one, and misunderstood.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from fallline.runs.bounds import BOUNDS
from fallline.vocabulary.errors import TooLarge
from fallline.web.errors import TooSlow, UnsupportedMediaType
from fallline.web.plain_words import invalid
from fallline.web.strict_json import parse_object

M = TypeVar("M", bound=BaseModel)

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
NPZ_BYTES = int(BOUNDS["npz_bytes"])
CSV_BYTES = int(BOUNDS["csv_bytes"])
NPZ_KIND = "application/octet-stream"
UNICODE = frozenset({"utf-8", "utf8", "us-ascii"})


async def read(request: Request, limit: int = BODY_BYTES) -> bytes:
    """The raw body. Raises TooLarge as soon as that is known, and TooSlow when it does not end."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"a body holds at most {limit:,} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise TooLarge(f"a body holds at most {limit:,} bytes")
    except TimeoutError:
        raise TooSlow(f"a body has to arrive within {BODY_SECONDS:g} s") from None
    return bytes(body)


async def csv_of(request: Request) -> bytes:
    """The raw body of a CSV. Raises UnsupportedMediaType for what does not say that it is one, in UTF-8."""
    kind, *parameters = (part.strip() for part in request.headers.get("content-type", "").lower().split(";"))
    charsets = [
        part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")
    ]
    if kind != "text/csv" or not UNICODE.issuperset(charsets):
        raise UnsupportedMediaType("text/csv", "send the table as Content-Type: text/csv, in UTF-8")
    return await read(request, CSV_BYTES)


async def npz_of(request: Request) -> bytes:
    """The raw body of an .npz. Raises UnsupportedMediaType for what does not say that it is a file of bytes."""
    kind = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if kind != NPZ_KIND:
        raise UnsupportedMediaType(NPZ_KIND, f"send the .npz as Content-Type: {NPZ_KIND}")
    return await read(request, NPZ_BYTES)


def checked(model: type[M], body: dict[str, Any]) -> M:
    """The body as the model says it. Raises InvalidRequest."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid(error, body) from None


def body_of(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """A dependency that gives the request's body as the model; no body at all is `{}`."""

    async def body(request: Request) -> M:
        return checked(model, parse_object(await read(request)))

    return body
