"""The route of a run's history: JSON columns, Plotly's bdata, or a CSV table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from fallline.vocabulary.answers import Columns
from fallline.vocabulary.columns import Buckets
from fallline.web.answers import large
from fallline.web.openapi import content
from fallline.web.queries import HistoryQuery
from fallline.web.requests import StrictRoute, TheLab

ROWS_AT_ONCE = 256

router = APIRouter(prefix="/api/v1/experiments/{id}/runs/{run}", tags=["runs"], route_class=StrictRoute)


@router.get("/history", response_model=Columns, responses=content("text/csv"))
async def history(id: str, run: str, request: Request, query: HistoryQuery, lab: TheLab) -> Response:
    """Return the run's measurements in at most `buckets` buckets.

    They cover the steps from `since` to `until` (inclusive). With `Accept: text/csv` the answer is a table.
    """
    generation, buckets, every_step = await lab.views.history(
        id, run, query.series, query.since, query.until, query.buckets
    )
    if _prefers_csv(request.headers.get("accept", "")):
        text = await lab.views.beside(id, lambda: "".join(_table(buckets, every_step)))
        answer = Response(text, media_type="text/csv")
    else:
        encode = buckets.as_bdata if query.encoding == "bdata" else buckets.as_json
        answer = await large(lambda: encode(generation, every_step), partial(lab.views.beside, id))
    answer.headers["Vary"] = "Accept"
    return answer


def _table(buckets: Buckets, every_step: frozenset[str]) -> Iterator[str]:
    """Render the table in slices, to hold the interpreter lock briefly."""
    yield buckets.part(slice(0, ROWS_AT_ONCE)).as_csv(every_step)
    for start in range(ROWS_AT_ONCE, len(buckets), ROWS_AT_ONCE):
        with_head = buckets.part(slice(start, start + ROWS_AT_ONCE)).as_csv(every_step)
        yield with_head.partition("\n")[2]


def _prefers_csv(accept: str) -> bool:
    return _quality(accept, "text/csv") > _quality(accept, "application/json")


def _quality(accept: str, media_type: str) -> float:
    """Return the quality of a media type that is listed by name (RFC 9110, 12.5.1).

    Wildcards count as 0.
    """
    for choice in accept.lower().split(","):
        name, *parameters = (part.strip() for part in choice.split(";"))
        if name == media_type:
            quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
            return float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    return 0.0
