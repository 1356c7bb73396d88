"""The OpenAPI document, including bodies and answers.

The framework cannot see these, because they are parsed and encoded here. Must not know what calls do.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from fallline.vocabulary import answers, catalog_answers, commands, finding_answers, messages, upload_answers
from fallline.vocabulary.recipe import Recipe
from fallline.web.errors import STATUS

_BODIES = (Recipe, *commands.COMMANDS.values())
_MESSAGES = (messages.Watch, messages.Unwatch, messages.Got, messages.Ping, messages.Envelope)
_ANSWERS = (answers, catalog_answers, finding_answers, upload_answers)
_REFERENCE = "#/components/schemas/{model}"

DESCRIPTION = """Train small networks step by step and watch every number.

Anyone with the `id` of an experiment can read it. To change it, send its `token` in the header
`Authorization: Bearer <token>`; `POST /experiments` returns both. Send an `Idempotency-Key` with a command to make a
retry safe: a repeat gets the same answer and is not done again.

The WebSocket `/api/v1/stream` sends live measurements. The schemas `Watch`, `Unwatch`, `Got`, `Ping` and `Envelope` (a
command with the fields of its REST body) describe the messages of a client.

Errors are RFC 9457 problem details. For an invalid body, `errors` has the JSON pointer of each wrong field and what
would be right. `type` is one of:

"""

TOKEN: dict[str, list[str]] = {"token": []}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A unique name of this command, such as a UUID: a repeat gets the same answer and is not done again",
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}
OWNER = {
    "name": "Fallline-Owner",
    "in": "header",
    "required": False,
    "description": "The owner's key, 32 random hex digits that the client creates. The server stores only its hash.",
    "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"},
}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Return a reference to the schema of a model."""
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def answers_of(
    *problems: int, ok: int = 200, model: type[BaseModel] | None = None, schema: Any = None
) -> dict[int | str, dict[str, Any]]:
    """Return the responses of an operation: success, and its problems."""
    good: dict[str, Any] = {"description": HTTPStatus(ok).phrase}
    if model is not None and schema is None:
        schema = reference(model)
    if schema is not None:
        good["content"] = {"application/json": {"schema": schema}}
    responses: dict[int | str, dict[str, Any]] = {
        status: _problem(HTTPStatus(status).phrase) for status in problems
    }
    return {ok: good, **responses, "default": _problem("Any other problem")}


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference(answers.Problem)}}
    return {"description": description, "content": content}


def body(model: type[BaseModel]) -> dict[str, Any]:
    """Describe an optional JSON body; an empty one is `{}`."""
    return {"required": False, "content": {"application/json": {"schema": reference(model)}}}


def command(model: type[BaseModel] | None, *, keyed: bool = True) -> dict[str, Any]:
    """Describe token, key and body of a call that changes an experiment."""
    described: dict[str, Any] = {"security": [TOKEN]}
    if keyed:
        described["parameters"] = [KEY]
    if model is not None:
        described["requestBody"] = body(model)
    return described


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the whole document."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION + "\n".join(_kinds()),
        routes=app.routes,
    )
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **_schemas()}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return document


def _kinds() -> list[str]:
    return [f"- `/problems/{kind.code}` ({status}): {kind.title}" for kind, status in STATUS.items()]


def _schemas() -> Mapping[str, Any]:
    models = [model for module in _ANSWERS for model in vars(module).values() if _is_of(model, module)]
    _, definitions = models_json_schema(
        [(model, "validation") for model in (*_BODIES, *_MESSAGES, *models)], ref_template=_REFERENCE
    )
    schemas: Mapping[str, Any] = definitions["$defs"]
    return schemas


def _is_of(thing: Any, module: ModuleType) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel) and thing.__module__ == module.__name__
