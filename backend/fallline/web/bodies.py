"""Request bodies: read within limits, parsed strictly, and validated.

The framework's parser is not used: it accepts bodies of any size and NaN, and repeats rejected values. A body is JSON
with any Content-Type, so that `curl -d '{"steps": 5}'` works; forms of foreign pages are refused by their Origin.
Uploads must declare their content type.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from fallline.runs.checks.bounds import BOUNDS
from fallline.vocabulary.errors import TooLarge
from fallline.web.errors import TooSlow, UnsupportedMediaType
from fallline.web.strict_json import parse_object
from fallline.web.validation_messages import invalid

M = TypeVar("M", bound=BaseModel)

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
NPZ_BYTES = int(BOUNDS["npz_bytes"])
CSV_BYTES = int(BOUNDS["csv_bytes"])
NPZ_KIND = "application/octet-stream"
UNICODE = frozenset({"utf-8", "utf8", "us-ascii"})


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


async def csv_of(request: Request) -> bytes:
    """Return the raw body of a CSV.

    Raises UnsupportedMediaType unless the request declares CSV in UTF-8.
    """
    kind, *parameters = (part.strip() for part in request.headers.get("content-type", "").lower().split(";"))
    charsets = [
        part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")
    ]
    if kind != "text/csv" or not UNICODE.issuperset(charsets):
        raise UnsupportedMediaType(
            "text/csv", "send the table in UTF-8 with the header Content-Type: text/csv"
        )
    return await read(request, CSV_BYTES)


async def npz_of(request: Request) -> bytes:
    """Return the raw body of an .npz.

    Raises UnsupportedMediaType unless the request declares binary content.
    """
    kind = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if kind != NPZ_KIND:
        raise UnsupportedMediaType(NPZ_KIND, f"send the .npz with the header Content-Type: {NPZ_KIND}")
    return await read(request, NPZ_BYTES)


def checked(model: type[M], body: dict[str, Any]) -> M:
    """Validate a body against a model. Raises InvalidRequest."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid(error, body) from None


def body_of(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """Return a dependency that parses the body into the model; an empty body is `{}`."""

    async def body(request: Request) -> M:
        return checked(model, parse_object(await read(request)))

    return body
