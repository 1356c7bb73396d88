"""Routes of uploaded tables and parameters. Must not know how they are parsed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import WithJsonSchema
from starlette.responses import Response

from fallline.vocabulary.answers import Parameters, Table
from fallline.web.requests import CSV, NPZ, Owner, StrictRoute, TheLab

router = APIRouter(prefix="/api/v1", route_class=StrictRoute)

_TEXT = {"type": "string", "minLength": 1}
CsvBody = Annotated[bytes, WithJsonSchema(_TEXT), Body(media_type=CSV)]
NpzBody = Annotated[bytes, WithJsonSchema({**_TEXT, "format": "binary"}), Body(media_type=NPZ)]


@router.post("/datasets", status_code=201, tags=["datasets"], response_model=Table)
async def add_table(_: Owner, body: CsvBody, lab: TheLab, response: Response) -> dict[str, Any]:
    """Upload a table as CSV in UTF-8, with at most 5,000 rows, 32 columns and 1 MiB.

    A recipe uses it as `{"data": {"name": "csv", "dataset": id, "target": column}}`. Commas, semicolons or tabs
    separate fields. A first row of names is recognized. Rows that cannot be used are left out and listed in `skipped`,
    each with its line and reason.
    """
    added = await lab.add_table(body)
    response.headers["Location"] = f"/api/v1/datasets/{added['id']}"
    return added


@router.get("/datasets/{id}", tags=["datasets"], response_model=Table)
async def table(id: str, lab: TheLab) -> dict[str, Any]:
    """Return the columns, the number of rows and the skipped rows of a table."""
    return await lab.table(id)


@router.post("/parameters", status_code=201, tags=["parameters"], response_model=Parameters)
async def add_parameters(body: NpzBody, lab: TheLab, response: Response) -> dict[str, Any]:
    """Upload initial parameters as .npz, with at most 1 MiB.

    The arrays are W1, b1, W2, ..., float64 and finite, as `numpy.savez` and the export parameters.npz of one run write
    them. A recipe uses them as `{"network": {"layers": [...], "start": id}}`.
    """
    added = await lab.add_parameters(body)
    response.headers["Location"] = f"/api/v1/parameters/{added['id']}"
    return added


@router.get("/parameters/{id}", tags=["parameters"], response_model=Parameters)
async def parameters(id: str, lab: TheLab) -> dict[str, Any]:
    """Return the names and shapes of uploaded parameters."""
    return await lab.parameters(id)
