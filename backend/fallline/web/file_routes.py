"""Routes of files: uploaded tables and parameters, and exports. Must not know how they are parsed or made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import WithJsonSchema
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from fallline.exports.table import EXPORTS
from fallline.services.views import File
from fallline.vocabulary.answers import Parameters, Table
from fallline.web.base_path import here
from fallline.web.openapi import DAMAGED, DAMAGED_HEADER, LOCATION_HEADER, content
from fallline.web.queries import OfRun
from fallline.web.requests import CSV, NPZ, Address, Owner, StrictRoute, TheLab

router = APIRouter(prefix="/api/v1", route_class=StrictRoute)

_TEXT = {"type": "string", "minLength": 1}
CsvBody = Annotated[bytes, WithJsonSchema(_TEXT), Body(media_type=CSV)]
NpzBody = Annotated[bytes, WithJsonSchema({**_TEXT, "format": "binary"}), Body(media_type=NPZ)]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {**content(*(row.media_type for row in EXPORTS.values()))[200], **DAMAGED_HEADER}
}


@router.post(
    "/datasets", status_code=201, tags=["datasets"], response_model=Table, responses={201: LOCATION_HEADER}
)
async def add_table(
    owner: Owner, address: Address, body: CsvBody, lab: TheLab, response: Response
) -> dict[str, Any]:
    """Upload a table as CSV in UTF-8, with at most 5,000 rows, 32 columns and 1 MiB.

    A recipe uses it as `{"data": {"name": "csv", "dataset": id, "target": column}}`. Commas, semicolons or tabs
    separate fields. A first row of names is recognized. Rows that cannot be used are left out and listed in `skipped`,
    each with its line and reason.
    """
    added = await lab.add_table(body, owner=owner, address=address)
    response.headers["Location"] = here(f"/api/v1/datasets/{added['id']}")
    return added


@router.get("/datasets/{id}", tags=["datasets"], response_model=Table)
async def table(id: str, owner: Owner, address: Address, lab: TheLab) -> dict[str, Any]:
    """Return the columns, the number of rows and the skipped rows of a table."""
    return await lab.table(id, owner=owner, address=address)


@router.post(
    "/parameters",
    status_code=201,
    tags=["parameters"],
    response_model=Parameters,
    responses={201: LOCATION_HEADER},
)
async def add_parameters(
    owner: Owner, address: Address, body: NpzBody, lab: TheLab, response: Response
) -> dict[str, Any]:
    """Upload initial parameters as .npz, with at most 1 MiB.

    The arrays are W1, b1, W2, ..., float64 and finite, as `numpy.savez` and the export parameters.npz of one run write
    them. A recipe uses them as `{"network": {"layers": [...], "start": id}}`.
    """
    added = await lab.add_parameters(body, owner=owner, address=address)
    response.headers["Location"] = here(f"/api/v1/parameters/{added['id']}")
    return added


@router.get("/parameters/{id}", tags=["parameters"], response_model=Parameters)
async def parameters(id: str, owner: Owner, address: Address, lab: TheLab) -> dict[str, Any]:
    """Return the names and shapes of uploaded parameters."""
    return await lab.parameters(id, owner=owner, address=address)


@router.get("/experiments/{id}/export/{file}", tags=["exports"], responses=_FILES, response_class=Response)
async def export(id: str, file: str, query: OfRun, lab: TheLab) -> Response:
    """Export the data of an experiment as a file.

    The files are recipe.json, history.csv, history.json, parameters.npz, report.html, script.py and notebook.ipynb.
    With `run` the file has one run. Without it, it has all runs; a script or notebook has the first.

    A damaged experiment has only recipe.json, with its readable part. The header `Fallline-Damaged` says what cannot be
    read.
    """
    result = await lab.views.export(id, file, query.run)
    if isinstance(result.content, bytes):
        return _Download(result, _pieces(result.content), {"Content-Length": str(len(result.content))})
    return _Download(result, lab.views.pieces(id, result.content))


PIECE_BYTES = 64 * 1024
"""Bytes of a whole file that wait for a slow reader outside of its place."""


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]


class _Download(StreamingResponse):
    """A file, piece by piece. It leaves its place when its reader has it, has left, or is cut."""

    def __init__(
        self, file: File, pieces: AsyncIterator[bytes], headers: dict[str, str] | None = None
    ) -> None:
        named = {"Content-Disposition": f'attachment; filename="{file.name}"', **(headers or {})}
        if file.damage is not None:
            named[DAMAGED] = file.damage
        super().__init__(pieces, media_type=file.media_type, headers=named)
        self._place = file.place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(None) as limit:
                loop = asyncio.get_running_loop()
                self._place.cut = lambda: limit.reschedule(loop.time())
                await super().__call__(scope, receive, send)
        except TimeoutError:
            raise ClientDisconnect from None
        finally:
            self._place.cut = lambda: None
            self._place.leave()
