"""The API's description of itself: what the framework cannot see, because bodies and answers are read and written here.

Must not know what calls do.
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

Whoever has an experiment's id may read it; to change it, send its token as `Authorization: Bearer <token>`. A command
with an `Idempotency-Key` that comes again is answered again and not done again.

Live measurements come over the WebSocket `/api/v1/stream`; its messages are the schemas `Watch`, `Unwatch`, `Got`,
`Ping` and `Envelope` (a command, with the fields of the REST body beside it).

What cannot be served answers with RFC 9457 problem details. Their `type` is one of:

"""

TOKEN: dict[str, list[str]] = {"token": []}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name for this command, unique for ever: a repeat is answered again, not done again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}
OWNER = {
    "name": "Fallline-Owner",
    "in": "header",
    "required": False,
    "description": "A key of the client's own making under which this is made; only its hash is stored.",
    "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"},
}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A reference to the model among the components."""
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def answers_of(
    *problems: int, ok: int = 200, model: type[BaseModel] | None = None, schema: Any = None
) -> dict[int | str, dict[str, Any]]:
    """The responses of an operation: the good one, and the kinds of problem that are its own."""
    good: dict[str, Any] = {"description": HTTPStatus(ok).phrase}
    if model is not None and schema is None:
        schema = reference(model)
    if schema is not None:
        good["content"] = {"application/json": {"schema": schema}}
    told: dict[int | str, dict[str, Any]] = {
        status: _problem(HTTPStatus(status).phrase) for status in problems
    }
    return {ok: good, **told, "default": _problem("Any other problem")}


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference(answers.Problem)}}
    return {"description": description, "content": content}


def body(model: type[BaseModel]) -> dict[str, Any]:
    """An optional JSON body; none at all is `{}`."""
    return {"required": False, "content": {"application/json": {"schema": reference(model)}}}


def command(model: type[BaseModel] | None, *, keyed: bool = True) -> dict[str, Any]:
    """What a call that changes an experiment takes beyond its path: token, key, body."""
    described: dict[str, Any] = {"security": [TOKEN]}
    if keyed:
        described["parameters"] = [KEY]
    if model is not None:
        described["requestBody"] = body(model)
    return described


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
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
    told = [model for module in _ANSWERS for model in vars(module).values() if _is_of(model, module)]
    _, incoming = models_json_schema(
        [(model, "validation") for model in (*_BODIES, *_MESSAGES, *told)], ref_template=_REFERENCE
    )
    schemas: Mapping[str, Any] = incoming["$defs"]
    return schemas


def _is_of(thing: Any, module: ModuleType) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel) and thing.__module__ == module.__name__
