"""A loop that creates is slowed; a class that uses what it creates is not, nor is somebody with another share."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from support.serving import SMALL, created, open_app

MOST = 8
CSV = {"Content-Type": "text/csv"}
TABLE = b"a,b\n1,2\n3,4\n5,7\n"
TABLES, EXPERIMENTS = "/api/v1/datasets", "/api/v1/experiments"

Served = tuple[FastAPI, httpx.AsyncClient]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with open_app(kernel="numpy", unused_creations=MOST) as pair:
        yield pair


async def test_a_loop_that_only_creates_is_refused_with_when_to_come_back(served: Served) -> None:
    _, client = served
    statuses = [(await client.post(EXPERIMENTS, json=SMALL)).status_code for _ in range(MOST)]
    assert statuses == [201] * MOST
    refused = await client.post(EXPERIMENTS, json=SMALL)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 600 / MOST
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert "step or watch" in refused.json()["detail"]
    upload = await client.post(TABLES, content=TABLE, headers=CSV)
    assert upload.status_code == 429, "uploads count with experiments"


async def test_what_is_stepped_watched_or_changed_does_not_count(served: Served) -> None:
    app, client = served
    for number in range(3 * MOST):
        one = await created(client)
        if number % 3 == 0:
            assert (await one.ask("POST", "/step", {"steps": 1})).status_code == 200
        elif number % 3 == 1:
            assert (await one.ask("PATCH", "/runs/gd", {"label": "mine"})).status_code == 200
        else:
            await watched(client, one.id)
    assert len(app.state.lab._registry.entries) == 3 * MOST


async def watched(client: httpx.AsyncClient, id: str) -> None:
    """Watch an experiment without its token, and wait for its state."""
    line = (await client.post("/api/v1/lines")).json()
    here, key = f"/api/v1/lines/{line['line']}", {"Authorization": f"Bearer {line['key']}"}
    watch = {"type": "watch", "experiment": id}
    await client.post(f"{here}/messages", json={"seq": 1, "messages": [watch]}, headers=key)
    answer = await client.get(f"{here}/messages", params={"after": 0, "wait": 10}, headers=key)
    assert json.loads(answer.text)["messages"][0]["type"] == "experiment"
    await client.delete(here, headers=key)


async def test_looking_and_failing_are_no_use_and_no_creation(served: Served) -> None:
    _, client = served
    for _ in range(2 * MOST):
        assert (await client.post(EXPERIMENTS, json={"data": {"name": "nothing"}})).status_code == 422
    for _ in range(MOST):
        one = await created(client)
        assert (await one.get()).status_code == 200
    assert (await client.post(EXPERIMENTS, json=SMALL)).status_code == 429


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        (TABLES, b"a,b\n" + b"1,2\n" * 5_001, "text/csv"),
        (TABLES, b"a,b\n" + b"x,y\n" * 9, "text/csv"),
        ("/api/v1/parameters", b"PK", "application/octet-stream"),
    ],
)
async def test_an_upload_that_is_parsed_and_refused_counts_like_one_that_is_accepted(
    served: Served, path: str, body: bytes, content_type: str
) -> None:
    _, client = served
    headers = {"Content-Type": content_type}
    statuses = [(await client.post(path, content=body, headers=headers)).status_code for _ in range(MOST + 1)]
    assert statuses == [422] * MOST + [429]


async def test_an_upload_that_an_experiment_uses_does_not_count(served: Served) -> None:
    _, client = served
    for _ in range(2 * MOST):
        table = await client.post(TABLES, content=TABLE, headers=CSV)
        assert table.status_code == 201, table.text
        one = await created(client, {"data": {"name": "csv", "dataset": table.json()["id"], "target": "b"}})
        assert (await one.ask("POST", "/step", {"steps": 1})).status_code == 200


async def test_a_loop_of_one_address_refuses_nobody_at_another_and_no_present_owner(served: Served) -> None:
    app, client = served
    key = "00112233445566778899aabbccddeeff"
    mine = await client.post(EXPERIMENTS, json=SMALL, headers={"Fallline-Owner": key})
    for _ in range(MOST):
        await client.post(EXPERIMENTS, json=SMALL)
    assert (await client.post(EXPERIMENTS, json=SMALL)).status_code == 429
    elsewhere = httpx.ASGITransport(app, client=("192.0.2.9", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://localhost") as other:
        assert (await other.post(EXPERIMENTS, json=SMALL)).status_code == 201
    app.state.lab.acknowledged(mine.json()["id"])  # as a socket of the owner does
    again = await client.post(EXPERIMENTS, json=SMALL, headers={"Fallline-Owner": key})
    assert again.status_code == 201, "beside a loop, those who are there go on"
    owned = {"Fallline-Owner": key, "Content-Type": "application/octet-stream"}
    file = (await client.get(f"{EXPERIMENTS}/{mine.json()['id']}/export/parameters.npz?run=gd")).content
    uploaded = await client.post("/api/v1/parameters", content=file, headers=owned)
    assert uploaded.status_code == 201, "also with parameters"
