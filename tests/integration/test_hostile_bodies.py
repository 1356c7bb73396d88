"""Hostile bodies, messages and URLs: work grows linearly, and answers stay short.

The tests count calls, not seconds; `benchmarks/bench_bodies.py` has the seconds.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fallline.vocabulary.errors import FalllineError, InvalidRequest
from fallline.vocabulary.messages import Watch
from fallline.web import connection
from fallline.web.errors import problem
from hostile_bodies import MOST_BYTES, Line, Request, ask, envelope_of, places, requests, spread, texts
from support.serving import open_app
from support.work import counted

CALLS, CALLS_A_BYTE = 6_000, 3
"""What the framework takes, and what reading, checking and wording take: 2.4 for a list of empty texts."""

ANSWER_BYTES = 8 * 1024

ALWAYS = {
    "create: a list of ones at /runs",
    "create: a list of ones at /runs/0/edits",
    "create: a list of ones at /network/layers",
    "create: a list of objects at /runs",
    "create: unknown keys at the body",
    "create: the same key at the body",
    "create: brackets at the body",
    "create: 8 runs with edits of a number",
    "create: 1 runs with edits of stop conditions",
    "add_run: a list of ones at /edits",
    "add_run: edits of all settings",
    "edit: a list of ones at /stop",
    "edit: a list of ones at /redraw/layers",
    *(f"create: {what}" for what, _ in spread()),
    "post: a list of ones at /messages",
    "post: a long text at /messages/0",
    "watch: names of runs at /since",
    "watch: an object of what belongs there at /since",
    "watch: a list of texts at /series",
    "add_run over the socket: a list of ones at /edits",
    "add_run over the socket: edits of a number",
}
"""What is asked in the shorter test too: what once took seconds, and the largest that is right."""

some_or_all = pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.long)])
"""One in so many, and whatever stands in `ALWAYS` or in an address."""


def chosen(every: int, all_of_them: Any) -> list[Request]:
    return [
        attack
        for place, (attack, _) in enumerate(all_of_them)
        if place % every == 0 or attack.query or attack.what in ALWAYS
    ]


@pytest.fixture
async def app() -> AsyncIterator[Any]:
    async with open_app(kernel="numpy", commands_per_second=1e6) as (app, _):
        yield app


async def created(app: Any) -> tuple[str, str]:
    small = Request("", "POST", "/api/v1/experiments", '{"data":{"samples":20}}')
    _, answer = await ask(app, small, "", "")
    state = json.loads(answer)
    return state["id"], state["token"]


async def deleted(app: Any, id: str, token: str) -> None:
    status, _ = await ask(app, Request("", "DELETE", "/api/v1/experiments/{id}"), id, token)
    assert status == 204


@some_or_all
@pytest.mark.timeout(600)
async def test_no_request_takes_more_work_than_its_length_allows(every: int, app: Any) -> None:
    id, token = await created(app)
    statuses = set()
    for attack in chosen(every, requests()):
        with counted(CALLS + CALLS_A_BYTE * len(attack.body + attack.query)):
            status, answer = await ask(app, attack, id, token)
        statuses.add(status)
        if status >= 400:
            assert status == 422, (attack.what, answer)
            assert len(answer) <= ANSWER_BYTES, attack.what
            assert len(json.loads(answer).get("errors", ())) <= 20
        elif attack.method != "GET":
            if status == 201 and attack.path == "/api/v1/experiments":
                experiment = json.loads(answer)
                await deleted(app, experiment["id"], experiment["token"])
            await deleted(app, id, token)
            id, token = await created(app)
    assert {201, 202, 422} <= statuses <= {200, 201, 202, 422}


@some_or_all
@pytest.mark.timeout(600)
def test_no_message_takes_more_work_than_its_length_allows(every: int) -> None:
    for attack in chosen(every, texts()):
        with counted(CALLS + CALLS_A_BYTE * len(attack.body)):
            try:
                message, _ = connection.read(attack.body)
            except connection._ProtocolError as refused:
                message = refused.error
        if isinstance(message, FalllineError):
            assert len(json.dumps(problem(message))) <= ANSWER_BYTES, attack.what
        if isinstance(message, InvalidRequest):
            assert len(message.errors) <= 20


MANY = ",".join(f'"run-{place}":{{"generation":0,"step":0}}' for place in range(257))


@pytest.mark.parametrize(
    ("text", "member", "value"),
    [
        (
            f'{{"type":"watch","experiment":"e","since":{{{MANY}}}}}',
            "errors",
            [{"pointer": "/since", "detail": "must have at most 256 entries"}],
        ),
        (f'{{{envelope_of("add_run")},"edits":[{",".join(["1"] * 30_000)}]}}', "bound", "edits_a_run"),
    ],
)
async def test_a_socket_answers_a_long_message_and_stays_open(
    text: str, member: str, value: Any, app: Any
) -> None:
    id, token = await created(app)
    line = Line(app, id, token)
    await line.watches()
    messages = [json.loads(answer) for answer in await line.ask(text) if answer]
    assert messages[-1] == {"type": "pong", "id": "the end"}
    (error,) = (each for each in messages if each["type"] == "error")
    assert error["problem"][member] == value


def test_every_list_and_object_of_every_model_is_attacked() -> None:
    attacked = {attack.what for attack, wide in (*requests(), *texts()) if wide}
    for model, name in (
        ("create", "/runs"),
        ("create", "/runs/0/edits"),
        ("create", "/runs/0/edits/0/stop"),
        ("create", "/runs/0/edits/0/redraw/layers"),
        ("create", "/network/layers"),
        ("create", "/network/weights"),
        ("add_run", "/edits"),
        ("edit", "/stop"),
        ("post", "/messages"),
        ("watch", "/since"),
        ("watch", "/since/a"),
        ("watch", "/series"),
        ("add_run over the socket", "/edits"),
    ):
        assert f"{model}: a list of objects at {name}" in attacked
    assert max(len(attack.body.encode()) for attack, _ in (*requests(), *texts())) <= MOST_BYTES


def test_the_places_of_a_model_equal_those_of_its_schema() -> None:
    results, _ = places(Watch)
    assert [place.pointer for place in results] == [
        "", "/type", "/experiment", "/token", "/fps", "/since", "/since/a", "/since/a/generation", "/since/a/step",
        "/series", "/series/0", "/buckets", "/encoding",
    ]  # fmt: skip
