"""Files to take away, over HTTP. Must not know how a file is made."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from fallline.exports.table import EXPORTS
from fallline.web.openapi import answers_of
from fallline.web.queries import OfRun
from fallline.web.visitors import TheLab

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
    """A file: recipe.json, history.csv, history.json, parameters.npz, report.html, script.py or notebook.ipynb.

    Of one run with `run`; without, of all runs, and a script or notebook of the first.
    """
    made = await lab.views.export(id, file, query.run)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    if isinstance(made.content, bytes):
        return Response(made.content, media_type=made.media_type, headers=headers)
    pieces = lab.views.pieces(id, made.content)
    return StreamingResponse(pieces, media_type=made.media_type, headers=headers)
