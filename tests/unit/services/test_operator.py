"""The operator's commands on a running lab, and generations after a restore."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fallline.runs.run import Run
from fallline.services.lab import Lab
from fallline.services.operator import OperationFailed, Operator
from fallline.services.restoring import GENERATIONS_SINCE, least_generation, raise_generations
from fallline.storage.backups import BackupFolder
from fallline.storage.interface import Store, StoreRefused
from fallline.storage.memory import MemoryStore
from fallline.storage.restoring import restore_file
from fallline.storage.sqlite import SqliteStore, examine
from fallline.vocabulary.errors import NotFound
from fallline.vocabulary.journal import JournalBatch, Moment, Record, log_id
from support.labs import created, open_lab, steps_of

NOW = GENERATIONS_SINCE + 1e9
"""A time after every clock that these tests run on."""


@asynccontextmanager
async def open_operated(data: Path, most: int = 7) -> AsyncIterator[tuple[Lab, Operator]]:
    async with open_lab(SqliteStore(data)) as lab:
        backups = BackupFolder(data / "backups", most)
        yield lab, Operator(lab._store, data, examine, backups, lab.forget)


def restored(backup: str, data: Path, now: float = NOW) -> None:
    def prepare(store: Store) -> None:
        raise_generations(store, least_generation(store, now))

    restore_file(Path(backup), data, now, prepare)


async def test_experiments_are_listed_without_their_ids_and_removed(tmp_path: Path) -> None:
    async with open_operated(tmp_path) as (lab, operator):
        (first, token), (second, _) = [await created(lab) for _ in range(2)]
        await lab.command(first, token, "step", {"steps": 5})
        listed = (await operator.do({"do": "list"}))["experiments"]
        assert {one["name"] for one in listed} == {log_id(first), log_id(second)}
        assert all(one["bytes"] > 100 and not one["damaged"] for one in listed)
        assert first not in str(listed)
        with pytest.raises(OperationFailed, match="no experiment has the name nobody"):
            await operator.do({"do": "remove", "names": [log_id(first), "nobody"]})
        assert await operator.do({"do": "remove", "names": [log_id(first)] * 2}) == {"removed": 1}
        with pytest.raises(NotFound):
            await lab.views.state(first)
        await lab.views.state(second)
        assert len((await operator.do({"do": "list"}))["experiments"]) == 1


@pytest.mark.parametrize("unknown", [{}, {"do": "fly"}, {"do": "remove", "names": 5}, ["list"]])
async def test_an_unknown_command_is_refused(tmp_path: Path, unknown: Any) -> None:
    async with open_operated(tmp_path) as (_, operator):
        with pytest.raises(OperationFailed, match="another version"):
            await operator.do(unknown)


async def test_a_destination_is_a_folder_or_a_new_file(tmp_path: Path) -> None:
    async with open_operated(tmp_path / "data") as (_, operator):
        for name, words in (
            ("data/fallline.sqlite3", "exists"),
            ("backup", "no folder"),
            ("nowhere/a.sqlite3", "not writable"),
        ):
            with pytest.raises(OperationFailed, match=words):
                await operator.do({"do": "backup", "destination": str(tmp_path / name)})
        for _ in range(2):
            await operator.do({"do": "backup", "destination": str(tmp_path)})
        assert len([*tmp_path.glob("fallline-*.sqlite3")]) == 2


async def test_a_backup_is_due_when_the_newest_is_old_and_a_failure_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_operated(tmp_path) as (_, operator):
        backups = tmp_path / "backups"
        for _ in range(3):
            await operator.back_up_when_due(1.0)
        assert len([*backups.iterdir()]) == 1
        await operator.back_up_when_due(1e-9)
        assert len([*backups.iterdir()]) == 2
        for path in backups.iterdir():
            path.unlink()
        backups.rmdir()
        backups.touch()
        with caplog.at_level(logging.ERROR):
            for _ in range(3):
                await operator.back_up_when_due(1.0)
        assert caplog.text.count("the scheduled backup failed") == 1


async def test_a_damaged_store_is_backed_up_beside_the_good_backups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_operated(tmp_path, most=1) as (lab, operator):
        id, _ = await created(lab)
        await operator.do({"do": "backup"})
        store = lab._store._store
        assert isinstance(store, SqliteStore)

        def damage(store: Store) -> None:
            assert isinstance(store, SqliteStore)
            with store._transaction() as connection:
                connection.exec_driver_sql("UPDATE entry SET row_sum = 0")

        await lab._store._call(damage)
        answer = await operator.do({"do": "backup"})
        assert answer["damaged"] == [f"experiment {log_id(id)}: 1 of its 1 facts cannot be read"]
        assert len([*(tmp_path / "backups").iterdir()]) == 2


async def test_writes_keep_their_order_during_a_copy(tmp_path: Path) -> None:
    class Waits(SqliteStore):
        """Its copy begins when the queue has filled."""

        has_begun, full = threading.Event(), threading.Event()

        def copy_to(self, target: Path, between: Callable[[], None]) -> None:
            self.has_begun.set()
            self.full.wait(60)
            super().copy_to(target, between)

    async with open_lab(Waits(tmp_path)) as lab:
        operator = Operator(lab._store, tmp_path, examine, BackupFolder(tmp_path / "backups", 7))
        id, token = await created(lab)
        backup = asyncio.create_task(operator.do({"do": "backup"}))
        while not Waits.has_begun.is_set():
            await asyncio.sleep(0.005)
        steps = [asyncio.create_task(lab.command(id, token, "step", {"steps": 1})) for _ in range(5)]
        await asyncio.sleep(0.3)
        assert not any(step.done() for step in steps)
        Waits.full.set()
        await asyncio.gather(backup, *steps)
        assert set(steps_of(await lab.views.state(id)).values()) == {5}
        assert not lab.is_read_only
    async with open_lab(SqliteStore(tmp_path)) as lab:
        assert set(steps_of(await lab.views.state(id)).values()) == {5}


async def test_a_server_that_stops_ends_a_copy(tmp_path: Path) -> None:
    async with open_operated(tmp_path) as (lab, operator):
        await created(lab)
        store, started = lab._store._store, threading.Event()
        assert isinstance(store, SqliteStore)
        copy_to = store.copy_to

        def slowly(target: Path, between: Callable[[], None]) -> None:
            def wait() -> None:
                started.set()
                time.sleep(0.02)
                between()

            while not lab._store._stopping:
                wait()
            copy_to(target, wait)

        store.copy_to = slowly  # type: ignore[method-assign]
        backup = asyncio.create_task(operator.do({"do": "backup"}))
        while not started.is_set():
            await asyncio.sleep(0.01)
    with pytest.raises(OperationFailed, match="the server is stopping"):
        await backup
    assert not [*tmp_path.glob(".fallline*")]


# ---------------------------------------------------------------------- generations


def generations_of(state: dict[str, Any]) -> dict[str, int]:
    return {run["name"]: run["generation"] for run in state["runs"]}


async def test_every_generation_of_a_restored_experiment_is_newer_than_all_before(tmp_path: Path) -> None:
    async with open_operated(tmp_path) as (lab, operator):
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 700})
        await lab.command(id, token, "add_run", {"name": "gone", "learning_rate": 0.02})
        await lab.command(id, token, "remove_run", {}, run="gone")
        backup = (await operator.do({"do": "backup"}))["path"]
        await lab.command(id, token, "reset", {})
        await lab.command(id, token, "step", {"steps": 9})
        for name in ("gone", "later"):
            await lab.command(id, token, "add_run", {"name": name, "learning_rate": 0.02})
        before = generations_of(await lab.views.state(id))
        assert max(before.values()) == 1
    restored(backup, tmp_path)
    least = int(NOW - GENERATIONS_SINCE)
    for _ in range(2):  # also after another restart
        async with open_operated(tmp_path) as (lab, _):
            state = await lab.views.state(id)
            assert steps_of(state) == {"gd": 700, "sgd": 700}
            assert generations_of(state) == {"gd": least, "sgd": least}
    async with open_operated(tmp_path) as (lab, operator):
        for name in ("gone", "later"):
            await lab.command(id, token, "add_run", {"name": name, "learning_rate": 0.02})
        await lab.command(id, token, "reset", {"run": "gd"})
        after = generations_of(await lab.views.state(id))
        assert after == {"gd": least + 1, "sgd": least, "gone": least, "later": least}
        again = (await operator.do({"do": "backup"}))["path"]
    restored(again, tmp_path, NOW + 60)
    async with open_operated(tmp_path) as (lab, _):
        assert set(generations_of(await lab.views.state(id)).values()) == {least + 60}


async def test_a_restored_run_continues_from_its_stored_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fallline.runs.persistence.journal_writer.SAVE_SECONDS", 0.0)
    async with open_operated(tmp_path) as (lab, operator):
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 400})
        backup = (await operator.do({"do": "backup"}))["path"]
    restored(backup, tmp_path)
    for name in ("SAVE_SECONDS", "FINAL_SECONDS"):
        monkeypatch.setattr(f"fallline.runs.persistence.journal_writer.{name}", 1e9)
    for _ in range(2):  # the second time from pieces of the new generation
        async with open_operated(tmp_path) as (lab, _):
            await lab.views.state(id)
        assert await replayed_steps(tmp_path, id, monkeypatch) == 0, "no step is made again"


async def replayed_steps(data: Path, id: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many steps opening the experiment makes."""
    count = 0
    with monkeypatch.context() as patch:
        advance = Run.advance

        def counting(self: Run, steps: int, *arguments: Any, **more: Any) -> Any:
            nonlocal count
            count += steps
            return advance(self, steps, *arguments, **more)

        patch.setattr(Run, "advance", counting)
        async with open_operated(data) as (lab, _):
            await lab.views.state(id)
    return count


def test_generations_rise_although_the_clock_is_wrong() -> None:
    def least(at: float | None, now: float) -> int:
        store = MemoryStore()
        if at is not None:
            store.mark(Moment(at, 0.0))
        return least_generation(store, now)

    assert least(None, NOW) == least(NOW - 100, NOW) == 10**9
    assert least(NOW, NOW - 1e6) == 10**9 + 1, "the clock went back"
    assert least(None, 0.0) == 1


async def test_a_backup_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    async with open_operated(tmp_path) as (lab, operator):
        await created(lab)
        backup = (await operator.do({"do": "backup"}))["path"]

    def newer(store: Store) -> None:
        (one,) = store.experiments()
        stored = store.load(one.id)
        assert stored is not None
        batch = JournalBatch((), {**stored.progress, "v": 99})
        store.write([Record(one.id, one.used, len(stored.entries), batch)])
        raise_generations(store, 1)

    with pytest.raises(StoreRefused, match="newer fallline"):
        restore_file(Path(backup), tmp_path, NOW, newer)
    assert not [*tmp_path.glob("fallline-replaced-*")]
