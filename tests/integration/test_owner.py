"""The owner's key: accepted, stored as a hash, and never repeated."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from fallline.storage.sqlite import NAME, SqliteStore
from golden.make_stored import OWNER as STORED_OWNER
from support.serving import SMALL, created, open_app

KEY = "00112233445566778899aabbccddeeff"
CSV = {"Content-Type": "text/csv"}
GOLDEN = Path(__file__).parents[1] / "golden/stored"


async def made_with(client: httpx.AsyncClient, *keys: str) -> httpx.Response:
    headers = [("Fallline-Owner", key) for key in keys]
    return await client.post("/api/v1/experiments", json=SMALL, headers=headers)


@pytest.mark.parametrize(
    "keys", [("",), (KEY[:-1],), (KEY + "0",), ("g" * 32,), (KEY, KEY), (f"{KEY[:-1]}\u0661".encode(),)]
)
async def test_an_invalid_owner_key_is_refused_with_the_headers_name(
    client: httpx.AsyncClient, keys: tuple[str, ...]
) -> None:
    for path, body in (("/experiments", {"json": SMALL}), ("/datasets", {"content": b"a,b\n1,2\n"})):
        headers = [*CSV.items()] if path == "/datasets" else []
        answer = await client.post(
            f"/api/v1{path}", headers=[*headers, *(("Fallline-Owner", key) for key in keys)], **body
        )
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == "/Fallline-Owner"
        assert answer.json()["errors"][0]["detail"] == "must be 32 hex digits and appear only once"


async def test_the_owner_key_is_stored_as_a_hash_and_appears_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_app(data=tmp_path) as (app, client):
        answer = await made_with(client, KEY.upper())
        assert answer.status_code == 201
        id, texts = answer.json()["id"], [answer.text, str(answer.headers)]
        table = await client.post(
            "/api/v1/datasets", content=b"a,b\n1,2\n3,4\n", headers={**CSV, "Fallline-Owner": KEY}
        )
        assert table.status_code == 201, table.text
        exports = [row["name"] for row in (await client.get("/api/v1/catalog")).json()["exports"]]
        for path in ("", "/recipe", "/data", *(f"/export/{name}" for name in exports)):
            response = await client.get(f"/api/v1/experiments/{id}{path}")
            texts += [response.content.decode("latin-1"), str(response.headers)]
        assert app.state.lab._registry.entries[id].owner == hashlib.sha256(KEY.encode()).digest()
    digest = hashlib.sha256(KEY.encode()).digest()
    for text in (*texts, caplog.text):
        assert KEY not in text.lower()
        assert digest.hex() not in text
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes().lower()
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        assert connection.execute("SELECT owner FROM experiment").fetchall() == [(digest,)]


async def test_the_owner_is_known_after_a_restart(tmp_path: Path) -> None:
    async with open_app(data=tmp_path) as (_, client):
        with_key, without = await made_with(client, KEY), await created(client)
    async with open_app(data=tmp_path) as (app, _):
        entries = app.state.lab._registry.entries
        assert entries[with_key.json()["id"]].owner == hashlib.sha256(KEY.encode()).digest()
        assert entries[without.id].owner is None


@pytest.mark.parametrize(
    ("file", "owner"),
    [("version-1", None), ("version-1-tables-2", hashlib.sha256(STORED_OWNER.encode()).digest())],
)
def test_experiments_of_older_files_have_no_owner(file: str, owner: bytes | None, tmp_path: Path) -> None:
    shutil.copy(GOLDEN / f"{file}.sqlite3", tmp_path / NAME)
    store = SqliteStore(tmp_path)
    store.open()
    assert {each.owner for each in store.experiments()} == {owner}
    store.close()


async def test_an_experiment_has_the_address_of_its_creation_and_then_of_its_last_command() -> None:
    async with open_app() as (app, client):
        one = await created(client)
        entry = app.state.lab._registry.entries[one.id]
        assert entry.address == "127.0.0.1"
        elsewhere = httpx.ASGITransport(app, client=("2001:db8:1:2:3:4:5:6", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://localhost") as other:
            assert (await other.get(one.here)).status_code == 200
            assert (await other.post(one.here + "/step", json={})).status_code == 401
            assert entry.address == "127.0.0.1"
            assert (await other.post(one.here + "/step", json={}, headers=one.authorized)).status_code == 200
        assert entry.address == "2001:db8:1:2::/64"
