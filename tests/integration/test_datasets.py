"""Uploaded tables over HTTP: valid ones are trained on, all others are refused."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.engine.data.tabular.table import Table, read_new_table, read_table
from fallline.services import lab, uploads
from fallline.vocabulary import answers, catalog_answers
from support.csv_files import BAD, MIB, TOO_LARGE
from support.serving import Server, created, open_app, raw
from support.spies import noting

DATASETS = "/api/v1/datasets"
CSV = {"Content-Type": "text/csv"}

FLOWERS = "length;colour;note;kind\r\n" + "\r\n".join(
    f"{k / 8:.3f};{('red', 'blue')[k % 2]};nr {k};{'abc'[k % 3]}".replace(".", ",") for k in range(60)
)


async def upload(client: httpx.AsyncClient, text: str = FLOWERS) -> dict[str, Any]:
    answer = await client.post(DATASETS, content=text.encode(), headers=CSV)
    assert answer.status_code == 201, answer.text
    table: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{DATASETS}/{table['id']}"
    return table


async def test_an_uploaded_table_is_described_and_can_be_read_again(client: httpx.AsyncClient) -> None:
    table = await upload(client, FLOWERS + "\r\n;red;nr 60;a\r\n")
    assert [(each["name"], each["kind"], each["used"]) for each in table["columns"]] == [
        ("length", "number", True),
        ("colour", "category", True),
        ("note", "text", False),
        ("kind", "category", True),
    ]
    assert (table["rows"], table["target"], table["skipped_count"]) == (60, "kind", 1)
    assert table["skipped"] == [{"line": 62, "reason": "no value in length"}]
    assert table["preview"][1] == ["0,125", "blue", "nr 1", "b"]
    answers.Table.model_validate(table)
    assert (await client.get(f"{DATASETS}/{table['id']}")).json() == table
    assert (await client.get(f"{DATASETS}/{table['id'][:-1]}")).status_code == 404
    assert (await upload(client))["id"] != (await upload(client))["id"]


async def test_the_same_recipe_gives_the_same_numbers(client: httpx.AsyncClient) -> None:
    table = await upload(client)
    data = {
        "name": "csv",
        "dataset": table["id"],
        "target": "kind",
        "test_fraction": 0.2,
        "standardize": "inputs",
    }
    one = await created(client, {"data": data})
    filled = (await one.get("/recipe")).json()
    assert filled["data"] == {
        **data, "task": "classification", "samples": 60, "features": 3, "noise": 0.0, "seed": 0,
    }  # fmt: skip
    assert filled["loss"] == "softmax_cross_entropy"
    other = await created(client, filled)
    snapshots = []
    for each in (one, other):
        state = (await each.ask("POST", "/step", {"steps": 200})).json()
        assert (state["classes"], state["score"]) == (["a", "b", "c"], "accuracy")
        snapshots.append((await each.get("/runs/sgd/snapshot")).json())
        samples = (await each.get("/data")).json()
        assert (samples["features"], samples["classes"]) == (
            ["length", "colour=blue", "colour=red"],
            ["a", "b", "c"],
        )
        assert state["inputs"] == samples["features"]
    assert snapshots[0] == snapshots[1]


async def test_a_column_may_be_learnt_otherwise_than_guessed_and_runs_may_be_added(
    client: httpx.AsyncClient,
) -> None:
    table = await upload(client, "x,y\n" + "\n".join(f"{k},{k % 2}" for k in range(40)))
    data = {"name": "csv", "dataset": table["id"], "target": "y"}
    inferred, explicit = (
        await created(client, {"data": data}),
        await created(client, {"data": {**data, "task": "regression"}}),
    )
    assert (inferred.state["classes"], explicit.state["classes"]) == (["0", "1"], [])
    for one in (inferred, explicit):
        assert (await one.ask("POST", "/step", {"steps": 20})).status_code == 200
        assert (await one.ask("POST", "/runs", {"batch_size": 8})).status_code == 201
        assert (await one.ask("POST", "/runs", {"fork_of": "sgd", "at_step": 10})).status_code == 201


async def test_a_recipe_that_does_not_fit_its_table_is_refused_with_a_pointer(
    client: httpx.AsyncClient,
) -> None:
    id = (await upload(client))["id"]
    for data, pointer in (
        ({"dataset": "unknown"}, "/data/dataset"),
        ({"dataset": id + "/.."}, "/data/dataset"),
        ({"dataset": 5}, "/data/dataset"),
        ({}, "/data/dataset"),
        ({"dataset": id, "target": "note"}, "/data/target"),
        ({"dataset": id, "target": ""}, "/data/target"),
        ({"dataset": id, "task": "clustering"}, "/data/task"),
        ({"dataset": id, "task": "regression"}, "/data/task"),
    ):
        answer = await client.post("/api/v1/experiments", json={"data": {"name": "csv", **data}})
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error["pointer"] == pointer, data
        assert error["detail"].startswith("must "), error


async def test_the_catalog_lists_it_as_something_that_cannot_be_had_without_a_table(
    client: httpx.AsyncClient,
) -> None:
    catalog = (await client.get("/api/v1/catalog")).json()
    (row,) = (row for row in catalog["datasets"] if row["name"] == "csv")
    catalog_answers.DatasetRow.model_validate(row)
    assert (row["task"], row["features"], row["samples"]) == (None, None, None)
    assert "/api/v1/datasets" in row["missing"]
    assert [each["name"] for each in row["needs"]] == ["dataset", "target", "task"]
    assert (catalog["bounds"]["csv_rows"], catalog["bounds"]["csv_bytes"]) == (5_000, MIB)


async def test_every_csv_that_cannot_be_used_is_answered_with_problem_details(
    client: httpx.AsyncClient,
) -> None:
    for body, expected in [
        *BAD,
        ("a,\u202eb\n1,2\n2,3\n".encode(), {"line": 1, "offset": 2}),
        *((body, {"bound": bound, "asked": needed}) for body, bound, needed in TOO_LARGE),
    ]:
        answer = await client.post(DATASETS, content=body, headers=CSV)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        problem = answer.json()
        answers.Problem.model_validate(problem)
        for name in expected.keys() - {"says"}:
            assert problem[name] == expected[name], body[:80]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/csv", 201),
        ("Text/CSV; charset=UTF-8", 201),
        ('text/csv;header=present;charset="utf-8"', 201),
        ("text/csv; charset=iso-8859-1", 415),
        ("text/plain", 415),
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/csvx", 415),
        ("", 415),
    ],
)
async def test_only_a_declared_csv_is_parsed(
    client: httpx.AsyncClient, content_type: str, status: int
) -> None:
    answer = await client.post(DATASETS, content=FLOWERS.encode(), headers={"Content-Type": content_type})
    assert answer.status_code == status
    if status == 415:
        assert answer.headers["accept-post"] == "text/csv"
        was = f"the Content-Type was {content_type!r}" if content_type else "there was no Content-Type"
        assert answer.json()["detail"] == f"{was}: send the file as text/csv, with text in UTF-8"
        assert answer.json()["type"] == "/problems/unsupported-media-type"


async def test_a_csv_is_parsed_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[threading.Thread] = []
    note = noting(lambda body: where.append(threading.current_thread()), read_new_table)
    monkeypatch.setattr(lab, "read_new_table", note)
    async with open_app() as (_, client):
        await upload(client)
    assert len(where) == 1
    assert where[0] is not threading.current_thread()


async def test_tables_that_experiments_use_stay_and_a_full_server_says_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_app() as (app, client):
        app.state.lab._uploads._cache._most = 2
        ids = [(await upload(client))["id"] for _ in range(2)]
        experiments = [await created(client, {"data": {"name": "csv", "dataset": id}}) for id in ids]
        full = await client.post(DATASETS, content=FLOWERS, headers=CSV)
        assert (full.status_code, full.headers["retry-after"]) == (503, "60")
        await experiments[0].ask("DELETE", "")
        newest = (await upload(client))["id"]
        statuses = [(await client.get(f"{DATASETS}/{id}")).status_code for id in (*ids, newest)]
        assert statuses == [404, 200, 200]


def test_more_than_a_mebibyte_is_413_however_it_is_announced(shared_server: Server) -> None:
    head = b"POST /api/v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nConnection: close\r\n"
    chunk = b"10000\r\n" + b"1,2\n" * 16_384 + b"\r\n"
    for request in (
        head + b"Content-Length: 1048577\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17 + b"0\r\n\r\n",
    ):
        answer = raw(shared_server.port, request)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"application/problem+json" in answer
    line = b"%d,2.25,%d\n"
    fits = b"".join(line % (k % 7, k) for k in range(4_900)).ljust(MIB)
    assert raw(shared_server.port, head + b"Content-Length: %d\r\n\r\n" % MIB + fits).startswith(
        b"HTTP/1.1 201 "
    )


@pytest.fixture(scope="module")
def http(shared_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared_server.url, timeout=90) as http:
        yield http


NUMBERS = st.sampled_from(["1", "2", "-7.5", "1e30", "-1e30", "1e-300", "0", "3", "1e31", "x", "NA", "-inf"])
TEXTS = st.sampled_from(["a", "b", "é", "a=b", '"x,y"', "", '"', "?", "1"])
ROWS = st.lists(st.tuples(NUMBERS, TEXTS, NUMBERS).map(",".join), max_size=25).map("\n".join).map(str.encode)


@given(body=st.one_of(st.binary(max_size=200), ROWS))
def test_no_bytes_lead_to_an_error_of_the_server(body: bytes, http: httpx.Client) -> None:
    answer = http.post(DATASETS, content=body, headers=CSV)
    assert answer.status_code in (201, 422), answer.text
    if answer.status_code == 422:
        answers.Problem.model_validate(answer.json())
        return
    table = answer.json()
    for column in table["columns"]:
        for task in ("regression", "classification"):
            data = {"name": "csv", "dataset": table["id"], "target": column["name"], "task": task}
            created = http.post("/api/v1/experiments", json={"data": data})
            assert created.status_code in (201, 422), created.text
            assert created.status_code == 422 or column["used"]
            if created.status_code == 201:
                token = {"Authorization": f"Bearer {created.json()['token']}"}
                here = f"/api/v1/experiments/{created.json()['id']}"
                assert http.get(here + "/data").status_code == 200
                stepped = http.post(here + "/step", json={"steps": 2}, headers=token)
                assert stepped.status_code in (200, 409), stepped.text
                assert http.delete(here, headers=token).status_code == 204


async def test_bodies_that_arrive_are_bounded_in_number_and_by_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "RECEIVED_AT_ONCE", 4)
    monkeypatch.setattr(uploads, "WAIT_SECONDS", 0.05)
    async with open_app(kernel="numpy") as (app, client), AsyncExitStack() as slow:
        for _ in range(2):
            await slow.enter_async_context(app.state.lab.arriving(None, "127.0.0.1"))
        full = await client.post(DATASETS, content=b"a,b\n1,2\n3,4\n", headers=CSV)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        await slow.enter_async_context(app.state.lab.arriving(None, "another"))
        await slow.aclose()
        assert (await client.post(DATASETS, content=b"a,b\n1,2\n3,4\n", headers=CSV)).status_code == 201
        monkeypatch.setattr(app.state.lab._arrivals._waiting, "most", 0)
        monkeypatch.setattr(app.state.lab._arrivals._waiting, "fewest", 0)
        assert (await client.post(DATASETS, content=b"a,b\n1,2\n3,4\n", headers=CSV)).status_code == 429


async def test_tables_of_a_crowd_behind_one_address_hold_up_no_table_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    persons, goes_on = b"a,b\n1,2\n3,4\n", threading.Event()

    def read(body: bytes) -> Table:
        assert body == persons or goes_on.wait(90)
        return read_new_table(body)

    monkeypatch.setattr(lab, "read_new_table", read)
    async with open_app(kernel="numpy") as (app, client):
        elsewhere = httpx.ASGITransport(app, client=("192.0.2.9", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://localhost") as other:
            send = partial(client.post, DATASETS, content=b"a,b\n" + b"1,2\n" * 6_000, headers=CSV)
            crowd = [asyncio.ensure_future(send()) for _ in range(20)]
            while len(app.state.lab._uploads._waiting) < 20:
                await asyncio.sleep(0)
            assert (await other.post(DATASETS, content=persons, headers=CSV)).status_code == 201
            assert not any(one.done() for one in crowd)
            goes_on.set()
            assert {(await one).status_code for one in crowd} == {422}


async def test_parsing_is_charged_to_the_share_of_its_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with open_app(kernel="numpy", data=tmp_path) as (app, client):
        charged: list[str] = []
        monkeypatch.setattr(app.state.lab._executor, "charge", lambda share, _: charged.append(share))
        cache = app.state.lab._uploads._cache
        id = (await upload(client))["id"]
        assert charged.pop() == "address:127.0.0.1"
        refused = await client.post(DATASETS, content=b"a,b\n" + b"1,2\n" * 6_000, headers=CSV)
        assert (refused.status_code, charged.pop()) == (422, "address:127.0.0.1")
        elsewhere = httpx.ASGITransport(app, client=("192.0.2.9", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://localhost") as other:
            assert (await other.get(f"{DATASETS}/{id}")).status_code == 200
            assert not charged, "it was parsed already"
            cache.drop(id)
            assert (await other.get(f"{DATASETS}/{id}")).status_code == 200
            assert charged.pop() == "address:192.0.2.9"
            cache.drop(id)
            await created(other, {"data": {"name": "csv", "dataset": id}})
            assert charged.pop() == "address:192.0.2.9"
    assert not charged


async def test_requests_for_a_table_that_is_not_cached_share_one_parse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parsed, goes_on = list[bytes](), threading.Event()

    def read(body: bytes) -> Table:
        parsed.append(body)
        assert goes_on.wait(20)
        return read_table(body)

    monkeypatch.setattr(uploads, "read_table", read)
    async with open_app(kernel="numpy", data=tmp_path) as (app, client):
        table = await upload(client)
        app.state.lab._uploads._cache.drop(table["id"])
        elsewhere = httpx.ASGITransport(app, client=("192.0.2.9", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://localhost") as other:
            path = f"{DATASETS}/{table['id']}"
            requests = [asyncio.ensure_future(one.get(path)) for one in (client, client, client, other)]
            while len(app.state.lab._uploads._waiting) < 4 or not parsed:
                await asyncio.sleep(0.001)
            requests.pop(0).cancel()  # the others need the parse that it began
            await asyncio.sleep(0.05)
            goes_on.set()
            assert [(await one).json() for one in requests] == [table] * 3
        assert len(parsed) == 1
        assert (await client.get(path)).json() == table
        assert len(parsed) == 1, "cached"
        assert not app.state.lab._uploads._loading
        async with asyncio.timeout(20):
            while app.state.lab._uploads._parses:  # the thread that parsed drops it a moment later
                await asyncio.sleep(0.001)


async def test_a_parse_that_fails_is_tried_again_by_the_next_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = iter([MemoryError(), None])

    def read(body: bytes) -> Table:
        if (error := next(answers)) is not None:
            raise error
        return read_table(body)

    monkeypatch.setattr(uploads, "read_table", read)
    monkeypatch.setattr(logging.getLogger("fallline.web"), "disabled", True)
    async with open_app(kernel="numpy", data=tmp_path) as (app, client):
        table = await upload(client)
        app.state.lab._uploads._cache.drop(table["id"])
        path = f"{DATASETS}/{table['id']}"
        assert [(await client.get(path)).status_code for _ in range(2)] == [500, 200]


async def test_a_share_that_owes_waits_before_its_next_table_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_paid, parsed = asyncio.Event(), list[bytes]()
    monkeypatch.setattr(lab, "read_new_table", noting(parsed.append, read_new_table))
    async with open_app(kernel="numpy") as (app, client):
        shares: list[str] = []

        async def turn(share: str) -> None:
            shares.append(share)
            await is_paid.wait()

        monkeypatch.setattr(app.state.lab._executor, "turn", turn)
        request = asyncio.ensure_future(upload(client))
        while not shares:
            await asyncio.sleep(0)
        assert (shares, parsed) == (["address:127.0.0.1"], [])
        is_paid.set()
        await request
        assert len(parsed) == 1
