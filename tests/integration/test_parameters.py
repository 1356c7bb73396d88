"""Uploaded parameters: they are stored like tables, and training starts from them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from support.serving import Experiment, created, open_app

PARAMETERS = "/api/v1/parameters"
NETWORK = {"layers": [{"units": 3, "activation": "tanh"}]}
RECIPE: dict[str, Any] = {
    "data": {"samples": 60},
    "network": NETWORK,
    "runs": [{"name": "gd"}, {"name": "sgd", "batch_size": 1}],
}


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def of_the_network(**instead: Any) -> bytes:
    rng = np.random.default_rng(3)
    shapes = {"W1": (5, 3), "b1": (1, 3), "W2": (3, 1), "b2": (1, 1)}
    return npz(**{**{name: rng.standard_normal(shape) for name, shape in shapes.items()}, **instead})


async def send(
    client: httpx.AsyncClient, body: bytes, kind: str = "application/octet-stream"
) -> httpx.Response:
    return await client.post(PARAMETERS, content=body, headers={"Content-Type": kind})


def recipe(start: str, **network: Any) -> dict[str, Any]:
    return {**RECIPE, "network": {**NETWORK, **network, "start": start}}


async def parameters_of(one: Experiment, run: str = "gd", step: int | None = None) -> dict[str, Any]:
    query = {} if step is None else {"step": step}
    values: dict[str, Any] = (await one.get(f"/runs/{run}/snapshot", **query)).json()["parameters"]
    return values


async def losses(one: Experiment, run: str) -> list[float]:
    columns = (await one.get(f"/runs/{run}/history", series="batch_loss", buckets=10_000)).json()
    values: list[float] = columns["series"]["batch_loss"]["last"]
    return values


async def test_an_experiment_can_start_from_the_parameters_of_another() -> None:
    async with open_app(kernel="numpy") as (_, client):
        one = await created(client, RECIPE)
        await one.ask("POST", "/step", {"steps": 50})
        exported = (await one.get("/export/parameters.npz", run="gd")).content
        answer = await send(client, exported)
        assert answer.status_code == 201
        upload = answer.json()
        assert answer.headers["location"] == f"{PARAMETERS}/{upload['id']}"
        assert upload["parameters"][0] == {"name": "W1", "shape": [5, 3]}
        assert upload["count"] == 22
        assert (await client.get(answer.headers["location"])).json() == upload
        twin = await created(client, recipe(upload["id"]))
        assert await parameters_of(twin, step=0) == await parameters_of(one)
        await one.ask("POST", "/step", {"steps": 30, "run": "gd"})
        await twin.ask("POST", "/step", {"steps": 30, "run": "gd"})
        assert await losses(twin, "gd") == (await losses(one, "gd"))[50:]
        await twin.ask("POST", "/reset")
        assert (await parameters_of(twin))["W1"] == (await parameters_of(one, step=50))["W1"]


async def test_its_recipe_and_its_programs_make_the_same_numbers(tmp_path: Path) -> None:
    async with open_app(kernel="numpy") as (_, client):
        one = await created(client, recipe((await send(client, of_the_network())).json()["id"]))
        await one.ask("POST", "/step", {"steps": 40})
        expected = await losses(one, "sgd")
        again = await created(client, (await one.get("/export/recipe.json")).json())
        await again.ask("POST", "/step", {"steps": 40})
        assert await losses(again, "sgd") == expected
        path = tmp_path / "script.py"
        path.write_bytes((await one.get("/export/script.py", run="sgd")).content)
        result = subprocess.run(
            [sys.executable, "-I", path], capture_output=True, text=True, timeout=60, check=True
        )
        assert [float(line.split()[1]) for line in result.stdout.splitlines()] == expected
        cells = json.loads((await one.get("/export/notebook.ipynb", run="sgd")).content)["cells"]
        assert any("START = " in "".join(cell["source"]) for cell in cells)


async def test_uploaded_parameters_survive_a_restart_together_with_a_table(tmp_path: Path) -> None:
    table = ("a,b,y\n" + "".join(f"{n},{n * n % 7},{n % 5}.5\n" for n in range(40))).encode()
    body = npz(W1=np.full((2, 3), 0.25), b1=np.zeros((1, 3)), W2=np.ones((3, 1)), b2=np.zeros((1, 1)))
    async with open_app(data=tmp_path) as (_, client):
        data = (
            await client.post("/api/v1/datasets", content=table, headers={"Content-Type": "text/csv"})
        ).json()
        start = (await send(client, body)).json()["id"]
        of_both = {**recipe(start), "data": {"name": "csv", "dataset": data["id"], "target": "y"}}
        both, alone = (
            await created(client, of_both),
            await created(client, recipe((await send(client, of_the_network())).json()["id"])),
        )
        for one in (both, alone):
            await one.ask("POST", "/step", {"steps": 20})
        before = [await losses(one, "sgd") for one in (both, alone)]
        first = await parameters_of(both, step=0)
    async with open_app(data=tmp_path) as (app, client):
        experiments = [Experiment(client, one.id, one.token) for one in (both, alone)]
        assert [await losses(one, "sgd") for one in experiments] == before
        assert await parameters_of(experiments[0], step=0) == first
        assert first["W1"] == np.full((2, 3), 0.25).tolist()
        assert (await client.get(f"{PARAMETERS}/{start}")).json()["count"] == 13
        assert (await client.get(f"/api/v1/datasets/{data['id']}")).json() == data
        # uploads of experiments stay however old they are; unused ones are deleted
        unused = (await send(client, of_the_network())).json()["id"]
        lab = app.state.lab
        await lab._uploads.delete_unused(lab._registry.upload_ids_in_use, 1e12)
        assert (await client.get(f"{PARAMETERS}/{start}")).status_code == 200
        assert (await client.get(f"/api/v1/datasets/{data['id']}")).status_code == 200
        assert (await client.get(f"{PARAMETERS}/{unused}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (of_the_network(W2=np.ones((4, 1))), "must have W2 of shape (3, 1): the file has (4, 1)"),
        (of_the_network(b1=np.ones(3)), "must have b1 of shape (1, 3): the file has (3,)"),
        (of_the_network(W3=np.ones((1, 1))), "must not have W3: this network has W1, b1, W2, b2"),
        (npz(W1=np.ones((5, 3))), "must have b2 of shape (1, 1): the file has none"),
    ],
)
async def test_parameters_of_another_network_are_named_one_by_one(
    client: httpx.AsyncClient, body: bytes, words: str
) -> None:
    id = (await send(client, body)).json()["id"]
    answer = await client.post("/api/v1/experiments", json=recipe(id))
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert {error["pointer"] for error in errors} == {"/network/start"}
    assert words in [error["detail"] for error in errors]


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (npz(W1=np.array([{}], dtype=object)), 422, "unusable-parameters", "pickled"),
        (npz(W1=np.array([np.nan])), 422, "unusable-parameters", "finite"),
        (b"W1,b1\n1,2\n", 422, "unusable-parameters", "numpy.savez"),
        (b"", 422, "unusable-parameters", "numpy.savez"),
        (npz(W1=np.zeros(140_000)), 413, "too-large", "1,048,576"),
    ],
)
async def test_a_file_that_cannot_be_used_is_answered_with_problem_details(
    client: httpx.AsyncClient, body: bytes, status: int, kind: str, words: str
) -> None:
    answer = await send(client, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"].endswith(kind)
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("sent", "was"),
    [
        ("application/zip", "the Content-Type was 'application/zip'"),
        ("application/x-www-form-urlencoded", "the Content-Type was 'application/x-www-form-urlencoded'"),
        ("multipart/form-data; boundary=x", "the Content-Type was 'multipart/form-data; boundary=x'"),
        ("text/csv; charset=utf-8", "the Content-Type was 'text/csv; charset=utf-8'"),
        ("npz", "the Content-Type was 'npz'"),
        ("a/" + "b" * 1000, f"the Content-Type was 'a/{'b' * 78}'"),
        ("", "there was no Content-Type"),
    ],
)
async def test_another_content_type_is_refused_with_what_was_sent_and_what_is_right(
    client: httpx.AsyncClient, sent: str, was: str
) -> None:
    answer = await send(client, of_the_network(), sent)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["accept-post"] == "application/octet-stream"
    assert answer.json() == {
        "type": "/problems/unsupported-media-type",
        "title": "The URL does not support this content type or coding",
        "status": 415,
        "detail": f"{was}: send the file as application/octet-stream",
    }


async def test_a_file_that_is_no_text_has_no_charset(client: httpx.AsyncClient) -> None:
    answer = await send(client, of_the_network(), "application/octet-stream; charset=binary")
    assert answer.status_code == 201


async def test_ids_of_something_else_and_ids_of_nothing(
    client: httpx.AsyncClient,
) -> None:
    id = (await send(client, of_the_network())).json()["id"]
    table = await client.post(
        "/api/v1/datasets", content=b"a,y\n1,2\n2,4\n3,7\n", headers={"Content-Type": "text/csv"}
    )
    assert (await client.get(f"/api/v1/datasets/{id}")).status_code == 404
    assert (await client.get(f"{PARAMETERS}/{table.json()['id']}")).status_code == 404
    for start in (table.json()["id"], "nothing"):
        answer = await client.post("/api/v1/experiments", json=recipe(start))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/network/start"
        assert answer.json()["errors"][0]["detail"].startswith("must be the id of stored parameters: ")
    as_data = {"data": {"name": "csv", "dataset": id, "target": "y"}}
    answer = await client.post("/api/v1/experiments", json=as_data)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/data/dataset"
