"""A damaged file: each experiment is intact or reported as damaged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
import shutil
import sqlite3
import struct
from pathlib import Path

import httpx
import pytest

from fallline.runs.persistence import journal_writer
from fallline.storage import sql
from fallline.storage.disk import NAME as RESERVE
from fallline.storage.interface import StoreRefused
from fallline.storage.sqlite import NAME, PAGE, SqliteStore
from fallline.storage.tables import REPLACEABLE
from support.aliases import Json
from support.lives import costless
from support.serving import Experiment, created, open_app

CSV = "\n".join(f"{k},{k % 3},{k * k % 17}" for k in range(200)).encode()
SEEDS = range(40)
MANY = (pytest.mark.long, pytest.mark.timeout(900))
LOGGED = 20
"""Lines of a log that one flipped bit may cause."""


class Lived:
    """A data folder with experiments, and their expected states."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.experiments: list[Experiment] = []
        self.states: dict[str, Json] = {}

    async def live(self) -> None:
        async with open_app(data=self.folder, kernel="numpy") as (_, client):
            for number in range(8):
                recipe: Json = {"data": {"samples": 40 + number}}
                if number % 4 == 3:
                    upload = await client.post(
                        "/api/v1/datasets", content=CSV, headers={"Content-Type": "text/csv"}
                    )
                    recipe = {"data": {"name": "csv", "dataset": upload.json()["id"]}}
                one = await created(client, recipe)
                for key in "abc":
                    assert (
                        await one.ask("POST", "/step", {"steps": 10}, **{"Idempotency-Key": key})
                    ).is_success
                for rate in (0.001, 0.002, 0.003):
                    assert (await one.ask("PATCH", "/runs/gd", {"learning_rate": rate})).is_success
                self.experiments.append(one)
            for one in self.experiments:
                self.states[one.id] = await one.settled()
        free_some_pages(self.folder / NAME)

    async def damaged(self, folder: Path, seed: int) -> str:
        """Flip one bit of a copy, open it, and return the problem; empty if there is none."""
        shutil.copytree(self.folder, folder)
        place = flip(folder / NAME, random.Random(seed), near=b'"what"' if seed % 4 == 0 else b"")
        try:
            async with open_app(data=folder, kernel="numpy") as (_, client):
                for one in self.experiments:
                    if wrong := await self._compared(Experiment(client, one.id, one.token)):
                        return f"seed {seed}, byte {place}: {wrong}"
        except StoreRefused as error:
            return "" if "damaged" in str(error) or place < 100 else f"seed {seed}, byte {place}: {error}"
        return ""

    async def _compared(self, one: Experiment) -> str:
        state, recipe = await one.get(wait=20), await one.get("/export/recipe.json")
        for answer in (state, recipe):
            if answer.status_code != 200 and not is_damaged(answer):
                return f"{answer.request.url}: {answer.status_code} {answer.text[:300]}"
        if state.status_code == 200 and costless(state.json()) != self.states[one.id]:
            return "another state than before"
        if state.status_code == recipe.status_code == 200 and recipe.json() != state.json()["recipe"]:
            return "another recipe than before"
        return ""


def is_damaged(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and answer.json()["type"] == "/problems/damaged"


def free_some_pages(file: Path) -> None:
    """Leave free pages in the file of a closed store: replaced states may have left some, or none."""
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE scrap (content BLOB)")
        connection.execute("INSERT INTO scrap VALUES (zeroblob(?))", (20 * PAGE,))
        connection.execute("DROP TABLE scrap")


def flip(file: Path, rng: random.Random, near: bytes) -> int:
    """Flip one bit of one of these places; return the place of its byte."""
    content = bytearray(file.read_bytes())
    place = rng.choice([match.start() for match in re.finditer(re.escape(near), content)][:-1])
    place += rng.randrange(max(len(near), 1))
    content[place] ^= 1 << rng.randrange(8)
    file.write_bytes(content)
    return place


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    lived = Lived(tmp_path_factory.mktemp("lived") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_writer, "SAVE_SECONDS", 0.0)
        asyncio.run(lived.live())
    return lived


@pytest.mark.parametrize("seeds", [SEEDS, pytest.param(range(40, 340), marks=MANY)], ids=len)
async def test_one_flipped_bit_damages_at_most_its_own_experiment(
    lived: Lived, tmp_path: Path, caplog: pytest.LogCaptureFixture, seeds: range
) -> None:
    for seed in seeds:
        caplog.clear()
        assert not (wrong := await lived.damaged(tmp_path / str(seed), seed)), wrong
        loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(loud) <= LOGGED, [record.getMessage() for record in loud]


def replaceable(file: Path) -> list[int]:
    """Return bytes that hold the structure of a replaceable table, of the free pages and of the map of pages."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        names = ", ".join(f"'{table.name}'" for table in REPLACEABLE)
        roots = connection.execute(
            f"SELECT rootpage FROM sqlite_schema WHERE tbl_name IN ({names})"
        ).fetchall()
    first_free, free = struct.unpack(">II", file.read_bytes()[32:40])
    assert free >= 20
    heads = [(root - 1) * PAGE + byte for (root,) in roots for byte in range(12)]
    return [
        *heads,
        *((first_free - 1) * PAGE + byte for byte in range(4 + 4 * free)),
        *range(PAGE, PAGE + 100),
    ]


@pytest.mark.parametrize("number", [6, pytest.param(60, marks=MANY)])
async def test_damage_outside_the_essential_tables_is_mended_at_the_start(
    lived: Lived, tmp_path: Path, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    for place in random.Random(1).sample(replaceable(lived.folder / NAME), number):
        caplog.clear()
        shutil.copytree(lived.folder, data := tmp_path / str(place))
        content = bytearray((data / NAME).read_bytes())
        content[place] ^= 1 << place % 8
        (data / NAME).write_bytes(content)
        async with open_app(data=data, kernel="numpy") as (_, client):
            for stored in lived.experiments:
                one = Experiment(client, stored.id, stored.token)
                assert costless((await one.get(wait=20)).json()) == lived.states[one.id], place
                assert (await one.ask("POST", "/step", {"steps": 1})).is_success, place
        async with open_app(data=data, kernel="numpy") as (_, client):
            state = (await Experiment(client, stored.id, stored.token).get(wait=20)).json()
            assert state["runs"][0]["step"] == lived.states[stored.id]["runs"][0]["step"] + 1
        errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(errors) <= 1, (place, errors)


async def test_without_checksums_a_flipped_bit_is_not_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "checksum", lambda *values: 0)
    monkeypatch.setattr(logging.getLogger("fallline.web"), "disabled", True)  # unexpected exceptions
    lived = Lived(tmp_path / "data")
    await lived.live()
    assert any([await lived.damaged(tmp_path / str(seed), seed) for seed in SEEDS[::4]])


def replaced(folder: Path, old: bytes, new: bytes) -> None:
    """Overwrite all occurrences in the file with other bytes of the same length."""
    content = (folder / NAME).read_bytes()
    assert old in content
    assert len(old) == len(new)
    (folder / NAME).write_bytes(content.replace(old, new))


async def test_a_damaged_experiment_says_so_is_logged_once_and_is_exported_as_far_as_it_reads(
    lived: Lived, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(lived.folder, data := tmp_path / "data")
    replaced(data, b'"samples":41', b'"samples":71')
    replaced(data, b'"learning_rate":0.003', b'"learning_rate":0.009')
    caplog.clear()
    async with open_app(data=data, kernel="numpy") as (_, client):
        first, second, third = (Experiment(client, one.id, one.token) for one in lived.experiments[:3])
        for _ in range(5):
            answer = await first.get()
            assert is_damaged(answer)
            assert "1 of its 4 facts cannot be read" in answer.json()["detail"]
            assert is_damaged(await first.ask("POST", "/step", {"steps": 1}))
            assert is_damaged(await second.get("/export/recipe.json")), "the first of its facts is damaged"
        recipe = (await first.get("/export/recipe.json")).json()
        edits = lived.states[first.id]["recipe"]["runs"][0]["edits"]
        assert (edits[-1]["learning_rate"], recipe["runs"][0]["edits"][-1]["learning_rate"]) == (0.003, 0.002)
        assert (await client.post("/api/v1/experiments", json=recipe)).status_code == 201
        messages = [record.getMessage() for record in caplog.records if "is damaged" in record.getMessage()]
        assert len(messages) == 2
        assert first.id not in caplog.text
        assert (await first.ask("DELETE", "")).status_code == 204
        assert (await first.get()).status_code == 404
        assert is_damaged(await third.get()), "all had that edit"


@pytest.mark.parametrize("how", ["missing", "empty"])
async def test_a_missing_file_in_a_used_folder_is_not_a_fresh_start(
    lived: Lived, tmp_path: Path, how: str
) -> None:
    shutil.copytree(lived.folder, data := tmp_path / "data")
    (data / NAME).unlink()
    if how == "empty":
        (data / NAME).touch()
    before = {file.name: file.stat().st_size for file in data.iterdir()}
    with pytest.raises(StoreRefused, match=f"is {how}, but this folder has been used before"):
        SqliteStore(data).open()
    assert {file.name: file.stat().st_size for file in data.iterdir()} == before
    (data / RESERVE).unlink()
    async with open_app(data=data) as (app, _):
        assert not app.state.lab._registry.entries


async def test_a_log_without_its_file_is_left_alone(tmp_path: Path) -> None:
    async with open_app(data=tmp_path / "data") as (_, client):
        await created(client)
        log = (tmp_path / "data" / f"{NAME}-wal").read_bytes()
    (copy := tmp_path / "copy").mkdir()
    (copy / f"{NAME}-wal").write_bytes(log)
    with pytest.raises(StoreRefused, match="is missing"):
        SqliteStore(copy).open()
    assert (copy / f"{NAME}-wal").read_bytes() == log


async def test_a_file_that_was_copied_without_its_log_says_so_and_opens_without_it_if_asked(
    tmp_path: Path,
) -> None:
    (copy := tmp_path / "copy").mkdir()
    async with open_app(data=tmp_path / "data") as (_, client):
        other = await created(client)
        await other.ask("POST", "/step", {"steps": 3})
    async with open_app(data=tmp_path / "data") as (_, client):
        await created(client)
        shutil.copy(tmp_path / "data" / NAME, copy)
    before = (copy / NAME).read_bytes()
    with pytest.raises(StoreRefused, match=r"-wal, which has the last changes, is missing"):
        SqliteStore(copy).open()
    assert (copy / NAME).read_bytes() == before
    (copy / f"{NAME}-wal").touch()
    async with open_app(data=copy) as (_, client):
        state = (await Experiment(client, other.id, other.token).get()).json()
        assert state["runs"][0]["step"] == 3


async def test_the_readable_part_of_a_damaged_recipe_says_that_it_is_one(
    lived: Lived, tmp_path: Path
) -> None:
    shutil.copytree(lived.folder, data := tmp_path / "data")
    async with open_app(data=data, kernel="numpy") as (_, client):
        one = Experiment(client, lived.experiments[0].id, lived.experiments[0].token)
        for path in ("/recipe", "/export/recipe.json"):
            assert "fallline-damaged" not in (await one.get(path)).headers
    replaced(data, b'"learning_rate":0.003', b'"learning_rate":0.009')
    async with open_app(data=data, kernel="numpy") as (_, client):
        one = Experiment(client, one.id, one.token)
        parts = [await one.get(path) for path in ("/recipe", "/export/recipe.json")]
        for part in parts:
            assert part.status_code == 200
            assert part.headers["fallline-damaged"] == "1 of its 4 facts cannot be read"
        recipe, file = parts
        assert recipe.json() == file.json()
        assert 'filename="damaged-recipe.json"' in file.headers["content-disposition"]
        of_one = await one.get("/export/recipe.json", run="sgd")
        assert [run["name"] for run in of_one.json()["runs"]] == ["sgd"]
        assert 'filename="sgd-damaged-recipe.json"' in of_one.headers["content-disposition"]
        assert is_damaged(await one.get("/export/recipe.json", run="lost")), "it may be behind the damage"
        document = (await client.get("/openapi.json")).json()["paths"]
        for path in ("recipe", "export/{file}"):
            described = document[f"/api/v1/experiments/{{id}}/{path}"]["get"]["responses"]["200"]["headers"]
            assert "what cannot be read" in described["Fallline-Damaged"]["description"]


async def test_a_file_that_is_cut_short_is_refused(lived: Lived, tmp_path: Path) -> None:
    shutil.copytree(lived.folder, data := tmp_path / "data")
    content = (data / NAME).read_bytes()
    for share in (0.1, 0.5, 0.9):
        (data / NAME).write_bytes(content[: int(len(content) * share)])
        with pytest.raises(StoreRefused, match="is damaged"):
            SqliteStore(data).open()
