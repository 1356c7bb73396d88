"""Backups of a server under load and kills: everything acknowledged before one is in it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from fallline.cli import main
from fallline.operation.control import NAME as SOCKET
from fallline.storage.sqlite import NAME
from fallline.vocabulary.journal import log_id
from support.aliases import Json
from support.serving import BACKEND, NUMPY, Experiment, Server, created, open_program, open_server

PROGRAM = Path(__file__).parents[1] / "support" / "backup_server.py"
OLDER = Path(__file__).parents[1] / "golden" / "stored" / "version-1-tables-3.sqlite3"
RECIPE: Json = {"data": {"samples": 60}, "runs": [{"name": "gd", "learning_rate": 0.01}]}


def environment_of(data: Path, **more: str) -> dict[str, str]:
    return {
        **NUMPY,
        "FALLLINE_DATA": str(data),
        "FALLLINE_REQUESTS_PER_SECOND": "100000",
        "FALLLINE_LOG_LEVEL": "warning",
        **more,
    }


async def run(data: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; return its exit status and its output."""

    def run_here() -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in environment_of(data).items():
                patch.setenv(name, value)
            return main(arguments), out.getvalue(), err.getvalue()

    return await asyncio.to_thread(run_here)


async def done(data: Path, *arguments: str) -> Json:
    """Run a command that must succeed; return its answer."""
    status, out, err = await run(data, *arguments, "--json")
    assert (status, err) == (0, ""), err
    answer: Json = json.loads(out)
    return answer


@dataclass
class Edited:
    """An experiment that plays, and its acknowledged edits: step and learning rate, in order."""

    one: Experiment
    edits: list[tuple[int, float]] = field(default_factory=list)
    is_over: bool = False

    async def edit(self) -> None:
        """Edit until it is over, or the server is killed."""
        rate = 0.001
        with contextlib.suppress(httpx.TransportError):
            while not self.is_over:
                rate += 1e-6
                answer = await self.one.ask("PATCH", "/runs/gd", {"learning_rate": rate})
                assert answer.status_code == 200, answer.text
                self.edits.append((answer.json()["at_step"], rate))
                await asyncio.sleep(0.05)

    async def check(self, client: httpx.AsyncClient, acknowledged: int) -> None:
        """Check that the first edits are there. Later ones at the same step may have replaced them."""
        answer = await client.get(self.one.here)
        assert answer.status_code == 200, f"an experiment is lost: {answer.text}"
        (run,) = answer.json()["recipe"]["runs"]
        stored = {edit["at_step"]: edit["learning_rate"] for edit in run["edits"]}
        for place, (step, rate) in enumerate(self.edits[:acknowledged]):
            later = [each for at, each in self.edits[place:] if at == step]
            assert stored.get(step) in later, f"the edit at {step} to {rate} is lost: {stored.get(step)}"


@asynccontextmanager
async def playing(server: Server, count: int) -> AsyncIterator[list[Edited]]:
    """Create experiments that play, and edit them all the time."""
    async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=60) as client:
        experiments = [Edited(await created(client, RECIPE)) for _ in range(count)]
        for each in experiments:
            assert (await each.one.ask("POST", "/play", {"speed": 30})).is_success
        tasks = [asyncio.create_task(each.edit()) for each in experiments]
        try:
            yield experiments
        finally:
            for each in experiments:  # a request that is cancelled would leave its connection open
                each.is_over = True
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert [one for one in ended if isinstance(one, AssertionError)] == []


async def edited(experiments: list[Edited], more: int) -> None:
    """Wait for more edits of each experiment."""
    expected = [len(each.edits) + more for each in experiments]
    while any(len(each.edits) < least for each, least in zip(experiments, expected, strict=True)):
        await asyncio.sleep(0.02)


async def backed_up_killed_and_restored(folder: Path, count: int, mutant: str = "none") -> None:
    """Back up while experiments play, kill the server, restore, and look for each acknowledged edit."""
    data, backups = folder / "data", folder / "backups"
    backups.mkdir()
    with open_program((str(PROGRAM), mutant), **environment_of(data)) as server:
        async with playing(server, count) as experiments:
            await edited(experiments, 3)
            acknowledged = [len(each.edits) for each in experiments]
            answer = await done(data, "backup", str(backups))
            await edited(experiments, 2)
            server.end(signal.SIGKILL)
    assert answer["experiments"] == count, f"{count - answer['experiments']} experiments are lost"
    restored = await done(data, "restore", answer["path"])
    assert Path(restored["replaced"]).exists()
    with open_server(**environment_of(data)) as server:
        async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=60) as client:
            for each, edits in zip(experiments, acknowledged, strict=True):
                await each.check(client, edits)
                state = (await client.get(each.one.here)).json()
                assert all(run["generation"] > 1 for run in state["runs"]), "clients start afresh"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [12, pytest.param(50, marks=pytest.mark.long)])
async def test_a_backup_during_play_and_a_kill_restore_every_acknowledged_change(
    tmp_path: Path, count: int
) -> None:
    await backed_up_killed_and_restored(tmp_path, count)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("mutant", "words"), [("without_log", "experiments are lost"), ("short", "the edit at .* is lost")]
)
async def test_a_backup_without_the_last_changes_is_noticed(tmp_path: Path, mutant: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        await backed_up_killed_and_restored(tmp_path, 6, mutant)


@pytest.mark.timeout(300)
async def test_the_server_stores_during_a_backup_and_a_kill_leaves_no_half_of_one(tmp_path: Path) -> None:
    data, backups = tmp_path / "data", tmp_path / "backups"
    backups.mkdir()
    with open_program((str(PROGRAM), "endless"), **environment_of(data)) as server:
        async with playing(server, 6) as experiments:
            await edited(experiments, 2)
            command = asyncio.create_task(run(data, "backup", str(backups)))
            partial = data / ".fallline-copy.partial" / NAME
            while not partial.exists():
                await asyncio.sleep(0.005)
            await edited(experiments, 2)
            assert partial.exists(), "the edits were acknowledged during the copy"
            server.end(signal.SIGKILL)
            status, _, error = await command
    assert (status, error) == (1, "fallline: the server ended before it answered\n")
    assert [path.name for path in backups.iterdir()] == []
    with open_server(**environment_of(data)) as server:
        async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=60) as client:
            for each in experiments:
                await each.check(client, len(each.edits))
        answer = await done(data, "backup", str(backups))
        assert answer["experiments"] == 6
        assert not partial.parent.exists()


async def test_a_backup_has_mode_600_one_file_and_every_experiment_and_upload(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "copy.sqlite3"
    with open_server(**environment_of(data)) as server:
        async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=60) as client:
            one = await created(client, RECIPE)
            answer = await client.post(
                "/api/v1/datasets", content=b"a,b\n1,2\n2,3\n3,5\n", headers={"Content-Type": "text/csv"}
            )
            assert answer.status_code == 201
            assert stat.S_IMODE((data / SOCKET).stat().st_mode) == 0o600
            command = (sys.executable, "-m", "fallline", "backup", str(file), "--json")
            environment = {**os.environ, "PYTHONPATH": str(BACKEND), **environment_of(data)}
            report = json.loads(await asyncio.to_thread(subprocess.check_output, command, env=environment))
            assert (report["experiments"], report["uploads"], report["damaged"]) == (1, 1, [])
            status, _, error = await run(data, "backup", str(file))
            assert (status, "exists" in error) == (1, True)
            assert (await done(data, "check"))["experiments"] == 1
            names = [each["name"] for each in (await done(data, "store", "ls"))["experiments"]]
            assert names == [log_id(one.id)]
            assert one.id not in str(await run(data, "store", "ls"))
            status, _, error = await run(data, "store", "rm", "nope")
            assert (status, error) == (
                1,
                "fallline: no experiment has the name nope: `fallline store ls` lists them\n",
            )
            assert (await done(data, "store", "rm", "--yes", *names))["removed"] == 1
            assert (await one.get()).status_code == 404
            status, _, error = await run(data, "restore", str(file))
            assert (status, "another fallline uses" in error) == (1, True)
            server.end()
    assert not (data / SOCKET).exists()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == ["copy.sqlite3"]
    assert (await done(data, "check", str(file)))["experiments"] == 1
    assert (await done(data, "store", "ls"))["experiments"] == [], "without a server"
    status, _, error = await run(data, "store", "rm", "nope")
    assert (status, error.count("\n"), "no experiment has the name nope" in error) == (1, 1, True)
    assert (await done(data, "restore", str(file)))["experiments"] == 1
    assert len((await done(data, "store", "ls"))["experiments"]) == 1
    assert (await done(data, "backup", str(tmp_path)))["experiments"] == 1


async def test_a_damaged_backup_is_reported_and_not_restored(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "copy.sqlite3"
    with open_server(**environment_of(data)) as server:
        async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=60) as client:
            for _ in range(2):
                await created(client, RECIPE)
        await done(data, "backup", str(file))
        server.end()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            """UPDATE entry SET body = replace(body, '"samples":60', '"samples":61')
            WHERE experiment = (SELECT min(id) FROM experiment)"""
        )
    before = (data / NAME).read_bytes()
    status, out, error = await run(data, "check", str(file), "--json")
    assert (status, len(json.loads(out)["damaged"])) == (3, 1)
    assert "facts cannot be read" in error
    status, _, error = await run(data, "restore", str(file))
    assert (status, "--damaged" in error) == (1, True)
    assert (data / NAME).read_bytes() == before
    status, _, _ = await run(data, "restore", str(file), "--damaged")
    assert status == 3


@pytest.mark.parametrize("damaged", ["backup", "folder"])
async def test_a_check_of_what_cannot_be_read_at_all_finds_damage(tmp_path: Path, damaged: str) -> None:
    shutil.copy(OLDER, file := tmp_path / ("copy.sqlite3" if damaged == "backup" else NAME))
    os.truncate(file, file.stat().st_size // 2)
    status, _, error = await run(tmp_path, "check", *([str(file)] if damaged == "backup" else []))
    assert (status, f"{file} is damaged" in error) == (3, True)
    assert ("FALLLINE_DATA" in error) == (damaged == "folder"), "a backup is not in the server's folder"


async def test_a_backup_is_made_on_schedule_and_only_the_newest_stay(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "there"
    folder.mkdir()
    for number in range(3):
        path = folder / f"fallline-20200101T00000{number}Z.sqlite3"
        path.touch()
        os.utime(path, (1.6e9, 1.6e9))
    (folder / "mine.sqlite3").touch()
    settings = {"FALLLINE_BACKUP_HOURS": "24", "FALLLINE_BACKUP_FOLDER": str(folder), "FALLLINE_BACKUPS": "2"}
    with open_server(**environment_of(data, **settings)):
        deadline = time.monotonic() + 90
        while (folder / "fallline-20200101T000001Z.sqlite3").exists():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    names = sorted(path.name for path in folder.iterdir())
    assert names[0] == "fallline-20200101T000002Z.sqlite3"
    assert names[2:] == ["mine.sqlite3"]
    assert (await done(data, "check", str(folder / names[1])))["experiments"] == 0
