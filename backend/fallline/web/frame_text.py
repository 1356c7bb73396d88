"""Frames as text: encoded once for all readers who are told the same, and numbered for each.

Must not know which readers these are (`realtime.frames`), nor how text travels.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from fallline.realtime.frames import Frame
from fallline.realtime.session import NumberedFrame
from fallline.web.answers import piecewise, text_of

LONG = 0.003
"""Seconds of encoding beyond which it happens in a thread, lest it hold up the event loop."""

_ENCODED: WeakKeyDictionary[Frame, asyncio.Future[str]] = WeakKeyDictionary()
"""What every frame says but for its number, for as long as somebody may still come for it."""


async def parts_of_frame(numbered: NumberedFrame) -> tuple[str, str]:
    """The message in two parts: the head of this socket, and the text that all its readers share."""
    encoded = _ENCODED.get(numbered.frame)
    if encoded is None:
        encoded = _ENCODED[numbered.frame] = _encoded(numbered.frame)
    # A reader who hangs up meanwhile must not take it from the others.
    rest = await asyncio.shield(encoded)
    return f'{{"type":"frame","frame":{numbered.number},', rest


def _encoded(frame: Frame) -> asyncio.Future[str]:
    """The text behind the number."""
    if frame.encoding_seconds < LONG:
        made = asyncio.get_running_loop().create_future()
        made.set_result(text_of(frame.message())[1:])
        return made
    return asyncio.ensure_future(asyncio.to_thread(lambda: piecewise(frame.message())[1:]))
