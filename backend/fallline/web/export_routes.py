"""The route of exported files. Must not know how a file is made."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from fallline.exports.table import EXPORTS
from fallline.web.openapi import content
from fallline.web.queries import OfRun
from fallline.web.requests import StrictRoute, TheLab

router = APIRouter(prefix="/api/v1/experiments/{id}/export", tags=["exports"], route_class=StrictRoute)


_FILES = content(*(row.media_type for row in EXPORTS.values()))


@router.get("/{file}", responses=_FILES, response_class=Response)
async def export(id: str, file: str, query: OfRun, lab: TheLab) -> Response:
    """Export the data of an experiment as a file.

    The files are recipe.json, history.csv, history.json, parameters.npz, report.html, script.py and notebook.ipynb.
    With `run` the file has one run. Without it, it has all runs; a script or notebook has the first.
    """
    result = await lab.views.export(id, file, query.run)
    headers = {"Content-Disposition": f'attachment; filename="{result.name}"'}
    if isinstance(result.content, bytes):
        return Response(result.content, media_type=result.media_type, headers=headers)
    pieces = lab.views.pieces(id, result.content)
    return StreamingResponse(pieces, media_type=result.media_type, headers=headers)
