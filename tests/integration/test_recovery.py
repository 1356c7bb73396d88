"""A server that is killed or cannot start: everything acknowledged survives.

The numbers equal the numbers of a twin without interruptions.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from fallline.services import store_thread
from fallline.storage.interface import StoreUnwritable
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.vocabulary.journal import Record
from support.aliases import Json
from support.serving import BACKEND, NUMPY, Experiment, Server, created, open_app, open_server

RECIPE: Json = {"data": {"samples": 200, "test_fraction": 0.2}}

PATIENCE = 90.0
"""Seconds, for a machine that has other things to do."""


def client_of(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=PATIENCE)


def at(client: httpx.AsyncClient, one: Experiment) -> Experiment:
    """Return the same experiment on another server."""
    return Experiment(client, one.id, one.token)


async def done(one: Experiment, method: str, path: str, body: Any = None, **headers: str) -> Json:
    answer = await one.ask(method, path, body, **headers)
    assert answer.is_success, answer.text
    values: Json = answer.json()
    return values


def runs_of(state: Json) -> dict[str, Json]:
    return {run["name"]: run for run in state["runs"]}


async def numbers_of(one: Experiment, run: str, until: int) -> Json:
    """Return parameters and history of a run up to a step, without costs."""
    snapshot = (await one.get(f"/runs/{run}/snapshot", step=until)).json()
    history = (await one.get(f"/runs/{run}/history", until=until - 1, buckets=10_000)).json()
    assert history["last"][-1] == until - 1
    return {"snapshot": {**snapshot, "generation": 0}, "series": history["series"], "first": history["first"]}


MOST_STEPS = 1_000_000
"""Steps of one request."""


async def assert_equals_a_twin(one: Experiment) -> None:
    """Check that a new experiment with the same recipe has the same numbers."""
    recipe = (await one.get("/recipe")).json()
    runs = runs_of((await one.get()).json())
    twin = await created(one.client, recipe)
    for name, run in runs.items():
        for first in range(0, run["step"], MOST_STEPS):
            await done(twin, "POST", "/step", {"steps": min(run["step"] - first, MOST_STEPS), "run": name})
        if run["step"]:
            assert await numbers_of(one, name, run["step"]) == await numbers_of(twin, name, run["step"])
    await twin.ask("DELETE", "")


async def settled(one: Experiment) -> Json:
    """Return the state after the Doctor, which may run later, has seen it."""
    before = None
    while (now := await one.settled()) != before:
        before = now
        await asyncio.sleep(0.5)
    return now


def stored_step(folder: Path, one: Experiment, run: str) -> int:
    """Return where a run stands by the files of a server at work; -1 if they changed while they were copied."""
    with tempfile.TemporaryDirectory() as there, suppress(sqlite3.DatabaseError, FileNotFoundError):
        for file in folder.glob(f"{NAME}*"):
            shutil.copy(file, there)
        with closing(sqlite3.connect(Path(there) / NAME)) as connection:
            query = "SELECT progress FROM experiment WHERE id = ?"
            ((progress,),) = connection.execute(query, (one.id,))
        return int(json.loads(progress)["runs"][run]["step"])
    return -1


async def test_after_a_kill_in_full_play_everything_acknowledged_is_there_with_the_same_numbers(
    tmp_path: Path,
) -> None:
    data = {"FALLLINE_DATA": str(tmp_path)}
    with open_server(**data) as server:
        async with client_of(server) as client:
            still, moving, stepping = [await created(client, RECIPE) for _ in range(3)]
            await done(still, "POST", "/step", {"steps": 1234})
            await done(still, "PATCH", "/runs/gd", {"batch_size": 1, "label": "was full"})
            await done(still, "POST", "/step", {"steps": 321})
            fork = {"name": "fork", "fork_of": "gd", "at_step": 1000, "optimizer": "adam"}
            await done(still, "POST", "/runs", fork)
            await done(still, "POST", "/reset", {"run": "sgd"})
            before = await settled(still)
            await done(moving, "POST", "/play", {"speed": "max"})
            await asyncio.sleep(1.5)
            edit = await done(moving, "PATCH", "/runs/sgd", {"learning_rate": 0.02})
            await asyncio.sleep(0.5)
            played = runs_of((await moving.get()).json())
            cut = asyncio.create_task(
                stepping.ask("POST", "/step", {"steps": 1_000_000}, **{"Idempotency-Key": "k"})
            )
            while not all(run["step"] for run in runs_of((await stepping.get()).json()).values()):
                await asyncio.sleep(0.05)
            while any(stored_step(tmp_path, moving, name) < run["step"] for name, run in played.items()):
                await asyncio.sleep(0.2)
            server.end(signal.SIGKILL)
            assert isinstance((await asyncio.gather(cut, return_exceptions=True))[0], httpx.TransportError)
    with open_server(**data) as server:
        async with client_of(server) as client:
            still, moving, stepping = (at(client, one) for one in (still, moving, stepping))
            assert await still.settled() == before
            await assert_equals_a_twin(still)
            state = (await moving.get()).json()
            assert state["playing"]
            paused = runs_of(await done(moving, "POST", "/pause"))
            for name, run in paused.items():
                assert run["step"] >= edit["at_step"]
                assert run["generation"] == 1, "steps were seen that may not have been stored"
                assert run["step"] >= played[name]["step"], "where it stands was stored"
            await assert_equals_a_twin(moving)
            halfway = runs_of((await stepping.get()).json())
            assert all(run["step"] < 1_000_000 and run["status"] == "paused" for run in halfway.values())
            assert (
                await stepping.ask("POST", "/step", {"steps": 1}, **{"Idempotency-Key": "k"})
            ).status_code == 422


async def test_a_repeat_after_a_kill_is_answered_and_not_done_again(tmp_path: Path) -> None:
    data = {"FALLLINE_DATA": str(tmp_path), **NUMPY}
    key = {"Idempotency-Key": "0b5c"}
    with open_server(**data) as server:
        async with client_of(server) as client:
            one = await created(client)
            first = await done(one, "POST", "/step", {"steps": 20}, **key)
            await done(one, "POST", "/step", {"steps": 20})
            server.end(signal.SIGKILL)
    with open_server(**data) as server:
        async with client_of(server) as client:
            one = at(client, one)
            assert await done(one, "POST", "/step", {"steps": 20}, **key) == first
            assert runs_of((await one.get()).json())["gd"]["step"] == 40


async def test_a_watcher_resumes_without_a_gap_after_a_clean_restart(tmp_path: Path) -> None:
    data = {"FALLLINE_DATA": str(tmp_path), **NUMPY}
    with open_server(**data) as server:
        async with client_of(server) as client:
            one = await created(client)
            await done(one, "POST", "/play", {"speed": 200})
            await asyncio.sleep(0.5)
            first = (await first_frames(server, one, {}))["gd"]
            status, _ = server.end()
            assert status == 0
    with open_server(**data) as server:
        since = {"gd": {"generation": first["generation"], "step": first["columns"]["last"][-1] + 1}}
        news = (await first_frames(server, one, since))["gd"]
        assert news["generation"] == first["generation"]
        assert news["columns"]["first"][0] == since["gd"]["step"]


async def first_frames(server: Server, one: Experiment, since: Json) -> dict[str, Json]:
    """Return the first frame with steps of gd."""
    async with connect(server.socket_url, max_size=None) as line:
        await line.send(
            json.dumps({"type": "watch", "experiment": one.id, "token": one.token, "since": since})
        )
        while True:
            message = json.loads(await asyncio.wait_for(line.recv(), PATIENCE))
            if message["type"] == "frame" and message["runs"].get("gd", {}).get("columns", {}).get("first"):
                runs: dict[str, Json] = message["runs"]
                return runs


async def test_with_memory_nothing_is_kept_and_nothing_is_written(tmp_path: Path) -> None:
    data = {"FALLLINE_DATA": str(tmp_path / "data"), **NUMPY}
    with open_server("--memory", **data) as server:
        async with client_of(server) as client:
            one = await created(client)
            await done(one, "POST", "/step", {"steps": 20})
            server.end()
    assert list(tmp_path.iterdir()) == []


async def test_only_the_hash_of_a_token_is_stored(tmp_path: Path) -> None:
    with open_server(FALLLINE_DATA=str(tmp_path), **NUMPY) as server:
        async with client_of(server) as client:
            one = await created(client)
            await done(one, "POST", "/step", {"steps": 20}, **{"Idempotency-Key": "k"})
            server.end()
        assert one.token not in server.output
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(one.token.encode() in path.read_bytes() for path in files)


async def test_a_server_that_cannot_write_refuses_changes_until_it_can(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").touch()  # in place of the folder
    with open_server(FALLLINE_DATA=str(tmp_path / "data"), **NUMPY) as server:
        async with client_of(server) as client:
            for path in ("/readyz", "/api/v1/experiments/x"):
                answer = await client.get(path)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
                assert answer.json()["type"] == "/problems/read-only"
                assert str(tmp_path) not in answer.text
            health = (await client.get("/healthz")).json()
            assert (health["read_only"], health["storage"].split()[0]) == (True, "SQLite")
            assert (await client.get("/api/v1/catalog")).status_code == 200
            assert (await client.post("/api/v1/experiments", json={})).status_code == 503
            async with connect(server.socket_url) as line:
                await line.send(json.dumps({"type": "watch", "experiment": "x"}))
                refusal = json.loads(await asyncio.wait_for(line.recv(), PATIENCE))
                assert refusal["problem"]["type"] == "/problems/read-only"
                await asyncio.wait_for(line.wait_closed(), PATIENCE)
                assert line.close_code == 1012, "come back"
            (tmp_path / "data").unlink()
            while (await client.get("/readyz")).status_code == 503:
                await asyncio.sleep(0.05)
            one = await created(client)
            assert runs_of(await done(one, "POST", "/step", {"steps": 3}))["gd"]["step"] == 3
        assert server.output.count("the store is not writable") == 1


async def test_a_disk_that_fills_up_costs_no_acknowledged_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, is_full = SqliteStore.write, False

    def on_a_full_disk(self: SqliteStore, records: Sequence[Record]) -> None:
        if is_full:
            raise StoreUnwritable("no room")
        write(self, records)

    monkeypatch.setattr(SqliteStore, "write", on_a_full_disk)
    monkeypatch.setattr(store_thread, "RETRY_SECONDS", 0.2)
    async with open_app(data=tmp_path) as (_, client):
        one = await created(client, RECIPE)
        await done(one, "POST", "/step", {"steps": 30})
        before = await one.settled()
        is_full = True
        answers = [await one.ask("PATCH", "/runs/gd", {"batch_size": 1}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert answers[0].headers["retry-after"] == "5"
        is_full = False
        while (await client.get("/readyz")).status_code == 503:
            await asyncio.sleep(0.02)
        assert await one.settled() == before
        assert (await done(one, "PATCH", "/runs/gd", {"batch_size": 1}))["at_step"] == 30


def refused(data: Path) -> str:
    """Return the output of a server that does not start."""
    environment = {**os.environ, "PYTHONPATH": str(BACKEND), "FALLLINE_DATA": str(data), **NUMPY}
    ended = subprocess.run(
        [sys.executable, "-m", "fallline", "serve", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def test_a_second_server_on_the_same_folder_says_so_in_one_line(tmp_path: Path) -> None:
    with open_server(FALLLINE_DATA=str(tmp_path), **NUMPY) as server:
        assert "another fallline uses" in refused(tmp_path)
        assert httpx.get(f"{server.url}readyz", timeout=PATIENCE).status_code == 200


def test_an_unusable_file_is_reported_in_one_line_and_not_changed(tmp_path: Path) -> None:
    with open_server(FALLLINE_DATA=str(tmp_path), **NUMPY) as server:
        assert httpx.post(f"{server.url}api/v1/experiments", json={}, timeout=PATIENCE).status_code == 201
        server.end()
    whole = (tmp_path / NAME).read_bytes()
    newer = tmp_path / "newer"
    newer.mkdir()
    shutil.copy(tmp_path / NAME, newer)
    connection = sqlite3.connect(newer / NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / NAME).write_bytes(whole[: len(whole) // 2])
    for folder, words in ((newer, "newer fallline"), (damaged, "is damaged")):
        before = (folder / NAME).read_bytes()
        assert words in refused(folder)
        assert (folder / NAME).read_bytes() == before
