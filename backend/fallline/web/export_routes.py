"""The route of exported files. Must not know how a file is made."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from fallline.exports.table import EXPORTS
from fallline.web.dependencies import TheLab
from fallline.web.openapi import answers_of
from fallline.web.queries import OfRun

router = APIRouter(prefix="/api/v1/experiments/{id}/export", tags=["exports"])


def _schema(media_type: str) -> dict[str, str]:
    if media_type.endswith("json"):
        return {"type": "object"}
    if media_type.startswith("text/"):
        return {"type": "string"}
    return {"type": "string", "format": "binary"}


_RESPONSES = answers_of(404, 422)
_RESPONSES[200]["content"] = {row.media_type: {"schema": _schema(row.media_type)} for row in EXPORTS.values()}


@router.get("/{file}", responses=_RESPONSES, response_class=Response)
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
