"""The server deletes experiments that were unused for days, and no others."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fallline.realtime.outbox import Outbox
from fallline.services.idle_sweep import BATCH
from fallline.services.lab import Lab
from fallline.storage.memory import MemoryStore
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.vocabulary.errors import NotFound
from fallline.vocabulary.recipe import Recipe
from support.labs import open_lab
from support.serving import created, open_app
from support.stored import sum_again

DAY = 86_400.0
SMALL: dict[str, Any] = {"data": {"samples": 60}}


def used(folder: Path, days_ago: dict[str, float]) -> None:
    """Set the last use of experiments to so many days ago."""
    with closing(sqlite3.connect(folder / NAME)) as connection, connection:
        connection.execute("UPDATE clock SET seen = seen + ?", (100 * DAY,))
        for id, days in days_ago.items():
            connection.execute(
                "UPDATE experiment SET seen = (SELECT seen FROM clock) - ? WHERE id = ?", (days * DAY, id)
            )
    sum_again(folder)


def stored(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / NAME)) as connection:
        return {id for (id,) in connection.execute("SELECT id FROM experiment")}


@pytest.mark.parametrize(("keep_days", "old", "young"), [(30.0, 30.1, 29.9), (2.0, 2.1, 1.9)])
async def test_a_server_deletes_experiments_that_were_unused_for_keep_days(
    tmp_path: Path, keep_days: float, old: float, young: float
) -> None:
    async with open_app(data=tmp_path) as (_, client):
        unused, stays = [(await created(client)).id for _ in range(2)]
    used(tmp_path, {unused: old, stays: young})
    async with open_app(data=tmp_path, keep_days=keep_days, idle_seconds=0.2) as (app, client):
        while unused in app.state.lab._registry.entries:
            await asyncio.sleep(0.05)
        assert (await client.get(f"/api/v1/experiments/{unused}")).status_code == 404
        assert (await client.get(f"/api/v1/experiments/{stays}")).status_code == 200
    assert stored(tmp_path) == {stays}


async def test_experiments_are_kept_for_thirty_days_by_default(tmp_path: Path) -> None:
    async with open_app(data=tmp_path) as (app, _):
        assert app.state.lab.idle_sweep.keep_seconds == 30 * DAY


async def create(lab: Lab) -> str:
    state, _ = await lab.create(Recipe.model_validate(SMALL))
    return str(state["id"])


async def test_a_watched_experiment_is_in_use() -> None:
    async with open_lab(keep_seconds=1000.0) as lab:
        watched, other = await create(lab), await create(lab)
        box = Outbox(watched)
        await lab.watch(watched, None, box)
        for entry in lab._registry.entries.values():
            entry.used = -1e6
        await lab.idle_sweep.pause_idle()
        await lab.idle_sweep.delete_unused()
        assert (await lab.views.state(watched))["id"] == watched
        with pytest.raises(NotFound):
            await lab.views.state(other)
        lab.unwatch(watched, box)


async def test_a_deletion_during_the_sweep_does_not_end_it() -> None:
    async with open_lab(keep_seconds=1000.0) as lab:
        for _ in range(2 * BATCH):
            await create(lab)
        last, token = await lab.create(Recipe.model_validate(SMALL))
        for entry in lab._registry.entries.values():
            entry.used = -1e6
        await asyncio.gather(lab.idle_sweep.delete_unused(), lab.delete(last["id"], token))
        assert list(lab._registry.entries) == []


async def test_an_experiment_used_during_the_sweep_is_not_deleted() -> None:
    class Asked(MemoryStore):
        """A store in which the last experiment is used while the first ones are deleted."""

        def delete(self, ids: Sequence[str]) -> None:
            lab._registry.find(all_of_them[-1])
            super().delete(ids)

    async with open_lab(Asked(), keep_seconds=1000.0) as lab:
        all_of_them = [await create(lab) for _ in range(BATCH + 2)]
        for entry in lab._registry.entries.values():
            entry.used = -1e6
        await lab.idle_sweep.delete_unused()
        assert list(lab._registry.entries) == all_of_them[-1:]
        assert (await lab.views.state(all_of_them[-1]))["id"] == all_of_them[-1]


class Calendar:
    """A machine's clock that a test sets."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead * DAY


async def swept(lab: Lab) -> set[str]:
    """Sweep once and return the remaining experiments."""
    await lab.idle_sweep.delete_unused()
    await lab.idle_sweep._mark()
    return set(lab._registry.entries)


async def test_a_clock_that_is_ahead_when_a_server_starts_deletes_nothing_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calendar = Calendar()
    async with open_lab(SqliteStore(tmp_path), today=calendar, keep_seconds=30 * DAY) as lab:
        five = {await create(lab) for _ in range(5)}
    for days in (31.0, 31.0, 0.0, 400.0, 0.0):
        calendar.ahead = days
        async with open_lab(SqliteStore(tmp_path), today=calendar, keep_seconds=30 * DAY) as lab:
            assert [await swept(lab) for _ in range(3)] == [five] * 3
    assert stored(tmp_path) == five
    messages = [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]
    assert [text.split("by ")[1].split(" days")[0] for text in messages] == [
        "+31.0",
        "-31.0",
        "+400.0",
        "-400.0",
    ]


async def test_a_clock_that_is_put_right_while_a_server_runs_deletes_nothing_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calendar = Calendar()
    calendar.ahead = -400.0
    async with open_lab(SqliteStore(tmp_path), today=calendar, keep_seconds=30 * DAY) as lab:
        one = await create(lab)
        calendar.ahead = 0.0
        assert [await swept(lab) for _ in range(3)] == [{one}] * 3
        assert caplog.text.count("clock jumped by +400.0 days") == 1
    async with open_lab(SqliteStore(tmp_path), today=calendar, keep_seconds=30 * DAY) as lab:
        assert await swept(lab) == {one}
    assert "differs" not in caplog.text


async def test_a_laptop_that_is_switched_on_once_a_month_keeps_the_work_of_the_last_month(
    tmp_path: Path,
) -> None:
    calendar, works = Calendar(), list[str]()
    for month in range(40):
        calendar.ahead = 31.0 * month
        async with open_lab(SqliteStore(tmp_path), today=calendar, keep_seconds=30 * DAY) as lab:
            left = await swept(lab)
            assert works[-29:] == [id for id in works if id in left]
            works.append(await create(lab))


async def test_nights_in_which_a_server_is_off_count(tmp_path: Path) -> None:
    calendar = Calendar()
    async with open_lab(SqliteStore(tmp_path), today=calendar, keep_seconds=30 * DAY) as lab:
        await create(lab)
    for night in range(1, 62):
        calendar.ahead = night / 2
        async with open_lab(SqliteStore(tmp_path), today=calendar, keep_seconds=30 * DAY) as lab:
            assert bool(await swept(lab)) == (night < 60), night
