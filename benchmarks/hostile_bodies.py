"""Bodies, messages and addresses of up to 64 KiB that take long, for every place of every model.

They are generated from the models' schemas, in a fixed order. So a new field is attacked from its first day. The
function `ask` calls an application directly, without a client whose work would count as the server's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from fallline.vocabulary import commands, messages
from fallline.vocabulary.recipe import Recipe
from fallline.web.server_routes import QrText

MOST_BYTES = 64 * 1024
HEAD_BYTES = 60 * 1024
"""Maximum address: the rest of the head is for other headers."""

HOLE = "\u2603"
"""Placeholder for the long part of a body."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its effect `what`, and where it goes.

    `path` has {id} for an experiment, or {line} for a line of its own; a message of the socket has none.
    """

    what: str
    method: str
    path: str
    body: str = ""
    query: str = ""


# ---------------------------------------------------------------------- places


BODIES: Mapping[str, tuple[str, str, type[BaseModel]]] = {
    "create": ("POST", "/api/v1/experiments", Recipe),
    "qr": ("POST", "/api/v1/qr", QrText),
    "play": ("POST", "/api/v1/experiments/{id}/play", commands.Play),
    "pause": ("POST", "/api/v1/experiments/{id}/pause", commands.Pause),
    "step": ("POST", "/api/v1/experiments/{id}/step", commands.Step),
    "reset": ("POST", "/api/v1/experiments/{id}/reset", commands.Reset),
    "edit": ("PATCH", "/api/v1/experiments/{id}/runs/gd", commands.EditRun),
    "add_run": ("POST", "/api/v1/experiments/{id}/runs", commands.AddRun),
    "post": ("POST", "/api/v1/lines/{line}/messages", messages.Posted),
}


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema


def _choices(schema: Schema, definitions: Schema) -> list[Schema]:
    """The alternative schemas of a value."""
    schema = _resolved(schema, definitions)
    return [_resolved(choice, definitions) for choice in schema.get("anyOf", [schema])]


def example(schema: Schema, definitions: Schema) -> Any:
    """The smallest value that fits, or nearly."""
    (first, *_) = _choices(schema, definitions)
    if "const" in first or "enum" in first:
        return first.get("const", first.get("enum", [None])[0])
    match first.get("type"):
        case "object":
            properties = first.get("properties", {})
            return {name: example(properties[name], definitions) for name in first.get("required", ())}
        case "array":
            return [example(first["items"], definitions)] if first.get("minItems") else []
        case "string":
            return "a" * max(1, first.get("minLength", 1))
        case "integer" | "number":
            return max(1, first.get("minimum", 1))
        case "boolean":
            return True
        case _:
            return None


def _of_any_name(schema: Schema) -> Schema | None:
    """The schema of an object's additional properties."""
    patterns = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    return next((each for each in patterns if isinstance(each, dict)), None)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a body: its JSON pointer, the body around it, and its schema."""

    pointer: str
    around: str
    schemas: list[Schema]

    @property
    def is_list_or_object(self) -> bool:
        return any(each.get("type") in ("array", "object") for each in self.schemas)


def places(model: type[BaseModel]) -> tuple[list[Place], Schema]:
    """Every place in a body of the model, the body itself first; and the schema definitions."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    return list(_places(schema, definitions, "", HOLE)), definitions


def _places(schema: Schema, definitions: Schema, pointer: str, around: str) -> Iterator[Place]:
    choices = _choices(schema, definitions)
    yield Place(pointer, around, choices)
    for choice in choices:
        if choice.get("type") == "array":
            yield from _places(
                choice["items"], definitions, f"{pointer}/0", around.replace(HOLE, f"[{HOLE}]")
            )
        whole = example(choice, definitions) if choice.get("type") == "object" else {}
        for name, field in choice.get("properties", {}).items():
            beside = json.dumps({key: value for key, value in whole.items() if key != name})
            inner = f'{beside[:-1]}{", " if len(beside) > 2 else ""}"{name}": {HOLE}}}'
            yield from _places(field, definitions, f"{pointer}/{name}", around.replace(HOLE, inner))
        if (more := _of_any_name(choice)) is not None:
            inner = f'{{"a": {HOLE}}}'
            yield from _places(more, definitions, f"{pointer}/a", around.replace(HOLE, inner))


# ---------------------------------------------------------------------- the long parts


ROOM = MOST_BYTES - 1_024
"""Bytes of the long part; the rest is for the body around it."""


def _list(entry: str, room: int = ROOM) -> str:
    return "[" + ",".join([entry] * max(1, (room - 2) // (len(entry.encode()) + 1))) + "]"


def _object(entry: str, key: str = "{:x}", room: int = ROOM) -> str:
    size = len(entry) + len(key.format(0xFFFF)) + 4
    return (
        "{" + ",".join(f'"{key.format(place)}":{entry}' for place in range(max(1, (room - 2) // size))) + "}"
    )


ANYWHERE = {
    "a list of ones": _list("1"),
    "a long text": '"' + "a" * (ROOM - 2) + '"',
    "a number of many digits": "9" * ROOM,
    "unknown keys": _object("1"),
    "the same key": "{" + ",".join(['"a":1'] * (ROOM // 6 - 1)) + "}",
}
"""Values for every place."""

WIDE = {
    "a list of objects": _list("{}"),
    "a list of lists": _list("[]"),
    "a list of texts": _list('""'),
    "a list of nulls": _list("null"),
    "a list of unknown fields": _list('{"a":1,"b":2,"c":3,"d":4}'),
    "a list of NaN": _list("NaN"),
    "a list of 1e999": _list("1e999"),
    "a list of half characters": _list('"\\ud83d"'),
    "a list of numbers of 4,000 digits": _list("9" * 4_000),
    "a list of numbers of 4,400 digits": _list("9" * 4_400),
    "a list in a list, ten deep": "[" * 9 + _list("1", ROOM - 18) + "]" * 9,
    "a long text of escapes": '"' + "\\u00e9" * ((ROOM - 2) // 6) + '"',
    "a long text of marks": '"' + "\u202e" * ((ROOM - 2) // 3) + '"',
    "a fraction of many digits": "0." + "3" * (ROOM - 2),
    "brackets": "[" * (ROOM // 2) + "]" * (ROOM // 2),
    "braces": '{"a":' * (ROOM // 6) + "1" + "}" * (ROOM // 6),
    "unknown keys with objects": _object("{}"),
    "long unknown keys": _object("1", "{:064x}"),
    "names of runs": _object("1", "run-{:x}"),
    "names of runs with objects": _object("{}", "run-{:x}"),
    "keys that all come twice": "{" + ",".join(f'"{place // 2:x}":1' for place in range(ROOM // 9)) + "}",
    "the same two keys": "{" + ",".join(['"a":{},"b":[]'] * (ROOM // 14 - 1)) + "}",
}
"""Further values where the schema expects a list or an object."""


def bodies(model: type[BaseModel]) -> Iterator[tuple[str, str, bool]]:
    """Description, text, and whether the value is at a list or an object."""
    all_places, definitions = places(model)
    for place in all_places:
        fillings = {**ANYWHERE, **(WIDE if place.is_list_or_object else {})}
        for choice in place.schemas:
            if choice.get("type") == "array":
                fillings["a list of what belongs there"] = _list(_example(choice["items"], definitions))
            if (more := _of_any_name(choice)) is not None:
                entry = _example(more, definitions)
                fillings["an object of what belongs there"] = _object(entry, "run-{:x}")
        for name, filling in fillings.items():
            where = place.pointer or "the body"
            yield f"{name} at {where}", place.around.replace(HOLE, filling), place.is_list_or_object


def _example(schema: Schema, definitions: Schema) -> str:
    return json.dumps(example(schema, definitions), separators=(",", ":"))


WIDE_EDIT = '{"at_step":1,"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}'


def spread(runs: int = 8) -> Iterator[tuple[str, str]]:
    """Recipes with errors in many places; none is too large."""
    room = ROOM // runs - 64
    unknown = _object("1", room=room)[1:-1]
    stops = _list("{" + _object("1", room=room // 8 - 4)[1:-1] + "}", room)
    for name, run in {
        "unknown fields in each run": f"{{{unknown}}}",
        "a thousand ones as edits of each run": f'{{"edits":{_list("1", 2_000)}}}',
        "a thousand empty edits of each run": f'{{"edits":{_list("{}", 3_000)}}}',
        "edits with unknown fields in each run": f'{{"edits":{_list(WIDE_EDIT, room)}}}',
        "stop conditions with unknown fields": f'{{"stop":{stops}}}',
        "a schedule with unknown fields": f'{{"schedule":{{{unknown}}}}}',
        "right edits before a wrong one": f'{{"edits":[{edits("a number", room - 4)},1]}}',
    }.items():
        yield f"{name}, {runs} runs", '{"runs":' + "[" + ",".join([run] * runs) + "]}"


# ---------------------------------------------------------------------- large valid bodies


EDITS: Mapping[str, str] = {
    "a number": '{{"at_step":{step},"l1":0.5}}',
    "nothing but the step": '{{"at_step":{step}}}',
    "a schedule": '{{"at_step":{step},"schedule":{{"name":"step","every":3}}}}',
    "stop conditions": '{{"at_step":{step},"stop":[' + ",".join(['{{"when":"layer_dies"}}'] * 8) + "]}}",
    "layers drawn anew": '{{"at_step":{step},"redraw":{{"layers":[1,2,3]}}}}',
    "all settings": '{{"at_step":{step},"optimizer":"adam","learning_rate":0.1,"batch_size":1,"order":"shuffle",'
    '"beta1":0.5,"beta2":0.5,"epsilon":1e-8,"schedule":"constant","l1":0,"l2":0,"clip_norm":1,"clip_value":1}}',
}


def edits(kind: str, room: int) -> str:
    """As many edits of a kind as a run may have, or as fit."""
    longest = len(EDITS[kind].format(step=1_000)) + 1
    return ",".join(EDITS[kind].format(step=step) for step in range(min(1_000, room // longest)))


def valid(runs: int, kind: str) -> str:
    """The largest valid recipe with that many runs and that kind of edit."""
    room = (MOST_BYTES - 64 * runs) // runs
    return '{"runs":[' + ",".join(f'{{"edits":[{edits(kind, room)}]}}' for _ in range(runs)) + "]}"


# ---------------------------------------------------------------------- all of them


def requests() -> Iterator[tuple[Request, bool]]:
    """Every HTTP request, and whether it attacks a list or an object."""
    for name, (method, path, model) in BODIES.items():
        for what, body, is_list_or_object in bodies(model):
            yield Request(f"{name}: {what}", method, path, body), is_list_or_object
    for what, body in spread():
        yield Request(f"create: {what}", "POST", "/api/v1/experiments", body), True
    for runs in (1, 3, 8):
        for kind in EDITS:
            body = valid(runs, kind)
            yield (
                Request(f"create: {runs} runs with edits of {kind}", "POST", "/api/v1/experiments", body),
                True,
            )
    for kind in EDITS:
        body = f'{{"edits":[{edits(kind, MOST_BYTES - 64)}]}}'
        yield Request(f"add_run: edits of {kind}", "POST", "/api/v1/experiments/{id}/runs", body), True
    for path in ("/api/v1/catalog", "/api/v1/experiments/{id}", "/api/v1/experiments/{id}/runs/gd/history"):
        for what, query in queries():
            yield Request(f"{what} to {path.rpartition('/')[2]}", "GET", path, query=query), True


def queries() -> Iterator[tuple[str, str]]:
    """Queries of maximum length."""
    for name, part in {
        "ampersands": "",
        "names": "a",
        "empty values": "a=",
        "series": "series=batch_loss",
        "many series": "series=a",
        "percent signs": "%41=%41",
    }.items():
        yield name, "&".join([part] * (HEAD_BYTES // (len(part) + 1)))
    yield "names, each another one", "&".join(f"{place:x}=1" for place in range(HEAD_BYTES // 7))
    for name in ("series", "since", "run", "x"):
        yield f"a long {name}", f"{name}=" + "9" * (HEAD_BYTES - 16)
        yield f"a long {name} of escapes", f"{name}=" + "%41" * (HEAD_BYTES // 3 - 16)


def texts() -> Iterator[tuple[Request, bool]]:
    """Every message of the socket, and whether it attacks a list or an object."""
    for kind, model in messages.MESSAGES.items():
        for what, body, is_list_or_object in bodies(model):
            yield Request(f"{kind}: {what}", "", "", body), is_list_or_object
    for do, command in commands.COMMANDS.items():
        for what, body, is_list_or_object in bodies(command):
            if body.startswith("{"):
                text = f"{{{envelope_of(do)},{body[1:]}"
                yield Request(f"{do} over the socket: {what}", "", "", text), is_list_or_object
    for kind in EDITS:
        text = f'{{{envelope_of("add_run")},"edits":[{edits(kind, MOST_BYTES - 256)}]}}'
        yield Request(f"add_run over the socket: edits of {kind}", "", "", text), True


def envelope_of(do: str) -> str:
    """The fields of a command on the socket, without the body's fields."""
    run = ',"run":"gd"' if do in commands.NEEDS_RUN else ""
    return f'"type":"command","id":"c","experiment":"e","do":"{do}"{run}'


# ---------------------------------------------------------------------- requests


async def ask(app: Any, request: Request, id: str, token: str) -> tuple[int, bytes]:
    """Status and body of an ASGI application's response."""
    if "{line}" in request.path:
        _, answer = await ask(app, Request("", "POST", "/api/v1/lines"), "", "")
        line = json.loads(answer)
        return await ask(
            app, replace(request, path=request.path.replace("{line}", line["line"])), "", line["key"]
        )
    path = request.path.replace("{id}", id)
    scope = {
        **_scope("http", path),
        "method": request.method,
        "query_string": request.query.encode(),
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())],
    }
    coming = [{"type": "http.request", "body": request.body.encode(), "more_body": False}]
    status, answer, never = 0, b"", asyncio.Event()

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop()
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status, answer
        status = message.get("status", status)
        answer += message.get("body", b"")

    await app(scope, receive, send)
    return status, answer


class Line:
    """A socket of an ASGI application that watches an experiment, for commands."""

    def __init__(self, app: Any, id: str, token: str) -> None:
        self._app = app
        self._id = id
        self._coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._going: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._coming.put_nowait({"type": "websocket.connect"})
        self._say(json.dumps({"type": "watch", "experiment": id, "token": token}))
        scope = {
            **_scope("websocket", "/api/v1/stream"),
            "headers": [(b"host", b"localhost")],
            "query_string": b"",
        }
        self._task = asyncio.create_task(app(scope, self._coming.get, self._send))

    async def _send(self, message: Mapping[str, Any]) -> None:
        self._going.put_nowait(message)

    def _say(self, text: str) -> None:
        self._coming.put_nowait({"type": "websocket.receive", "text": text})

    async def watches(self) -> None:
        """Wait for the response to the watch."""
        while '"type":"experiment"' not in (await self._going.get()).get("text", ""):
            pass

    async def ask(self, text: str) -> list[str]:
        """Responses to a message; the server or the reader closes the socket afterwards."""
        self._say(text.replace('"experiment":"e"', f'"experiment":"{self._id}"'))
        self._say('{"type":"ping","id":"the end"}')
        messages: list[str] = []
        while not (messages and '"the end"' in messages[-1]):
            message = await self._going.get()
            if message["type"] == "websocket.close":
                break
            messages.append(message.get("text", ""))
        self._coming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self._task
        return messages


def _scope(kind: str, path: str) -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "subprotocols": [],
        "state": {},
    }
