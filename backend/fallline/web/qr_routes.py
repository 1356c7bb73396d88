"""The route of QR codes, for links on phones. The text is not stored or logged."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated

import segno
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.strict import StrictModel
from fallline.web.requests import StrictRoute

MOST_BYTES = 2_953
"""Capacity of the largest code, version 40 with error correction L, in bytes (ISO/IEC 18004:2015, table 7)."""

QUIET_ZONE = 4
"""Width of the white margin in modules (ISO/IEC 18004:2015, section 6.3.8)."""


class QrText(StrictModel):
    """The text of a QR code."""

    text: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)]


class Svg(Response):
    """A drawing."""

    media_type = "image/svg+xml"


router = APIRouter(prefix="/api/v1", tags=["share"], route_class=StrictRoute)


@router.post("/qr", response_class=Svg)
async def qr(payload: QrText, request: Request) -> Svg:
    """Return a text of at most 2,953 bytes as a QR code in SVG.

    The text comes in the body, not in the URL, so that no log has it.
    """
    if len(payload.text.encode()) > MOST_BYTES:
        raise InvalidRequest(FieldError("/text", f"must have at most {MOST_BYTES:,} bytes in UTF-8"))
    # The largest takes a quarter of a second of plain Python: one at a time, beside the event loop.
    async with request.app.state.drawing:
        return Svg(await asyncio.to_thread(draw, payload.text))


def draw(text: str) -> bytes:
    """Draw the code in black on white, as an SVG without a fixed size."""
    code = segno.make_qr(text, error="L", mode="byte", encoding="utf-8", boost_error=False)
    out = io.BytesIO()
    code.save(out, kind="svg", border=QUIET_ZONE, light="#fff", xmldecl=False, omitsize=True, nl=False)
    return out.getvalue()
