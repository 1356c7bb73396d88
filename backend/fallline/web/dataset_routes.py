"""Routes of uploaded tables. Must not know how a CSV is parsed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from fallline.vocabulary import upload_answers
from fallline.web.answers import Answer
from fallline.web.bodies import csv_of
from fallline.web.dependencies import Owner, TheLab
from fallline.web.openapi import OWNER, answers_of

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"], default_response_class=Answer)

CSV_BODY = {"required": True, "content": {"text/csv": {"schema": {"type": "string", "minLength": 1}}}}


@router.post(
    "",
    status_code=201,
    responses=answers_of(413, 415, 422, 503, ok=201, model=upload_answers.Table),
    openapi_extra={"requestBody": CSV_BODY, "parameters": [OWNER]},
)
async def add(_: Owner, body: Annotated[bytes, Depends(csv_of)], lab: TheLab) -> Response:
    """Upload a table as CSV in UTF-8, with at most 5,000 rows, 32 columns and 1 MiB.

    A recipe uses it as `{"data": {"name": "csv", "dataset": id, "target": column}}`. Commas, semicolons or tabs
    separate fields. A first row of names is recognized. Rows that cannot be used are left out and listed in `skipped`,
    each with its line and reason.
    """
    content = await lab.add_table(body)
    return Answer(content, 201, headers={"Location": f"/api/v1/datasets/{content['id']}"})


@router.get("/{id}", responses=answers_of(404, model=upload_answers.Table))
async def table(id: str, lab: TheLab) -> Response:
    """Return the columns, the number of rows and the skipped rows of a table."""
    return Answer(await lab.table(id))
