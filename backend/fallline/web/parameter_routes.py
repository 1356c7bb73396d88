"""Saved parameters over HTTP: an .npz comes in, and what was found in it is told. Must not know how it is read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from fallline.vocabulary import upload_answers
from fallline.web.answers import Answer
from fallline.web.bodies import npz_of
from fallline.web.openapi import answers_of
from fallline.web.visitors import TheLab

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
    """Parameters to start from, as `numpy.savez` and the export parameters.npz of one run write them: W1, b1, W2, ...,
    float64 and finite, at most 1 MiB. A recipe uses them as `{"network": {"layers": [...], "start": id}}`.
    """
    told = await lab.add_parameters(body)
    return Answer(told, 201, headers={"Location": f"/api/v1/parameters/{told['id']}"})


@router.get("/{id}", responses=answers_of(404, model=upload_answers.Parameters))
async def parameters(id: str, lab: TheLab) -> Response:
    """The same again: names and shapes."""
    return Answer(await lab.parameters(id))
