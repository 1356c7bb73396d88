"""Answers as JSON text, encoded so that large ones do not block the event loop.

Python's encoder holds the interpreter lock during each call, in any thread. So large answers are encoded list by list
in a thread. Must not know the contents of an answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.responses import Response

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def text_of(value: Any) -> str:
    """Encode a value as compact JSON. Raises ValueError for NaN and infinities."""
    return _ENCODER.encode(value)


def piecewise(value: Any) -> str:
    """Encode a value list by list; the text is the same."""
    return "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        live = "{"
        for name, item in value.items():
            yield f"{live}{_ENCODER.encode(name)}:"
            yield from _pieces(item)
            live = ","
        yield "}"
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        live = "["
        for item in value:
            yield live
            yield from _pieces(item)
            live = ","
        yield "]"
    else:
        yield _ENCODER.encode(value)


Beside = Callable[[Callable[[], str]], Awaitable[str]]
"""Runs a function in a thread and returns its text."""


async def large(make: Callable[[], Any], beside: Beside) -> Response:
    """Return the result of `make()` as JSON, made `beside` the event loop."""
    return Response(await beside(lambda: piecewise(make())), media_type="application/json")


async def large_with_cost(value: Any, report: Callable[[float], None]) -> Response:
    """Return a value as JSON, and report the processor seconds of encoding."""

    def encode() -> tuple[str, float]:
        start = time.thread_time()
        text = piecewise(value)
        return text, time.thread_time() - start

    text, seconds = await asyncio.to_thread(encode)
    report(seconds)
    return Response(text, media_type="application/json")
