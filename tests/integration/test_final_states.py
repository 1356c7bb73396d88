"""States that a server stores when it ends, so that the next one replays nothing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from fallline.execution import in_process
from fallline.runs.persistence import journal_writer
from fallline.storage.sqlite import SqliteStore
from support.labs import created, open_lab

STEPS = 50


def stored_states(folder: Path, id: str) -> set[str]:
    """Return the runs of which a state is stored."""
    store = SqliteStore(folder)
    store.open()
    try:
        stored = store.load(id)
    finally:
        store.close()
    assert stored is not None
    return {run for run, parts in stored.parts.items() if "head" in parts}


@pytest.mark.parametrize("seconds", [60.0, 0.0])
async def test_a_server_that_ends_stores_states_as_long_as_it_has_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(in_process, "SAVING_SECONDS", seconds)
    monkeypatch.setattr(journal_writer, "SAVE_SECONDS", 1e9)
    monkeypatch.setattr(journal_writer, "FINAL_SECONDS", 0.0)
    async with open_lab(SqliteStore(tmp_path)) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": STEPS})
    assert stored_states(tmp_path, id) == ({"gd", "sgd"} if seconds else set())
    async with open_lab(SqliteStore(tmp_path)) as lab:
        state = await lab.views.state(id)
        assert [run["step"] for run in state["runs"]] == [STEPS, STEPS]


async def test_a_server_that_ends_waits_for_the_write_that_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_process, "SAVING_SECONDS", 60.0)
    monkeypatch.setattr(journal_writer, "SAVE_SECONDS", 1e9)
    monkeypatch.setattr(journal_writer, "FINAL_SECONDS", 0.0)
    monkeypatch.setattr(journal_writer, "POSITION_SECONDS", 0.0)  # one after the other
    write, begun = SqliteStore.write, []

    def slow(store: SqliteStore, records: Any) -> None:
        begun.append(records)
        time.sleep(0.2)
        write(store, records)

    async with open_lab(SqliteStore(tmp_path)) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": 60})
        monkeypatch.setattr(SqliteStore, "write", slow)
        while len(begun) < 3:
            await asyncio.sleep(0.01)
    assert stored_states(tmp_path, id) == {"gd", "sgd"}
