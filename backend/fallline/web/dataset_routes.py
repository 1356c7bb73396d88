"""One's own data over HTTP: a CSV comes in, and what was found in it is told. Must not know how a table is read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from fallline.vocabulary import upload_answers
from fallline.web.answers import Answer
from fallline.web.bodies import csv_of
from fallline.web.openapi import OWNER, answers_of
from fallline.web.visitors import Owner, TheLab

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"], default_response_class=Answer)

CSV_BODY = {"required": True, "content": {"text/csv": {"schema": {"type": "string", "minLength": 1}}}}


@router.post(
    "",
    status_code=201,
    responses=answers_of(413, 415, 422, 503, ok=201, model=upload_answers.Table),
    openapi_extra={"requestBody": CSV_BODY, "parameters": [OWNER]},
)
async def add(_: Owner, body: Annotated[bytes, Depends(csv_of)], lab: TheLab) -> Response:
    """A table of one's own, in UTF-8. A recipe uses it as `{"data": {"name": "csv", "dataset": id, "target": column}}`.

    At most 5,000 rows, 32 columns and 1 MiB. Fields are parted by commas, semicolons or tabs; a first row that names
    the columns is told from one of numbers. Rows that cannot be used are told with their line and left out.
    """
    told = await lab.add_table(body)
    return Answer(told, 201, headers={"Location": f"/api/v1/datasets/{told['id']}"})


@router.get("/{id}", responses=answers_of(404, model=upload_answers.Table))
async def table(id: str, lab: TheLab) -> Response:
    """The same again: columns, rows, and what was left out."""
    return Answer(await lab.table(id))
