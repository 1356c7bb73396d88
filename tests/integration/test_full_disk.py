"""A disk that fills up: the server refuses changes, loses none, and recovers.

The kernel refuses the writes of a real server here; `make fulldisk` uses a real file system.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
from collections import namedtuple
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from fallline.storage.disk import NAME as RESERVE
from fallline.storage.disk import ROOM_BYTES, room_on
from fallline.storage.interface import StoreUnwritable
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary.journal import JournalBatch, Moment, NewExperiment, Record, entry
from powerloss.recording import Recording
from support.aliases import Json
from support.serving import NUMPY, Experiment, Server, created, open_app, open_program

PROGRAM = Path(__file__).parents[1] / "support" / "full_disk.py"
PATIENCE = 90.0
"""Seconds, for a machine that has other things to do."""

Usage = namedtuple("Usage", ("total", "used", "free"))


@asynccontextmanager
async def opened(data: Path, full: Path) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    """A server whose disk is full while this file exists."""
    with open_program((str(PROGRAM), str(full)), FALLLINE_DATA=str(data), **NUMPY) as server:
        async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=PATIENCE) as client:
            yield server, client


async def writable_again(client: httpx.AsyncClient) -> None:
    while (await client.get("/readyz")).status_code == 503:
        await asyncio.sleep(0.05)


async def next_event(line: ClientConnection, event: str) -> Json:
    """Return the next event with this name."""
    while True:
        message: Json = json.loads(await asyncio.wait_for(line.recv(), PATIENCE))
        if message.get("event") == event:
            return message


def assert_read_only(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "/problems/read-only"


async def test_a_full_disk_is_reported_loses_nothing_acknowledged_and_is_overcome(
    tmp_path: Path,
) -> None:
    full = tmp_path / "full"
    async with opened(tmp_path / "data", full) as (server, client):
        one, other = await created(client), await created(client)
        assert (await one.ask("POST", "/step", {"steps": 40})).is_success
        before = await one.settled()
        async with connect(server.socket_url, max_size=None) as line:
            # Watchers of the experiment that was not stored must reconnect; others get the news on this socket.
            await line.send(json.dumps({"type": "watch", "experiment": other.id}))
            assert json.loads(await asyncio.wait_for(line.recv(), PATIENCE))["type"] == "experiment"
            full.touch()
            key = {"Idempotency-Key": "edit"}
            assert_read_only(await one.ask("PATCH", "/runs/gd", {"batch_size": 1}, **key))
            assert (await next_event(line, "storage"))["read_only"] is True
            for method, path, body in (
                ("POST", "/step", {"steps": 3}),
                ("POST", "/play", {}),
                ("POST", "/reset", {}),
                ("POST", "/runs", {"name": "more"}),
                ("DELETE", "", None),
            ):
                assert_read_only(await one.ask(method, path, body))
            assert_read_only(await client.post("/api/v1/experiments", json={}))
            assert_read_only(await client.get("/readyz"))
            assert (await client.get("/healthz")).json()["read_only"] is True
            # stored experiments can be read
            assert await one.settled() == {**before, "read_only": True}
            assert (await one.get("/runs/gd/snapshot", step=20)).json()["step"] == 20
            assert (await one.get("/export/recipe.json")).json() == before["recipe"]
            full.unlink()
            await writable_again(client)
            assert (await next_event(line, "storage"))["read_only"] is False
        async with connect(server.socket_url, max_size=None) as line:
            await line.send(json.dumps({"type": "watch", "experiment": one.id, "token": one.token}))
            assert json.loads(await asyncio.wait_for(line.recv(), PATIENCE))["type"] == "experiment"
            for _ in range(2):  # the command that was refused before is now done, once
                assert (await one.ask("PATCH", "/runs/gd", {"batch_size": 1}, **key)).json()["at_step"] == 40
            assert (await next_event(line, "edit"))["edit"]["batch_size"] == 1
        after = (await one.get()).json()
        assert [run["step"] for run in after["runs"]] == [40, 40]
        assert len(after["recipe"]["runs"][0]["edits"]) == 1
        assert "the store is not writable" in server.output
        assert "the store is writable again" in server.output


async def test_a_server_killed_on_a_full_disk_starts_with_everything_acknowledged(
    tmp_path: Path,
) -> None:
    full = tmp_path / "full"
    async with opened(tmp_path / "data", full) as (server, client):
        one = await created(client)
        await one.ask("POST", "/step", {"steps": 40})
        acknowledged = (await one.get()).json()["runs"]
        full.touch()
        assert_read_only(await one.ask("POST", "/step", {"steps": 3}))
        server.end(signal.SIGKILL)
    async with opened(tmp_path / "data", full) as (_, client):
        again = Experiment(client, one.id, one.token)
        assert_read_only(await again.ask("POST", "/step", {"steps": 3}))
        full.unlink()
        await writable_again(client)
        assert [run["step"] for run in (await again.get()).json()["runs"]] == [40, 40]
        stepped = (await again.ask("POST", "/step", {"steps": 3})).json()
        assert [run["step"] for run in stepped["runs"]] == [43, 43]
    assert [run["step"] for run in acknowledged] == [40, 40]


@pytest.mark.parametrize(
    ("total", "free", "is_enough"),
    [
        (1 << 40, 5 << 20, True),
        (1 << 40, 3 << 20, False),
        (2 << 20, 1 << 19, True),
        (2 << 20, 1 << 17, False),
    ],
)
def test_small_and_large_disks_become_writable_once_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, is_enough: bool
) -> None:
    store = SqliteStore(tmp_path)
    store.open()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(total, total - free, free))
    if is_enough:
        store.try_writing()
    else:
        with pytest.raises(StoreUnwritable, match="is almost full"):
            store.try_writing()
    store.close()
    assert ROOM_BYTES == 4 << 20


class SmallDisk(Recording):
    """A disk of so many bytes, for SQLite and the reserve file of one folder."""

    def __init__(self, folder: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self._of, self.size = folder, size
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _: Usage(max(self.size, 1 << 20), self.used, self.free)
        )
        monkeypatch.setattr(os, "posix_fallocate", self._allocate)

    @property
    def used(self) -> int:
        return sum(file.stat().st_size for file in self._of.iterdir())

    @property
    def free(self) -> int:
        return self.size - self.used

    def takes(self, name: str, end: int) -> bool:
        return end - (self._of / name).stat().st_size <= self.free

    def _allocate(self, file: int, start: int, size: int) -> None:
        if start + size - os.fstat(file).st_size > self.free:
            raise OSError(errno.ENOSPC, "no room")
        os.ftruncate(file, start + size)


EDITS = [{"at_step": 100_000 + step, "learning_rate": 0.01} for step in range(100)]


async def filled(client: httpx.AsyncClient) -> list[Experiment]:
    """Create experiments of several KB until one is refused."""
    recipe = {"data": {"samples": 60}, "runs": [{"edits": EDITS}]}
    experiments: list[Experiment] = []
    while True:
        answer = await client.post("/api/v1/experiments", json=recipe)
        if answer.status_code == 503:
            assert_read_only(answer)
            return experiments
        one = Experiment(client, answer.json()["id"], answer.json()["token"])
        experiments.append(one)
        stepped = await one.ask("POST", "/step", {"steps": 40})
        assert stepped.status_code in (200, 503)


async def test_on_a_full_disk_deletions_free_space_for_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SmallDisk(tmp_path, 1 << 20, monkeypatch)
    with disk.recorded():
        async with open_app(data=tmp_path, kernel="numpy", stored_mb=1000) as (app, client):
            experiments = await filled(client)
            deleted_ones = []
            while app.state.lab.is_read_only:
                deleted_ones.append(one := experiments.pop())
                assert (await one.ask("DELETE", "")).status_code == 204
                assert (await one.get()).status_code == 404
            assert disk.free >= room_on(tmp_path)
            assert (tmp_path / RESERVE).stat().st_size == 2 * room_on(tmp_path)
            assert (await experiments[0].ask("POST", "/step", {"steps": 5})).is_success
            before = [await one.settled() for one in experiments[:5]]
            again = await filled(client)
            assert again
            assert (await again[0].ask("DELETE", "")).status_code == 204, "and once more"
            again.pop(0)
        async with open_app(data=tmp_path, kernel="numpy", stored_mb=1000) as (app, client):
            after = [await Experiment(client, one.id, one.token).settled() for one in experiments[:5]]
            assert after == [{**each, "read_only": after[0]["read_only"]} for each in before]
            assert set(app.state.lab._registry.entries) == {one.id for one in (*experiments, *again)}


async def test_deletions_that_could_be_undone_make_room_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SmallDisk(tmp_path, 1 << 20, monkeypatch)
    with disk.recorded():
        async with open_app(data=tmp_path, kernel="numpy", stored_mb=1000) as (app, client):
            experiments = await filled(client)
            while app.state.lab.is_read_only:
                assert (await experiments.pop().ask("DELETE", "")).status_code == 204
            stay = [experiments.pop() for _ in range(3)]
            undos = [(await one.ask("DELETE", "")).headers.get("fallline-undo") for one in experiments]
            assert any(undos), "these can come back, so their bytes are still in use"
            await filled(client)
            async with asyncio.timeout(PATIENCE):
                while app.state.lab.is_read_only:
                    await asyncio.sleep(0.05)
            assert [(await one.get()).status_code for one in stay] == [200] * 3


async def test_in_a_read_only_folder_nothing_is_deleted(tmp_path: Path) -> None:
    full = tmp_path / "full"
    async with opened(tmp_path / "data", full) as (_, client):
        one = await created(client)
        full.touch()
        assert_read_only(await one.ask("DELETE", ""))
        assert (await one.get()).status_code == 200
        full.unlink()
        await writable_again(client)
        assert (await one.ask("DELETE", "")).status_code == 204


def begun(id: str, size: int) -> Record:
    written = JournalBatch((entry("began"),), {"playing": False}, parts=(("gd", "head", b"x" * size),))
    return Record(id, Moment(1.0, 1.0), 0, written, NewExperiment(b"hash"))


def test_free_pages_return_to_a_disk_without_any_room_for_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SmallDisk(tmp_path, 4 << 20, monkeypatch)
    with disk.recorded():
        store = SqliteStore(tmp_path)
        store.open()
        for number in range(40):
            store.write([begun(f"{number}", 30_000)])
        store.delete([f"{number}" for number in range(35)])
        store.close()
        store.open()  # with an empty log
        (tmp_path / "something-else").write_bytes(bytes(disk.free))
        store.try_writing()
        assert disk.free >= room_on(tmp_path)
        assert (tmp_path / RESERVE).stat().st_size == 2 * room_on(tmp_path)
        store.write([begun("new", 30_000)])
        assert {each.id for each in store.experiments()} == {"35", "36", "37", "38", "39", "new"}
        store.close()


def test_stored_experiments_can_be_read_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SmallDisk(tmp_path, 1 << 20, monkeypatch)
    with disk.recorded():
        store = SqliteStore(tmp_path)
        store.open()
        store.write([begun("x", 50_000)])
        shutil.copytree(tmp_path, crashed := tmp_path.with_name("crashed"))
        store.close()
        disk.size = disk.used
        store.open()
        assert [each.id for each in store.experiments()] == ["x"]
        assert store.load("x") is not None
        with pytest.raises(StoreUnwritable):
            store.write([begun("y", 50_000)])
        assert [each.id for each in store.experiments()] == ["x"]
        store.close()
    disk = SmallDisk(crashed, 1, monkeypatch)
    disk.size = disk.used
    with disk.recorded():
        store = SqliteStore(crashed)
        store.open()
        assert [each.id for each in store.experiments()] == ["x"], "of the log of one that was killed"
        store.close()
