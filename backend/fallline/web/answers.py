"""Answers and frames as JSON text, encoded so that large ones do not block the event loop.

An encoder holds the interpreter lock during each call, in any thread. So large answers are encoded in pieces, in a
thread. Pydantic's encoder takes a tenth of the time of Python's. A frame is encoded once for all readers, and numbered
for each. Must not know the contents of an answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import ConfigDict, TypeAdapter
from starlette.responses import Response

from fallline.realtime.frames import Frame
from fallline.realtime.session import NumberedFrame
from fallline.services.views import Views

# by default Pydantic writes null for NaN, and nobody would see it
_FAST = TypeAdapter[Any](Any, config=ConfigDict(ser_json_inf_nan="constants"))
_STRICT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def text_of(value: Any) -> str:
    """Encode a value as compact JSON. Raises ValueError for NaN and infinities."""
    text = _FAST.dump_json(value).decode()
    if "NaN" in text or "Infinity" in text:  # as numbers, which Pydantic lets pass, or in words
        return _STRICT.encode(value)
    return text


AT_ONCE = 10_000
"""Most entries of a piece, in all its objects and lists: they take about 1 ms."""


def piecewise(value: Any) -> str:
    """Encode a value in pieces; the text is the same."""
    return "".join(_pieces(value))


def _is_small(value: Any) -> bool:
    """Return whether a value has at most `AT_ONCE` entries. A list has containers only if its first entry is one."""
    entries, containers = 0, [value]
    while containers:
        one = containers.pop()
        if not isinstance(one, dict | list):
            continue
        entries += len(one)
        if entries > AT_ONCE:
            return False
        if isinstance(one, dict):
            containers.extend(one.values())
        elif one and isinstance(one[0], dict | list):
            containers.extend(one)
    return True


def _pieces(value: Any) -> Iterator[str]:
    if _is_small(value):
        yield text_of(value)
    elif isinstance(value, dict):
        live = "{"
        for name, item in value.items():
            yield f"{live}{text_of(name)}:"
            yield from _pieces(item)
            live = ","
        yield "}"
    elif isinstance(value, list) and isinstance(value[0], dict | list):
        live = "["
        for item in value:
            yield live
            yield from _pieces(item)
            live = ","
        yield "]"
    else:
        yield text_of(value)


async def large(views: Views, id: str, make: Callable[[], Any]) -> Response:
    """Return the result of `make()` as JSON, made in a thread in the experiment's turn. Raises TooManyRequests."""
    text = await views.beside(id, lambda: piecewise(make()))
    return Response(text, media_type="application/json")


async def large_with_cost(value: Any, report: Callable[[float], None]) -> Response:
    """Return a value as JSON, and report the processor seconds of encoding. A large value is encoded in a thread."""

    def encode(by: Callable[[Any], str]) -> tuple[str, float]:
        start = time.thread_time()
        text = by(value)
        return text, time.thread_time() - start

    text, seconds = encode(text_of) if _is_small(value) else await asyncio.to_thread(encode, piecewise)
    report(seconds)
    return Response(text, media_type="application/json")


# ---------------------------------------------------------------------- frames

LONG = 0.003
"""Seconds of encoding from which on it happens in a thread, so that it does not block the event loop."""

Encoded = tuple[str, bytes | None]
"""The text of a frame without its number, and the bytes of binary columns."""

_ENCODED: WeakKeyDictionary[Frame, asyncio.Future[Encoded]] = WeakKeyDictionary()
"""Each frame encoded, as long as a reader may need it."""


async def parts_of_frame(numbered: NumberedFrame) -> tuple[str, str, bytes | None]:
    """Return the message in parts: this socket's head, and the shared text and bytes."""
    encoded = _ENCODED.get(numbered.frame)
    if encoded is None:
        encoded = _ENCODED[numbered.frame] = _encoded(numbered.frame)
    # Shielded: a reader who hangs up must not cancel it for the others.
    rest, data = await asyncio.shield(encoded)
    return f'{{"type":"frame","frame":{numbered.number},', rest, data


def _encoded(frame: Frame) -> asyncio.Future[Encoded]:
    if frame.encoding_seconds < LONG:
        future = asyncio.get_running_loop().create_future()
        future.set_result(encode_frame(frame))
        return future
    return asyncio.ensure_future(asyncio.to_thread(encode_frame, frame, piecewise))


def encode_frame(frame: Frame, encode: Callable[[Any], str] = text_of) -> Encoded:
    """Return the text after the number, and the bytes."""
    if not frame.is_binary:
        return encode(frame.message())[1:], None
    runs, data = frame.binary_runs()
    texts = (
        f'{text_of(run)}:{text_of(header)[:-1]},"columns":{columns}}}'
        for run, (header, columns) in runs.items()
    )
    return f'"experiment":{text_of(frame.experiment)},"runs":{{{",".join(texts)}}}}}', data
