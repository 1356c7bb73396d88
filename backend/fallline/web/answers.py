"""Answers as JSON text, made so that large ones do not hold up the event loop.

Python's encoder holds the interpreter for as long as one call lasts, in whichever thread: so large answers are encoded
list by list, in a thread. Must not know what is in an answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.responses import JSONResponse, Response

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def text_of(value: Any) -> str:
    """The value as compact JSON; ValueError for NaN and infinities, which must not have come this far."""
    return _ENCODER.encode(value)


def piecewise(value: Any) -> str:
    """The same text, encoded list by list."""
    return "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        opening = "{"
        for name, item in value.items():
            yield f"{opening}{_ENCODER.encode(name)}:"
            yield from _pieces(item)
            opening = ","
        yield "}"
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        opening = "["
        for item in value:
            yield opening
            yield from _pieces(item)
            opening = ","
        yield "]"
    else:
        yield _ENCODER.encode(value)


class Answer(JSONResponse):
    """A JSON answer."""

    def render(self, content: Any) -> bytes:
        return text_of(content).encode()


Beside = Callable[[Callable[[], str]], Awaitable[str]]
"""Has a text made in a thread."""


async def large(make: Callable[[], Any], beside: Beside) -> Response:
    """The JSON answer of what `make()` gives, made and encoded `beside` the event loop."""
    return Response(await beside(lambda: piecewise(make())), media_type="application/json")


async def large_with_cost(value: Any, took: Callable[[float], None]) -> Response:
    """The same of a value; `took` is told how many seconds of a processor it was encoded."""

    def encoded() -> tuple[str, float]:
        began = time.thread_time()
        text = piecewise(value)
        return text, time.thread_time() - began

    text, seconds = await asyncio.to_thread(encoded)
    took(seconds)
    return Response(text, media_type="application/json")
