"""A text as a QR code: a link for the phones of a room. Must not know what the text says, nor write it down."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.strict import StrictModel
from fallline.web.bodies import body_of
from fallline.web.openapi import answers_of

MOST_BYTES = 2_953
"""What the largest code, version 40 with error correction L, holds in bytes (ISO/IEC 18004:2015, table 7)."""

QUIET_ZONE = 4
"""Modules of white around the code; readers need so many (the same, section 6.3.8)."""


class QrText(StrictModel):
    """What a QR code is to say."""

    text: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)]


router = APIRouter(prefix="/api/v1", tags=["share"])

_RESPONSES = answers_of(413, 422)
_RESPONSES[200]["content"] = {"image/svg+xml": {"schema": {"type": "string"}}}
_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": QrText.model_json_schema()}},
}


@router.post("/qr", responses=_RESPONSES, response_class=Response, openapi_extra={"requestBody": _BODY})
async def qr(asked: Annotated[QrText, Depends(body_of(QrText))], request: Request) -> Response:
    """The text as a QR code in SVG, at most 2,953 bytes of it.

    It comes in a body and not in the address, so that no log holds it.
    """
    if len(asked.text.encode()) > MOST_BYTES:
        raise InvalidRequest(FieldError("/text", f"at most {MOST_BYTES:,} bytes fit into a QR code"))
    # The largest takes a quarter of a second of plain Python: one at a time, beside the event loop.
    async with request.app.state.drawing:
        return Response(await asyncio.to_thread(drawn, asked.text), media_type="image/svg+xml")


def drawn(text: str) -> bytes:
    """The code as an SVG without a size of its own: black modules on white, whatever the page's theme."""
    code = segno.make_qr(text, error="L", mode="byte", encoding="utf-8", boost_error=False)
    out = io.BytesIO()
    code.save(out, kind="svg", border=QUIET_ZONE, light="#fff", xmldecl=False, omitsize=True, nl=False)
    return out.getvalue()
