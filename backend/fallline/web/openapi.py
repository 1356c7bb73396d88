"""The OpenAPI document: FastAPI's, with the problems of each operation and the messages of the socket.

Must not know what calls do.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from fallline.vocabulary import messages
from fallline.vocabulary.answers import Problem
from fallline.vocabulary.commands import COMMANDS
from fallline.web.answers import text_of
from fallline.web.base_path import here
from fallline.web.errors import STATUS

_REFERENCE = "#/components/schemas/{model}"
_NOT_IN_ROUTES = (
    Problem, *COMMANDS.values(), messages.Watch, messages.Unwatch, messages.Got, messages.Ping, messages.Envelope,
)  # fmt: skip

DESCRIPTION = """Train small networks step by step and watch every number.

Anyone with the `id` of an experiment can read it. To change it, send its `token` in the header
`Authorization: Bearer <token>`; `POST /experiments` returns both. Send an `Idempotency-Key` with a command to make a
retry safe: a repeat gets the same answer and is not done again.

The WebSocket `/api/v1/stream` sends live measurements. The schemas `Watch`, `Unwatch`, `Got`, `Ping` and `Envelope` (a
command with the fields of its REST body) describe the messages of a client.

Errors are RFC 9457 problem details. For an invalid body, `errors` has the JSON pointer of each wrong field and what
would be right. `type` is one of:

"""


def problem(status: int) -> dict[str, Any]:
    """Describe a response with problem details."""
    headers = RETRY_AFTER_HEADER if status in PASSING else {}
    return {"description": HTTPStatus(status).phrase, "content": _PROBLEM, **headers}


_PROBLEM = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}

OTHER_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "Any other problem", "content": _PROBLEM}
}

PASSING = frozenset({429, 503, 507})
"""Statuses of refusals that pass."""


def content(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """Describe a successful response of these media types."""
    return {200: {"content": {media_type: {"schema": _schema(media_type)} for media_type in media_types}}}


def _header(name: str, description: str, kind: str = "string", *, always: bool = False) -> dict[str, Any]:
    """Describe a header of a response."""
    return {"headers": {name: {"description": description, "required": always, "schema": {"type": kind}}}}


DAMAGED, UNDO, COMPLETE_TO = "Fallline-Damaged", "Fallline-Undo", "Fallline-Complete-To"
"""Our headers of responses."""

DAMAGED_HEADER = _header(
    DAMAGED, "Only for a damaged experiment, whose readable part this is: what cannot be read"
)
UNDO_HEADER = _header(
    UNDO, "For `POST /undo/{undo}`, which takes this back within 10 minutes. Without it that is impossible."
)
LOCATION_HEADER = _header("Location", "The URL of what was created", always=True)
RETRY_AFTER_HEADER = _header(
    "Retry-After", "Seconds after which a repeat may succeed", "integer", always=True
)
COMPLETE_TO_HEADER = _header(
    COMPLETE_TO, "The step up to which the findings are complete", "integer", always=True
)


def _schema(media_type: str) -> dict[str, str]:
    if media_type.endswith("json"):
        return {"type": "object"}
    if media_type.startswith("text/"):
        return {"type": "string"}
    return {"type": "string", "format": "binary"}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the whole document."""
    kinds = (f"- `/problems/{kind.code}` ({status}): {kind.title}" for kind, status in STATUS.items())
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION + "\n".join(kinds),
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    _, others = models_json_schema(
        [(model, "validation") for model in _NOT_IN_ROUTES], ref_template=_REFERENCE
    )
    document["components"]["schemas"].update(others["$defs"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status in _statuses(path, method, operation):
                operation["responses"][str(status)] = problem(status)
    return document


MOST_BASES = 16
"""Base paths whose document and catalog are kept: encoding the document took 5 ms of the event loop."""


def serve(app: FastAPI, document: dict[str, Any]) -> None:
    """Serve the document at `/openapi.json`."""

    @lru_cache(MOST_BASES)
    def text_under(base: str) -> str:
        info = document["info"]
        description = info["description"].replace("`/problems/", f"`{base}/problems/")
        servers = {"servers": [{"url": base}]} if base else {}
        return text_of({**document, "info": {**info, "description": description}, **servers})

    async def openapi(_: Request) -> Response:
        return Response(text_under(here("")), media_type="application/json")

    app.add_route("/openapi.json", openapi, include_in_schema=False)


CREATING = ("/api/v1/experiments", "/api/v1/datasets", "/api/v1/parameters")


def _statuses(path: str, method: str, operation: dict[str, Any]) -> Iterator[int]:
    """Return the statuses of problems that follow from the shape of a call."""
    if path in CREATING:
        yield from (429, 507)
    if ("{id}" in path and method in ("post", "patch")) or "{undo}" in path:
        yield 507
    if "{undo}" in path:
        yield 410
    if "/export/" in path:
        yield from (429, 503)
    if "{" in path:
        yield 404
    if "security" in operation:
        yield from (401, 409, 429)
    if "requestBody" in operation:
        yield from (413, 415)
    if {"requestBody", "security"} & operation.keys() or any(
        each["in"] != "path" for each in operation.get("parameters", ())
    ):
        yield 422
    if method != "get":
        yield 503
