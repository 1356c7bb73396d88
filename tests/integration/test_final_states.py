"""States that a server stores when it ends, so that the next one replays nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fallline.execution import in_process
from fallline.runs.persistence import journal_writer
from fallline.storage.sqlite import SqliteStore
from support.labs import created, open_lab

STEPS = 50


@pytest.mark.parametrize("seconds", [1.0, 0.0])
async def test_a_server_that_ends_stores_states_as_long_as_it_has_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(in_process, "SAVING_SECONDS", seconds)
    monkeypatch.setattr(journal_writer, "SAVE_SECONDS", 1e9)
    monkeypatch.setattr(journal_writer, "FINAL_SECONDS", 0.0)
    async with open_lab(SqliteStore(tmp_path)) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": STEPS})
    store = SqliteStore(tmp_path)
    store.open()
    try:
        stored = store.load(id)
    finally:
        store.close()
    assert stored is not None
    assert {run for run, parts in stored.parts.items() if "head" in parts} == (
        {"gd", "sgd"} if seconds else set()
    )
    async with open_lab(SqliteStore(tmp_path)) as lab:
        state = await lab.views.state(id)
        assert [run["step"] for run in state["runs"]] == [STEPS, STEPS]
