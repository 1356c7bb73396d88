"""Routes of the server itself: liveness, readiness, its addresses for others, and QR codes for links on phones.

The text of a QR code is not stored or logged.
"""

from __future__ import annotations

import asyncio
import io
import platform
from functools import partial
from typing import Annotated, Any

import numpy as np
import segno
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fallline import __version__
from fallline.vocabulary.answers import Addresses, Health, Readiness
from fallline.vocabulary.errors import FieldError, InvalidRequest, Unavailable
from fallline.vocabulary.strict import StrictModel
from fallline.web.openapi import problem
from fallline.web.requests import Address, Owner, StrictRoute, TheLab
from fallline.web.server_urls import is_own_machine

router = APIRouter(route_class=StrictRoute)

MOST_BYTES = 2_953
"""Capacity of the largest code, version 40 with error correction L, in bytes (ISO/IEC 18004:2015, table 7)."""

QUIET_ZONE = 4
"""Width of the white margin in modules (ISO/IEC 18004:2015, section 6.3.8)."""


@router.get("/healthz", tags=["health"], response_model=Health)
async def healthz(lab: TheLab) -> dict[str, Any]:
    """Report that the process is alive, with versions and the kernel in use."""
    versions = {"version": __version__, "python": platform.python_version(), "numpy": np.__version__}
    return {"status": "ok", **versions, **lab.health()}


@router.get("/readyz", tags=["health"], response_model=Readiness, responses={503: problem(503)})
async def readyz(request: Request, lab: TheLab) -> dict[str, Any]:
    """Report whether worker, store and event loop answer and changes can be stored."""
    if not request.app.state.is_ready:
        raise Unavailable("the server is starting or stopping: retry", retry_after=2)
    return {"status": "ready", **await lab.ready()}


@router.get("/api/v1/addresses", tags=["share"], response_model=Addresses)
async def addresses(request: Request) -> dict[str, Any]:
    """Return the URLs at which other machines reach the server, to a page on its own machine."""
    announcement, client = request.app.state.server_urls, request.client
    if announcement is None or not is_own_machine(
        client.host if client else None, request.headers.get("host"), announcement.port
    ):
        return {"addresses": []}
    # Reads the machine's interfaces, and may ask its resolver.
    return {"addresses": await asyncio.to_thread(announcement.urls)}


class QrText(StrictModel):
    """The text of a QR code."""

    text: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)]


class Svg(Response):
    """A drawing."""

    media_type = "image/svg+xml"


@router.post("/api/v1/qr", tags=["share"], response_class=Svg)
async def qr(payload: QrText, owner: Owner, address: Address, lab: TheLab) -> Svg:
    """Return a text of at most 2,953 bytes as a QR code in SVG.

    The text comes in the body, not in the URL, so that no log has it.
    """
    if len(payload.text.encode()) > MOST_BYTES:
        raise InvalidRequest(FieldError("/text", f"must have at most {MOST_BYTES:,} bytes in UTF-8"))
    return Svg(await lab.draw(partial(draw, payload.text), owner=owner, address=address))


def draw(text: str) -> bytes:
    """Draw the code in black on white, as an SVG without a fixed size."""
    code = segno.make_qr(text, error="L", mode="byte", encoding="utf-8", boost_error=False)
    out = io.BytesIO()
    code.save(out, kind="svg", border=QUIET_ZONE, light="#fff", xmldecl=False, omitsize=True, nl=False)
    return out.getvalue()
