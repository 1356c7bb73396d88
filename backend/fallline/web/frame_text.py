"""Frames as text: encoded once for all readers, and numbered for each.

Must not know which readers these are (`realtime.frames`), nor how the text is sent.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from fallline.realtime.frames import Frame
from fallline.realtime.session import NumberedFrame
from fallline.web.answers import piecewise, text_of

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
