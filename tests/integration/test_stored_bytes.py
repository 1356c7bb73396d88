"""Storage limits: a full share and a full disk refuse new data, lose nothing, and take deletions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fallline.services import lab
from fallline.storage.sqlite import SqliteStore
from support.serving import SMALL, Experiment, created, open_app

CSV = {"Content-Type": "text/csv"}
RUNS = ("gd", "b", "c", "d")
EDITS = [{"at_step": 100_000 + number, "learning_rate": 0.01} for number in range(400)]
"""Some 60 KB to store."""
TABLE = b"a,b\n1,2\n3,4\n5,7\n"


@dataclass
class World:
    """A server, one person at two addresses, and her experiment with most of the stored bytes."""

    lab: Any
    client: httpx.AsyncClient
    elsewhere: httpx.AsyncClient
    mine: Experiment

    @property
    def used(self) -> int:
        used: int = self.lab._room.used
        return used

    async def create(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/api/v1/experiments", json=SMALL)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_app(kernel="numpy", data=tmp_path) as (app, client):
        mine = await created(client, {**SMALL, "runs": [{"name": name, "edits": EDITS} for name in RUNS]})
        assert (await mine.ask("POST", "/step", {"steps": 300})).status_code == 200
        transport = httpx.ASGITransport(app, client=("192.0.2.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as elsewhere:
            yield World(app.state.lab, client, elsewhere, mine)


def assert_full(answer: httpx.Response, what: str) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (507, "60"), answer.text
    assert answer.json()["type"] == "/problems/storage-full"
    assert answer.json()["retry_after"] == 60
    assert answer.json()["detail"].startswith(f"{what} hold ")
    assert "delete experiments" in answer.json()["detail"]


async def test_a_full_share_is_refused_what_is_new_and_others_are_not(world: World) -> None:
    world.lab._room.limit(1.5 * world.used)
    assert_full(await world.create(world.client), "your experiments")
    assert_full(await world.client.post("/api/v1/datasets", content=TABLE, headers=CSV), "your experiments")
    assert (await world.create(world.elsewhere)).status_code == 201
    uploaded = await world.elsewhere.post("/api/v1/datasets", content=TABLE, headers=CSV)
    assert uploaded.status_code == 201
    assert (await world.mine.ask("POST", "/step", {"steps": 1})).status_code == 200, "it goes on"


async def test_a_full_disk_refuses_what_grows_and_nothing_else(world: World) -> None:
    mine = world.mine
    key = {"Idempotency-Key": "before"}
    assert (await mine.ask("POST", "/step", {"steps": 2}, **key)).status_code == 200
    stepped = (await mine.get()).json()["runs"][0]["step"]
    world.lab._room.limit(world.used)
    for answer in (
        await world.create(world.elsewhere),
        await mine.ask("POST", "/step", {"steps": 1}),
        await mine.ask("POST", "/play"),
        await mine.ask("POST", "/runs", {"name": "e"}),
        await mine.ask("PATCH", "/runs/gd", {"learning_rate": 0.02}),
    ):
        assert_full(answer, "all experiments and uploads")
    repeated = await mine.ask("POST", "/step", {"steps": 2}, **key)
    assert repeated.status_code == 200, "it was done before"
    assert (await mine.get()).json()["runs"][0]["step"] == stepped
    for path in ("/recipe", "/export/report.html", "/runs/gd/history"):
        assert (await mine.get(path)).status_code == 200
    assert (await mine.ask("POST", "/pause")).status_code == 200
    assert (await mine.ask("DELETE", "/runs/d")).status_code == 204
    reset = await mine.ask("POST", "/reset")
    assert reset.status_code == 200
    undone = await world.client.post(f"/api/v1/undo/{reset.json()['undo']}", headers=mine.authorized)
    assert undone.status_code == 200
    assert undone.json()["runs"][0]["step"] == stepped


async def test_pauses_on_a_full_disk_do_not_fill_it_for_ever(world: World) -> None:
    """Each answer is stored under its key, so that a repeat gets it."""
    mine, most, store = world.mine, lab.MOST_FREEING, world.lab._store
    world.lab._room.limit(world.used)
    for number in range(most):
        answer = await mine.ask("POST", "/pause", **{"Idempotency-Key": f"pause-{number}"})
        assert answer.status_code == 200
    full = store.stored_bytes
    for what in ("/pause", "/reset"):
        assert_full(
            await mine.ask("POST", what, **{"Idempotency-Key": f"more-{what[1:]}"}),
            "all experiments and uploads",
        )
    assert (await mine.ask("POST", "/pause", **{"Idempotency-Key": "pause-0"})).status_code == 200, (
        "done before"
    )
    assert store.stored_bytes == full
    assert (await mine.ask("DELETE", "")).status_code == 204


async def test_a_deletion_makes_room_at_once_and_its_undo_gives_way(world: World) -> None:
    other = await created(world.elsewhere)
    await world.mine.ask("POST", "/pause")
    world.lab._room.limit(world.used)
    assert_full(await world.create(world.elsewhere), "all experiments and uploads")
    deleted = await world.mine.ask("DELETE", "")
    assert (deleted.status_code, "fallline-undo" in deleted.headers) == (204, True)
    assert (await world.create(world.elsewhere)).status_code == 201
    undo = f"/api/v1/undo/{deleted.headers['fallline-undo']}"
    assert (await world.client.post(undo, headers=world.mine.authorized)).status_code == 410
    assert (await other.get()).status_code == 200, "nobody else lost anything"


async def test_the_bytes_are_counted_with_each_change_and_again_after_a_restart(tmp_path: Path) -> None:
    stored: dict[str, int] = {}
    for number, steps in enumerate((50, 1), start=1):
        async with open_app(kernel="numpy", data=tmp_path, stored_mb=7) as (app, client):
            store, room = app.state.lab._store, app.state.lab._room
            assert room.plenty == 3.5 * 2**20
            assert await store.sizes() == stored
            one = await created(client)
            assert (await one.ask("POST", "/step", {"steps": steps})).status_code == 200
            await client.post("/api/v1/datasets", content=TABLE, headers=CSV)
            async with asyncio.timeout(60):  # states may still be on their way
                while room.used != sum((await store.sizes()).values()) + number * len(TABLE):
                    await asyncio.sleep(0.01)
            assert store.size_of(one.id) > 500
        stored = in_the_file(tmp_path)
        assert len(stored) == number


def in_the_file(folder: Path) -> dict[str, int]:
    """The bytes in the file of a stopped server."""
    store = SqliteStore(folder)
    store.open_unchanged()
    try:
        return store.sizes()
    finally:
        store.close()
