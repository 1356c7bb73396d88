"""Routes of uploaded parameters. Must not know how an .npz is parsed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from fallline.vocabulary import upload_answers
from fallline.web.answers import Answer
from fallline.web.bodies import npz_of
from fallline.web.dependencies import TheLab
from fallline.web.openapi import answers_of

router = APIRouter(prefix="/api/v1/parameters", tags=["parameters"], default_response_class=Answer)

BINARY = {"type": "string", "format": "binary", "minLength": 1}
NPZ_BODY = {"required": True, "content": {"application/octet-stream": {"schema": BINARY}}}


@router.post(
    "",
    status_code=201,
    responses=answers_of(413, 415, 422, 503, ok=201, model=upload_answers.Parameters),
    openapi_extra={"requestBody": NPZ_BODY},
)
async def add(body: Annotated[bytes, Depends(npz_of)], lab: TheLab) -> Response:
    """Upload initial parameters as .npz, with at most 1 MiB.

    The arrays are W1, b1, W2, ..., float64 and finite, as `numpy.savez` and the export parameters.npz of one run write
    them. A recipe uses them as `{"network": {"layers": [...], "start": id}}`.
    """
    content = await lab.add_parameters(body)
    return Answer(content, 201, headers={"Location": f"/api/v1/parameters/{content['id']}"})


@router.get("/{id}", responses=answers_of(404, model=upload_answers.Parameters))
async def parameters(id: str, lab: TheLab) -> Response:
    """Return the names and shapes of uploaded parameters."""
    return Answer(await lab.parameters(id))
