"""Files of all versions open with their numbers; newer files are refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.runs.experiment import Experiment
from fallline.runs.persistence.reopening import replay_facts
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.storage.tables import METADATA, VERSION
from fallline.vocabulary import journal
from fallline.vocabulary.errors import Conflict, TooNew
from fallline.vocabulary.journal import StoredExperiment, V, upcast
from golden.make_stored import name_of
from support.aliases import Json
from support.labs import open_lab, steps_of
from support.lives import costless
from support.serving import open_app
from support.stored import contents, sum_again

GOLDEN = Path(__file__).parents[1] / "golden/stored"
FILES = sorted(GOLDEN.glob("*.sqlite3"), key=lambda file: file.stem)
KINDS = {"began", "edited", "reset", "run_added", "run_removed", "resumed", "found"}


def golden_of(file: Path) -> Json:
    golden: Json = json.loads(file.with_suffix(".json").read_text())
    return golden


def assert_same(actual: Any, expected: Any, where: str = "") -> None:
    """Compare values, numbers up to rounding: builds differ in last digits."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys(), where
        for name in expected:
            assert_same(actual[name], expected[name], f"{where}/{name}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), where
        for place, (one, other) in enumerate(zip(actual, expected, strict=True)):
            assert_same(one, other, f"{where}/{place}")
    elif isinstance(expected, float):
        assert actual == pytest.approx(expected, rel=1e-8, abs=1e-12), where
    else:
        assert actual == expected, where


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def folder(file: Path, tmp_path: Path) -> Path:
    """Return a copy of the stored folder."""
    shutil.copy(file, tmp_path / NAME)
    return tmp_path


def rewritten(
    folder: Path, table: str, column: str, change: Callable[[Json], Json], where: str = "1"
) -> None:
    """Change every row of a JSON column."""
    with closing(sqlite3.connect(folder / NAME)) as connection, connection:
        key = "rowid" if table == "experiment" else "experiment || '/' || number"
        rows = connection.execute(f"SELECT {key}, {column} FROM {table} WHERE {where}").fetchall()
        for row, body in rows:
            changed = json.dumps(change(json.loads(body)))
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (changed, row))
    sum_again(folder)


def stored_in(folder: Path, id: str) -> StoredExperiment:
    store = SqliteStore(folder)
    store.open()
    stored = store.load(id)
    store.close()
    assert stored is not None
    return stored


def test_there_is_a_file_of_each_version_that_was_ever_written() -> None:
    written = [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert {file.stem for file in FILES} == {name_of(*version) for version in written}
    assert written[-1] == (V, VERSION), "run make_stored.py for the new version, and keep the files there are"
    assert len(journal.FACTS) == len(journal.PROGRESS) == V


async def test_a_stored_file_opens_with_the_numbers_that_it_had(file: Path) -> None:
    golden = golden_of(file)
    assert_same(await contents(file, golden["experiments"]), golden["opens"])


def test_every_kind_of_fact_and_every_table_is_in_a_stored_file(file: Path, folder: Path) -> None:
    with closing(sqlite3.connect(folder / NAME)) as connection:
        facts = [json.loads(body) for (body,) in connection.execute("SELECT body FROM entry")]
        tables = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if name != "alembic_version"
        }
        empty = {
            name for name in tables if not connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        }
    assert {fact["what"] for fact in facts} | {"found"} == KINDS
    assert any(fact.get("recipe", {}).get("origin") for fact in facts), "a fork"
    assert not empty
    assert file.stem != name_of(V, VERSION) or tables == set(METADATA.tables)


def test_states_that_were_stored_then_spare_making_the_way_again(file: Path, folder: Path) -> None:
    golden = golden_of(file)
    journal = upcast(stored_in(folder, golden["experiments"]["everything"]["id"]))
    one = Experiment.reopened("x", journal, Kernels())
    steps = {name: run["step"] for name, run in golden["opens"]["everything"]["runs"].items()}
    stored = {name: run.state.step for name, run in one.runs.items()}
    assert all(steps[name] - 10 <= step <= steps[name] for name, step in stored.items())
    assert min(stored.values()) > 20


async def test_a_command_with_a_key_from_then_is_answered_as_it_was(file: Path, folder: Path) -> None:
    golden = golden_of(file)
    one = golden["experiments"]["everything"]
    async with open_lab(SqliteStore(folder)) as lab:
        again = await lab.command(one["id"], one["token"], "step", {"steps": 20}, key="asked-once")
        assert again == golden["answers"]["asked-once"]
        assert (await lab.views.state(one["id"]))["runs"][0]["step"] == golden["opens"]["everything"]["runs"][
            "gd"
        ]["step"]


async def test_interrupted_steps_of_old_files_continue_to_their_target(file: Path, folder: Path) -> None:
    one = golden_of(file)["experiments"]["cut off"]
    async with open_lab(SqliteStore(folder)) as lab:
        state = await lab.command(one["id"], one["token"], "step", {"steps": 5000}, key="cut-off")
        assert steps_of(state) == {"gd": 5000}


async def test_old_files_can_be_changed_and_opened_again(file: Path, folder: Path) -> None:
    one = golden_of(file)["experiments"]["everything"]
    async with open_lab(SqliteStore(folder)) as lab:
        await lab.command(one["id"], one["token"], "edit", {"learning_rate": 0.5}, run="gone")
        await lab.command(one["id"], one["token"], "step", {"steps": 7})
        before = costless(await lab.views.state(one["id"], 100.0))
    async with open_lab(SqliteStore(folder)) as lab:
        # steps that are made again in another build than the file's may differ in last digits, and so may harm
        assert_same(costless(await lab.views.state(one["id"], 100.0)), before)


def without_version_1(progress: Json) -> Json:
    """Remove the fields that version 0 did not have."""
    removed = {"v", "kernel", "builds", "unfinished", "rounded"}
    return {name: value for name, value in progress.items() if name not in removed}


async def test_an_older_version_is_brought_to_todays(file: Path, folder: Path) -> None:
    golden = golden_of(file)
    rewritten(folder, "entry", "body", without_version_1)
    rewritten(folder, "experiment", "progress", without_version_1)
    opens = await contents(folder / NAME, golden["experiments"])
    assert_same(opens, golden["opens"])


def test_a_version_that_is_skipped_would_be_noticed(file: Path, folder: Path) -> None:
    rewritten(folder, "entry", "body", without_version_1)
    stored = stored_in(folder, golden_of(file)["experiments"]["everything"]["id"])
    with pytest.raises(KeyError):
        replay_facts(stored.entries)
    assert replay_facts(upcast(stored).entries).runs["gd"].provenance.kernel == ""


@pytest.mark.parametrize(("table", "column"), [("entry", "body"), ("experiment", "progress")])
async def test_data_of_a_newer_version_is_reported_and_not_changed(
    file: Path, folder: Path, table: str, column: str
) -> None:
    experiments = golden_of(file)["experiments"]
    one, other = experiments["everything"], experiments["diverged"]
    key = "experiment" if table == "entry" else "id"
    rewritten(folder, table, column, lambda fact: {**fact, "v": V + 1}, f"{key} = '{one['id']}'")
    before = stored_in(folder, one["id"])
    async with open_app(data=folder, keep_days=1e6) as (_, client):
        answer = await client.get(f"/api/v1/experiments/{one['id']}")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-new")
        assert "newer fallline" in answer.json()["title"]
        assert f"version {V + 1}" in answer.json()["detail"]
        assert "update" in answer.json()["detail"]
        assert (await client.get(f"/api/v1/experiments/{other['id']}")).status_code == 200
    assert stored_in(folder, one["id"]) == before


async def test_an_experiment_of_a_newer_fallline_that_was_playing_does_not_keep_others_from_playing_on(
    file: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    experiments = golden_of(file)["experiments"]
    with closing(sqlite3.connect(folder / NAME)) as connection, connection:
        connection.execute("UPDATE experiment SET playing = 1")
        if file.stem not in (name_of(1, 1), name_of(1, 2)):  # these have no stored clock
            connection.execute("UPDATE clock SET at = ?", (time.time(),))
    sum_again(folder)
    rewritten(folder, "experiment", "progress", lambda progress: {**progress, "playing": True})
    newer = experiments["everything"]["id"]
    rewritten(folder, "experiment", "progress", lambda progress: {**progress, "v": V + 1}, f"id = '{newer}'")
    async with open_lab(SqliteStore(folder)) as lab:
        assert (await lab.views.state(experiments["own table"]["id"]))["playing"]
        with pytest.raises(TooNew):
            await lab.views.state(newer)
    assert issubclass(TooNew, Conflict)
    assert "could not be opened" not in caplog.text
