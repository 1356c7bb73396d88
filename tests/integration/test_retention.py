"""What nobody has used for its days is deleted by the server itself, and nothing else is."""

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
from fallline.services.idling import BATCH
from fallline.services.lab import Lab
from fallline.storage.memory import MemoryStore
from fallline.storage.sqlite import NAME
from fallline.vocabulary.errors import NotFound
from fallline.vocabulary.recipe import Recipe
from support.labs import open_lab
from support.serving import created, open_app

DAY = 86_400.0
SMALL: dict[str, Any] = {"data": {"samples": 60}}


def used(folder: Path, days_ago: dict[str, float]) -> None:
    """As if these had been used last so many days ago."""
    with closing(sqlite3.connect(folder / NAME)) as connection, connection:
        for id, days in days_ago.items():
            connection.execute("UPDATE experiment SET used = ? WHERE id = ?", (time.time() - days * DAY, id))


def stored(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / NAME)) as connection:
        return {id for (id,) in connection.execute("SELECT id FROM experiment")}


@pytest.mark.parametrize(("keep_days", "old", "young"), [(30.0, 30.1, 29.9), (2.0, 2.1, 1.9)])
async def test_a_server_deletes_by_itself_what_nobody_used_for_its_days(
    tmp_path: Path, keep_days: float, old: float, young: float
) -> None:
    async with open_app(data=tmp_path) as (_, client):
        gone, stays = [(await created(client)).id for _ in range(2)]
    used(tmp_path, {gone: old, stays: young})
    async with open_app(data=tmp_path, keep_days=keep_days, idle_seconds=0.2) as (app, client):
        while gone in app.state.lab._register.entries:
            await asyncio.sleep(0.05)
        assert (await client.get(f"/api/v1/experiments/{gone}")).status_code == 404
        assert (await client.get(f"/api/v1/experiments/{stays}")).status_code == 200
    assert stored(tmp_path) == {stays}


async def test_thirty_days_are_kept_where_nobody_says_otherwise(tmp_path: Path) -> None:
    async with open_app(data=tmp_path) as (app, _):
        assert app.state.lab.idling.keep_seconds == 30 * DAY


async def made(lab: Lab) -> str:
    state, _ = await lab.create(Recipe.model_validate(SMALL))
    return str(state["id"])


async def test_what_somebody_watches_is_in_use_however_long_ago_it_was_asked_for() -> None:
    async with open_lab(keep_seconds=1000.0) as lab:
        watched, other = await made(lab), await made(lab)
        box = Outbox(watched)
        await lab.watch(watched, None, box, {}, 100)
        for entry in lab._register.entries.values():
            entry.used = 0.0
        await lab.idling.pause_idle()
        await lab.idling.delete_unused()
        assert (await lab.views.state(watched))["id"] == watched
        with pytest.raises(NotFound):
            await lab.views.state(other)
        await lab.unwatch(watched, box)


async def test_what_its_owner_deletes_while_others_are_deleted_does_not_end_the_sweep() -> None:
    async with open_lab(keep_seconds=1000.0) as lab:
        for _ in range(2 * BATCH):
            await made(lab)
        last, token = await lab.create(Recipe.model_validate(SMALL))
        for entry in lab._register.entries.values():
            entry.used = 0.0
        await asyncio.gather(lab.idling.delete_unused(), lab.delete(last["id"], token))
        assert list(lab._register.entries) == []


async def test_what_is_asked_for_while_others_are_deleted_stays() -> None:
    class Asked(MemoryStore):
        """While it deletes the first few, somebody looks at the last one."""

        def forget(self, ids: Sequence[str]) -> None:
            lab._register.find(all_of_them[-1])
            super().forget(ids)

    async with open_lab(Asked(), keep_seconds=1000.0) as lab:
        all_of_them = [await made(lab) for _ in range(BATCH + 2)]
        for entry in lab._register.entries.values():
            entry.used = 0.0
        await lab.idling.delete_unused()
        assert list(lab._register.entries) == all_of_them[-1:]
        assert (await lab.views.state(all_of_them[-1]))["id"] == all_of_them[-1]
