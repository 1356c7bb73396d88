"""Answers and frames as JSON text, encoded so that large ones do not block the event loop.

Python's encoder holds the interpreter lock during each call, in any thread. So large answers are encoded list by list
in a thread. A frame is encoded once for all readers, and numbered for each. Must not know the contents of an answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from starlette.responses import Response

from fallline.realtime.frames import Frame
from fallline.realtime.session import NumberedFrame
from fallline.services.views import Views

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


async def large(views: Views, id: str, make: Callable[[], Any]) -> Response:
    """Return the result of `make()` as JSON, made in a thread in the experiment's turn. Raises TooManyRequests."""
    text = await views.beside(id, lambda: piecewise(make()))
    return Response(text, media_type="application/json")


async def large_with_cost(value: Any, report: Callable[[float], None]) -> Response:
    """Return a value as JSON, and report the processor seconds of encoding."""

    def encode() -> tuple[str, float]:
        start = time.thread_time()
        text = piecewise(value)
        return text, time.thread_time() - start

    text, seconds = await asyncio.to_thread(encode)
    report(seconds)
    return Response(text, media_type="application/json")


# ---------------------------------------------------------------------- frames

LONG = 0.003
"""Seconds of encoding from which on it happens in a thread, so that it does not block the event loop."""

_ENCODED: WeakKeyDictionary[Frame, asyncio.Future[str]] = WeakKeyDictionary()
"""The text of each frame without its number, as long as a reader may need it."""


async def parts_of_frame(numbered: NumberedFrame) -> tuple[str, str]:
    """Return the message in two parts: this socket's head, and the shared text."""
    encoded = _ENCODED.get(numbered.frame)
    if encoded is None:
        encoded = _ENCODED[numbered.frame] = _encoded(numbered.frame)
    # Shielded: a reader who hangs up must not cancel it for the others.
    rest = await asyncio.shield(encoded)
    return f'{{"type":"frame","frame":{numbered.number},', rest


def _encoded(frame: Frame) -> asyncio.Future[str]:
    """Return the text after the number."""
    if frame.encoding_seconds < LONG:
        future = asyncio.get_running_loop().create_future()
        future.set_result(text_of(frame.message())[1:])
        return future
    return asyncio.ensure_future(asyncio.to_thread(lambda: piecewise(frame.message())[1:]))
