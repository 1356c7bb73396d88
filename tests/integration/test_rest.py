"""The public REST calls, over the whole application."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import threading
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import plotly.io
import pytest

from fallline.figures.catalog import FIGURES, INSTRUMENT_FIGURES
from fallline.settings import Settings
from fallline.vocabulary import answers, catalog_answers
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.messages import MOST_SERIES
from fallline.vocabulary.recipe import Recipe
from fallline.web import answers as web_answers
from fallline.web import requests
from support.page import page_built
from support.serving import Experiment, created, open_app


@pytest.fixture
async def one(client: httpx.AsyncClient) -> Experiment:
    return await created(client)


def steps(state: dict[str, Any]) -> dict[str, int]:
    return {run["name"]: run["step"] for run in state["runs"]}


async def test_an_empty_recipe_is_the_notebooks(client: httpx.AsyncClient) -> None:
    for content in (b"", b"{}", b" \n{ }"):
        answer = await client.post("/api/v1/experiments", content=content)
        assert answer.status_code == 201
        state = answer.json()
        answers.Created.model_validate(state)
        Recipe.model_validate(state["recipe"])
        assert answer.headers["location"] == f"/api/v1/experiments/{state['id']}"
        assert state["recipe"]["data"]["samples"] == 900
        assert [run["name"] for run in state["recipe"]["runs"]] == ["gd", "sgd"]
        assert (await client.get(answer.headers["location"])).json() == {
            key: value for key, value in state.items() if key != "token"
        }


async def test_any_content_type_is_read_as_json_so_that_plain_curl_works(client: httpx.AsyncClient) -> None:
    for content_type in (
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json; charset=utf-8",
    ):
        answer = await client.post(
            "/api/v1/experiments", content=b'{"data":{"samples":40}}', headers={"Content-Type": content_type}
        )
        assert answer.status_code == 201


async def test_a_first_session(one: Experiment) -> None:
    stepped = await one.ask("POST", "/step", {"steps": 30})
    assert steps(stepped.json()) == {"gd": 30, "sgd": 30}
    assert steps((await one.ask("POST", "/step", {"epochs": 1, "run": "sgd"})).json()) == {
        "gd": 30,
        "sgd": 60,
    }
    playing = (await one.ask("POST", "/play", {"speed": "max"})).json()
    assert {run["status"] for run in playing["runs"]} == {"playing"}
    while steps((await one.get()).json())["gd"] == 30:
        await asyncio.sleep(0.005)
    paused = (await one.ask("POST", "/pause")).json()
    assert {run["status"] for run in paused["runs"]} == {"paused"}
    assert steps(paused)["gd"] > 30
    edited = (await one.ask("PATCH", "/runs/gd", {"batch_size": 1})).json()
    assert edited == {"run": "gd", "at_step": steps(paused)["gd"], "batch_size": 1}
    back = (await one.ask("PATCH", "/runs/gd", {"batch_size": None, "label": "Descent"})).json()
    assert back["batch_size"] is None
    added = await one.ask("POST", "/runs", {"optimizer": "momentum"})
    assert (added.status_code, added.json()["step"], added.json()["label"]) == (201, 0, "Momentum")
    answers.RunState.model_validate(added.json())
    assert (await one.ask("DELETE", f"/runs/{added.json()['name']}")).status_code == 204
    assert steps((await one.ask("POST", "/reset", {"run": "gd"})).json())["gd"] == 0
    assert steps((await one.ask("POST", "/reset")).json()) == {"gd": 0, "sgd": 0}
    assert (await one.ask("DELETE", "")).status_code == 204
    assert (await one.get()).status_code == 404


async def test_the_recipe_posted_again_gives_the_same_numbers(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 10})
    await one.ask("PATCH", "/runs/gd", {"batch_size": 3, "learning_rate": 0.05})
    await one.ask("POST", "/step", {"steps": 10})
    twin = await created(one.client, (await one.get("/recipe")).json())
    await twin.ask("POST", "/step", {"steps": 20})
    here, there = [(await each.get("/runs/gd/snapshot")).json() for each in (one, twin)]
    assert here == there


async def test_history_as_json_as_bdata_and_as_a_table_says_the_same(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 300})
    plain = (await one.get("/runs/gd/history", series=["batch_loss", "train_loss"], buckets=20)).json()
    answers.Columns.model_validate(plain)
    assert 0 < len(plain["first"]) <= 20
    packed = (await one.get("/runs/gd/history", series=["batch_loss"], buckets=20, encoding="bdata")).json()
    answers.Columns.model_validate(packed)
    column = packed["series"]["batch_loss"]["max"]
    numbers = np.frombuffer(base64.b64decode(column["bdata"]), column["dtype"])
    assert numbers.tolist() == plain["series"]["batch_loss"]["max"]
    table = await one.client.get(
        one.here + "/runs/gd/history?series=batch_loss&buckets=20", headers={"Accept": "text/csv"}
    )
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert list(rows[0])[:2] == ["first", "last"]
    assert [float(row["batch_loss.max"]) for row in rows] == plain["series"]["batch_loss"]["max"]


async def test_every_past_step_has_an_exact_snapshot(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 25})
    snapshot = (await one.get("/runs/sgd/snapshot")).json()
    units = (await one.get("/runs/sgd/instruments/units")).json()
    answers.Snapshot.model_validate(snapshot)
    await one.ask("POST", "/step", {"steps": 500})
    assert (await one.get("/runs/sgd/snapshot", step=25)).json() == snapshot
    assert (await one.get("/runs/sgd/instruments/units", step=25)).json() == units
    assert (await one.get("/runs/sgd/snapshot", step=0)).json()["step"] == 0
    refused = await one.get("/runs/sgd/snapshot", step=526)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"pointer": "/step", "detail": "must be a step from 0 to 525, the run's present one"}
    ]
    assert (await one.get("/runs/nobody/snapshot", step=3)).status_code == 404
    assert (await one.get("/runs/sgd/instruments/none", step=3)).status_code == 404


async def test_an_old_range_is_returned_step_by_step(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 1_300, "run": "sgd"})
    then = (await one.get("/runs/sgd/history", since=1_100, until=1_200, series=["batch_loss"])).json()
    await one.ask("POST", "/step", {"steps": 4_000, "run": "sgd"})
    now = (await one.get("/runs/sgd/history", since=1_100, until=1_200, series=["batch_loss"])).json()
    assert now["first"] == list(range(1_100, 1_201))
    assert now["series"] == then["series"]


async def test_a_fork_shares_its_parents_past_and_goes_its_own_way(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 60})
    fork = {"name": "cooler", "fork_of": "gd", "at_step": 40, "learning_rate": 0.02, "label": "Cooler"}
    answer = await one.ask("POST", "/runs", fork)
    assert answer.status_code == 201
    assert (answer.json()["step"], answer.json()["label"]) == (40, "Cooler")
    snapshots = [(await one.get(f"/runs/{run}/snapshot", step=40)).json() for run in ("gd", "cooler")]
    assert snapshots[0]["parameters"] == snapshots[1]["parameters"]
    recipe = (await one.get("/recipe")).json()
    assert recipe["runs"][2]["edits"] == [{"at_step": 40, "learning_rate": 0.02}]
    refused = await one.ask("POST", "/runs", {"at_step": 3})
    assert refused.status_code == 422


async def test_a_fork_may_reinitialize_layers_and_keeps_its_past(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 30})
    fork = {"name": "fresh", "fork_of": "sgd", "at_step": 20, "redraw": {"layers": [1, 2]}}
    assert (await one.ask("POST", "/runs", fork)).status_code == 201
    await one.ask("POST", "/step", {"steps": 1, "run": "fresh"})
    before, after = [
        (await one.get("/runs/fresh/snapshot", step=step)).json()["parameters"] for step in (20, 21)
    ]
    assert before == (await one.get("/runs/sgd/snapshot", step=20)).json()["parameters"]
    assert after["b1"] == [[0.0] * 4]
    assert after["b3"] != [[0.0]]
    sheet = (await one.get("/runs/fresh/inspect", step=20)).json()
    assert {line["name"]: line["values"] for line in sheet["lines"]}["W1"] == after["W1"]
    recipe = (await one.get("/recipe")).json()
    assert recipe["runs"][2]["edits"] == [{"at_step": 20, "redraw": {"layers": [1, 2], "weights": "he"}}]
    again = await one.client.post("/api/v1/experiments", json=recipe)
    there = again.json()["id"]
    key = {"Authorization": f"Bearer {again.json()['token']}"}
    await one.client.post(
        f"/api/v1/experiments/{there}/step", json={"steps": 21, "run": "fresh"}, headers=key
    )
    expected = (await one.client.get(f"/api/v1/experiments/{there}/runs/fresh/snapshot")).json()["parameters"]
    assert expected == after


@pytest.mark.parametrize(
    ("redraw", "pointer"),
    [
        ({"layers": [4]}, "/redraw/layers/0"),
        ({"layers": [1, 1]}, "/redraw"),
        ({"layers": []}, "/redraw/layers"),
        ({"layers": [1], "weights": "hee"}, "/redraw/weights"),
        (None, "/redraw"),
    ],
)
async def test_layers_that_cannot_be_drawn_are_refused(one: Experiment, redraw: Any, pointer: str) -> None:
    answer = await one.ask("PATCH", "/runs/gd", {"redraw": redraw})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    new = await one.ask("POST", "/runs", {"name": "fresh", "redraw": {"layers": [1]}})
    assert new.status_code == 422


async def test_a_long_table_is_whole(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 1000})
    table = await one.client.get(one.here + "/runs/sgd/history?buckets=10000", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [int(row["first"]) for row in rows] == list(range(1000))


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/html, application/json;q=0.9", "application/json"),
        ("text/csv", "text/csv"),
        ("text/csv, */*;q=0.1", "text/csv"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("text/csv;q=x", "application/json"),
    ],
)
async def test_accept_decides_between_json_and_table(one: Experiment, accept: str, kind: str) -> None:
    answer = await one.client.get(one.here + "/runs/gd/history", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    "query",
    [
        "buckets=0",
        "buckets=10001",
        "buckets=ten",
        "buckets=5.0",
        "buckets=1_0",
        "since=-1",
        "until=x",
        "encoding=xml",
        "encoding=binary",
        "series=spin",
        "bukcets=3",
        "since=99999999999999999999",
        "buckets=%00",
        "since=",
    ],
)
async def test_a_wrong_query_is_refused_with_its_field(one: Experiment, query: str) -> None:
    answer = await one.client.get(f"{one.here}/runs/gd/history?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/" + query.split("=")[0]


async def test_a_plain_request_to_the_socket_says_what_is_missing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/stream")
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert answer.json()["type"] == "/problems/upgrade-required"
    assert "a proxy between must pass Upgrade" in answer.json()["detail"]
    assert (await client.post("/api/v1/stream")).headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_pause_and_a_deletion_end_steps_with_those_that_were_made(client: httpx.AsyncClient) -> None:
    slow = {"data": {"samples": 900}, "network": {"weights": "zeros"}, "runs": [{"learning_rate": 1e-4}]}
    one = await created(client, slow)
    for method, path in (("POST", "/pause"), ("DELETE", "")):
        before = (await one.get()).json()["runs"][0]["step"]
        steps = asyncio.create_task(one.ask("POST", "/step", {"steps": 1_000_000}))
        while (await one.get()).json()["runs"][0]["step"] <= before:
            await asyncio.sleep(0.01)
        assert (await one.ask(method, path)).status_code in (200, 204)
        answer = await steps
        assert answer.status_code == 200
        assert before < answer.json()["runs"][0]["step"] < 1_000_000


async def test_a_wrong_query_beside_a_body_is_refused_with_its_field(one: Experiment) -> None:
    for query, body in (("wait=soon", {}), ("wait=26", {"steps": 1}), ("wait=x", {"wait": 1})):
        answer = await one.ask("POST", f"/step?{query}", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/wait"
    answer = await one.ask("POST", "/step?wait=soon", {"steps": 0})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/wait", "/steps"]


async def test_a_wrong_switch_in_a_query_is_refused_with_what_would_be_right(one: Experiment) -> None:
    for url in ("/figures/loss?filled=maybe", "/moment?map=", "/instruments/fall_line?terrain=2"):
        [error] = (await one.client.get(one.here + url)).json()["errors"]
        assert error["detail"] == "must be true or false"


async def test_views_have_the_shapes_that_are_described(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 5})
    answers.Snapshot.model_validate((await one.get("/runs/gd/snapshot")).json())
    data = answers.Samples.model_validate((await one.get("/data")).json())
    assert (len(data.X), len(data.y[0])) == (60, 1)
    for row in (await one.get("/runs/gd/instruments")).json():
        answers.Measured.model_validate((await one.get(f"/runs/gd/instruments/{row['name']}")).json())
    catalog = catalog_answers.Catalog.model_validate((await one.client.get("/api/v1/catalog")).json())
    assert catalog.idle_seconds == Settings().idle_seconds
    for exhibit in catalog.exhibits:
        Recipe.model_validate(exhibit.recipe)
    answers.Health.model_validate((await one.client.get("/healthz")).json())
    answers.Readiness.model_validate((await one.client.get("/readyz")).json())


async def test_the_catalog_has_an_exhibits_recipe_as_its_experiment_does(
    client: httpx.AsyncClient,
) -> None:
    exhibits = (await client.get("/api/v1/catalog")).json()["exhibits"]
    assert len({exhibit["title"] for exhibit in exhibits}) == len(exhibits) == len(EXHIBITS)
    for exhibit in exhibits:
        answer = await client.post("/api/v1/experiments", json=exhibit["recipe"])
        assert answer.status_code == 201, exhibit["name"]
        assert answer.json()["recipe"] == exhibit["recipe"]


@pytest.mark.parametrize("name", [*FIGURES, *INSTRUMENT_FIGURES])
async def test_figures_load_in_plotly(one: Experiment, name: str) -> None:
    await one.ask("POST", "/step", {"steps": 50})
    answer = await one.get(f"/figures/{name}")
    assert len(plotly.io.from_json(answer.text).data) > 0


async def test_the_figure_of_an_instrument_shows_its_measurement_of_that_run_and_step(
    one: Experiment,
) -> None:
    await one.ask("POST", "/step", {"steps": 50})
    answer = (await one.get("/runs/sgd/instruments/curvature", step=20)).json()
    drawn = (await one.get("/figures/edge", run="sgd", step=20)).json()
    needle = next(trace for trace in drawn["data"] if trace["meta"]["role"] == "needle")
    assert (needle["x"], needle["y"]) == ([20], [min(answer["edge"], 2.0)])
    assert needle["meta"]["lane"] == "b"
    first = (await one.get("/figures/edge")).json()["data"][-1]
    assert (first["meta"]["lane"], first["x"]) == ("a", [50])
    for query, status in ((("run", "none"), 404), (("step", 51), 422), (("filled", "perhaps"), 422)):
        assert (await one.get("/figures/edge", **dict([query]))).status_code == status


@pytest.mark.parametrize("name", ["loss", "gradients", "edge"])
async def test_a_figure_that_is_not_filled_has_no_data(one: Experiment, name: str) -> None:
    await one.ask("POST", "/step", {"steps": 50})
    await one.ask("PATCH", "/runs/gd", {"learning_rate": 0.005})
    await one.ask("POST", "/step", {"steps": 1})
    bare = (await one.get(f"/figures/{name}", filled="false")).json()
    assert bare["data"]
    assert not any(trace.get("x") or trace.get("y") for trace in bare["data"])


@pytest.mark.parametrize(
    "path",
    [
        "/runs/nope/history",
        "/runs/nope/snapshot",
        "/runs/nope/instruments",
        "/runs/gd/instruments/nope",
        "/figures/nope",
        "/nope",
        "/runs/gd/nope",
        "/",
    ],
)
async def test_unknown_urls_are_404_with_problem_details(one: Experiment, path: str) -> None:
    answer = await one.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    answers.Problem.model_validate(answer.json())


async def test_unknown_before_forbidden_before_wrong(one: Experiment) -> None:
    client, bad = one.client, {"steps": -1}
    nowhere = await client.post("/api/v1/experiments/unknown/step", json=bad)
    assert nowhere.status_code == 404
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": one.token},
        {"Authorization": "Basic x"},
    ):
        refused = await client.post(one.here + "/step", json=bad, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert one.token not in refused.text
    assert (await one.ask("POST", "/step", bad)).status_code == 422


async def test_the_next_change_is_returned_line_by_line_at_any_step(one: Experiment) -> None:
    await one.ask("POST", "/step", {"steps": 30})
    then = (await one.get("/runs/sgd/inspect", step=7)).json()
    answers.Inspection.model_validate(then)
    values = {entry["name"]: np.array(entry["values"]) for entry in (*then["given"], *then["lines"])}
    before, after = [(await one.get("/runs/sgd/snapshot", step=step)).json()["parameters"] for step in (7, 8)]
    inputs = {entry["name"]: entry["values"] for entry in then["given"]}
    assert then["batch"] == (await one.get("/runs/sgd/snapshot", step=7)).json()["batch"]
    for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
        assert inputs[name] == before[name]
        np.testing.assert_allclose(values[name], after[name], rtol=0, atol=1e-12)
    (line,) = [line for line in then["lines"] if line["name"] == "z2"]
    assert (line["part"], line["expression"], line["shape"]) == ("forward", "a1 @ W2 + b2", [1, 4])
    now = (await one.get("/runs/gd/inspect", rows=4)).json()
    assert now["step"] == 30
    (batch,) = [entry for entry in now["given"] if entry["name"] == "X"]
    assert (batch["shape"], batch["rows"], np.shape(batch["values"])) == ([60, 5], 4, (4, 5))
    assert (await one.get("/runs/gd/inspect", step=31)).status_code == 422
    assert (await one.get("/runs/gd/inspect", rows=0)).status_code == 422
    later = (await one.get("/runs/gd/inspect", rows=2, first=7)).json()
    answers.Inspection.model_validate(later)
    (two,) = [entry for entry in later["given"] if entry["name"] == "X"]
    assert (two["first"], two["rows"]) == (7, 2)
    corner = (await one.get("/runs/gd/inspect", rows=2, block=3)).json()
    answers.Inspection.model_validate(corner)
    (weights,) = [entry for entry in corner["given"] if entry["name"] == "W1"]
    assert (weights["shape"], np.shape(weights["values"])) == ([5, 4], (3, 3))
    assert [line["change"].keys() for line in corner["lines"] if line["name"] == "W1"] == [
        {"row", "column", "before", "after"}
    ]
    assert (await one.get("/runs/gd/inspect", block=0)).status_code == 422
    script = await one.get("/runs/sgd/inspect/script", step=7)
    assert script.headers["content-type"].startswith("text/x-python")
    assert f"sample {then['batch'][0]} of the data" in script.text


async def test_every_changing_call_needs_the_token_and_no_reading_one_does(one: Experiment) -> None:
    document = (await one.client.get("/openapi.json")).json()
    for path, calls in document["paths"].items():
        if "/experiments/{id}" not in path:
            continue
        names = {"/runs/{run}/instruments/{name}": "units", "{id}/instruments/{name}": "fall_line"}
        name = next((name for end, name in names.items() if path.endswith(end)), "loss")
        address = path.format(id=one.id, run="gd", name=name, file="recipe.json")
        for method in calls:
            answer = await one.client.request(method, address)
            assert answer.status_code == (200 if method == "get" else 401), (method, path)
            assert ("security" in calls[method]) == (method != "get")


async def test_a_repeat_with_its_key_is_answered_again_and_not_done_again(one: Experiment) -> None:
    key = {"Idempotency-Key": "7b0e7a38"}
    first = await one.ask("POST", "/step", {"steps": 5}, **key)
    again = await one.ask("POST", "/step", {"steps": 5}, **key)
    assert first.json() == again.json()
    assert steps((await one.get()).json())["gd"] == 5
    other = await one.ask("POST", "/step", {"steps": 6}, **key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    removed = [await one.ask("DELETE", "/runs/sgd", **{"Idempotency-Key": "k2"}) for _ in range(2)]
    assert [answer.status_code for answer in removed] == [204, 204]
    for bad in ("", "with space", "x" * 129):
        assert (await one.ask("POST", "/step", {}, **{"Idempotency-Key": bad})).status_code == 422


@pytest.mark.parametrize("query", ["run=gd", "run=nobody", "step=0", "plane=pca"])
async def test_a_figure_of_all_runs_and_steps_refuses_to_be_of_one(one: Experiment, query: str) -> None:
    for name in ("loss", "gradients"):
        answer = await one.client.get(f"{one.here}/figures/{name}?{query}")
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error == {
            "pointer": f"/{query.partition('=')[0]}",
            "detail": "must be left out: this figure shows all runs and steps",
        }


async def test_two_keys_are_refused_and_nothing_is_done(one: Experiment) -> None:
    headers = [*one.authorized.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await one.client.post(one.here + "/step", json={"steps": 5}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/Idempotency-Key", "detail": "must appear only once"}]
    assert steps((await one.get()).json())["gd"] == 0


@pytest.mark.parametrize("other", ["Bearer wrong", "Basic x", "", None])
async def test_two_tokens_are_refused_in_any_order_and_nothing_is_done(
    one: Experiment, other: str | None
) -> None:
    right = one.authorized["Authorization"]
    for values in ((right, other or right), (other or right, right)):
        headers = [("Authorization", value) for value in values]
        for method, path in (
            ("POST", "/step"),
            ("PATCH", "/runs/gd"),
            ("DELETE", "/runs/gd"),
            ("DELETE", ""),
        ):
            answer = await one.client.request(method, one.here + path, headers=headers)
            assert answer.status_code == 422, (method, path)
            assert answer.json()["errors"] == [
                {"pointer": "/Authorization", "detail": "must appear only once"}
            ]
    assert steps((await one.get()).json()) == {"gd": 0, "sgd": 0}


@pytest.mark.parametrize("path", ["/datasets", "/parameters"])
@pytest.mark.parametrize("second", ["text/csv", "application/octet-stream", "text/plain"])
async def test_two_content_types_of_an_upload_are_refused(one: Experiment, path: str, second: str) -> None:
    first = "text/csv" if path == "/datasets" else "application/octet-stream"
    headers = [("Content-Type", first), ("Content-Type", second)]
    answer = await one.client.post(f"/api/v1{path}", content=b"a,b\n1,2\n2,3\n3,5\n", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/Content-Type", "detail": "must appear only once"}]


@pytest.mark.parametrize(
    ("query", "repeated"),
    [
        ("since=1&since=2", ["/since"]),
        ("since=1&since=1", ["/since"]),
        ("since=1&buckets=5&since=2&buckets=6&series=batch_loss&series=train_loss", ["/since", "/buckets"]),
        ("since=1&sin%63e=2", ["/since"]),
        ("x=&x=", ["/x"]),
        ("&".join(["x"] * 100), ["/x"]),
    ],
)
async def test_a_parameter_that_comes_twice_is_refused_by_its_name(
    one: Experiment, query: str, repeated: list[str]
) -> None:
    for path in ("", "/runs/gd/history", "/runs/gd/snapshot", "/figures/loss", "/export/recipe.json"):
        answer = await one.client.get(f"{one.here}{path}?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"pointer": pointer, "detail": "must appear only once"} for pointer in repeated
        ]


async def test_series_may_come_again_and_again_up_to_a_bound(one: Experiment) -> None:
    history = one.here + "/runs/gd/history?"
    answer = await one.client.get(history + "&".join(["series=batch_loss"] * MOST_SERIES))
    assert list(answer.json()["series"]) == ["batch_loss"]
    answer = await one.client.get(history + "&".join(["series=batch_loss"] * (MOST_SERIES + 1)))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/series", "detail": "must have at most 128 entries"}]
    answer = await one.client.get(history + "series=" + "x" * 65)
    assert answer.json()["errors"][0]["pointer"].startswith("/series")


async def test_too_expensive_says_bound_limit_and_asked(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/experiments", json={"data": {"samples": 5001}})
    problem = answer.json()
    assert answer.status_code == 422
    assert problem["type"] == "/problems/too-expensive"
    assert (problem["limit"], problem["asked"]) == (5000, 5001)
    assert "sample" in problem["bound"]


async def test_a_full_server_says_when_to_come_back() -> None:
    async with open_app(experiments=1) as (_, client):
        one = await created(client)
        await one.ask("POST", "/play", {})
        answer = await client.post("/api/v1/experiments", json={})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_one_token_may_call_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "time", SimpleNamespace(monotonic=lambda: 0.0))
    async with open_app(requests_per_second=20) as (_, client):
        one, other = await created(client), await created(client)
        statuses = [(await one.ask("POST", "/pause")).status_code for _ in range(40)]
        assert statuses == [200] * 20 + [429] * 20
        refused = await one.ask("POST", "/pause")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert (await other.ask("POST", "/pause")).status_code == 200
        assert (await one.get()).status_code == 200


async def test_other_methods_are_405_with_all_that_the_address_takes(one: Experiment) -> None:
    for path, allowed in (
        ("", "DELETE, GET, HEAD, OPTIONS"),
        ("/runs/gd", "DELETE, OPTIONS, PATCH"),
        ("/step", "OPTIONS, POST"),
    ):
        for method in ("PUT", "TRACE", "QUERY", "POST" if path != "/step" else "GET"):
            answer = await one.client.request(method, one.here + path)
            assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
            assert answer.headers["content-type"] == "application/problem+json"
        options = await one.client.options(one.here + path)
        assert (options.status_code, options.headers["allow"]) == (204, allowed)


async def test_head_is_get_without_its_body(one: Experiment) -> None:
    whole, head = await one.get(), await one.client.head(one.here)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))


async def test_an_unexpected_exception_shows_no_internals(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_app() as (app, client):

        def broken() -> dict[str, Any]:
            raise ZeroDivisionError("secret inside")

        monkeypatch.setattr(app.state.lab, "catalog", broken)
        answer = await client.get("/api/v1/catalog")
    problem = answer.json()
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"]
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert problem["instance"] in caplog.text


async def test_nan_that_came_this_far_is_a_mistake_of_the_server_not_a_broken_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_app() as (app, client):
        monkeypatch.setattr(app.state.lab, "catalog", lambda: {"a": float("nan")})
        answer = await client.get("/api/v1/catalog")
    assert answer.status_code == 500
    json.loads(answer.text)
    assert [each.levelname for each in caplog.records if each.exc_info] == ["ERROR"]


async def test_a_large_history_is_encoded_in_pieces_in_a_thread(
    one: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.ask("POST", "/step", {"steps": 1000})
    largest: list[int] = []

    encode = web_answers._FAST.dump_json

    def encoded(value: Any) -> bytes:
        text = encode(value)
        if len(text) > 1_000:
            assert threading.current_thread() is not threading.main_thread()
            largest.append(len(text))
        return text

    monkeypatch.setattr(web_answers._FAST, "dump_json", encoded)
    path = one.here + "/runs/sgd/history?buckets=10000"
    response = await one.client.get(path)
    # each call holds the interpreter lock, in any thread: one call per series, not for the whole answer
    assert len(largest) > 10
    assert max(largest) < len(response.content) / 10


async def test_the_catalog_is_encoded_once_and_compressed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a twelfth of the page's first visit."""
    first = await client.get("/api/v1/catalog", headers={"Accept-Encoding": "gzip"})
    monkeypatch.setattr("fallline.services.lab.Lab.catalog", None)
    again = await client.get("/api/v1/catalog", headers={"Accept-Encoding": "identity"})
    assert first.json() == again.json()
    assert (first.headers["content-encoding"], first.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in again.headers
    assert 4 * int(first.headers["content-length"]) < len(again.content)


async def test_the_page_is_served_for_good_and_its_address_is_not(client: httpx.AsyncClient) -> None:
    page_built()
    page = await client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    unchanged = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    plotly_at = "/" + page.text.split('name="plotly-src" content="')[1].split('"')[0]
    asset = await client.get(plotly_at, headers={"Accept-Encoding": "gzip"})
    assert asset.headers["content-encoding"] == "gzip"
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["vary"] == "Accept-Encoding"
    assert asset.content.startswith(b"/*! plotly.js v")
    plain = await client.get(plotly_at, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    old = await client.get("/assets/main-00000000.js")
    assert (old.status_code, old.headers["cache-control"]) == (404, "no-store")
    assert old.headers["content-type"] == "application/problem+json"


async def test_a_reset_and_a_removal_are_undone_by_their_ids(client: httpx.AsyncClient) -> None:
    one = await created(client)
    await one.ask("POST", "/step", {"steps": 40})
    numbers = (await one.get("/runs/gd/snapshot")).json()
    undo = (await one.ask("POST", "/reset")).json()["undo"]
    assert (await one.get("/runs/gd/snapshot")).json()["step"] == 0
    other = await created(client)
    refused = await client.post(f"/api/v1/undo/{undo}", headers={"Authorization": f"Bearer {other.token}"})
    assert refused.status_code == 401
    as_owner = {"Authorization": f"Bearer {one.token}"}
    state = (await client.post(f"/api/v1/undo/{undo}", headers=as_owner)).json()
    assert [(run["step"], run["generation"]) for run in state["runs"]] == [(40, 2), (40, 2)]
    again = (await one.get("/runs/gd/snapshot")).json()
    assert {**again, "generation": 0} == {**numbers, "generation": 0}
    second_undo = await client.post(f"/api/v1/undo/{undo}", headers=as_owner)
    assert (second_undo.status_code, second_undo.json()["type"]) == (410, "/problems/gone")
    removed = await one.ask("DELETE", "/runs/sgd")
    undo = removed.headers["Fallline-Undo"]
    assert [run["name"] for run in (await one.get()).json()["runs"]] == ["gd"]
    state = (await client.post(f"/api/v1/undo/{undo}", headers=as_owner)).json()
    assert [(run["name"], run["step"]) for run in state["runs"]] == [("gd", 40), ("sgd", 40)]
    unknown = await client.post("/api/v1/undo/nothing.1", headers=as_owner)
    assert unknown.status_code == 404
    deleted = await one.ask("DELETE", "")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await one.get()).status_code == 404
    undo = deleted.headers["Fallline-Undo"]
    refused = await client.post(f"/api/v1/undo/{undo}", headers={"Authorization": f"Bearer {other.token}"})
    assert refused.status_code == 401
    state = (await client.post(f"/api/v1/undo/{undo}", headers=as_owner)).json()
    assert [(run["name"], run["step"]) for run in state["runs"]] == [("gd", 40), ("sgd", 40)]
    second_undo = await client.post(f"/api/v1/undo/{undo}", headers=as_owner)
    assert second_undo.status_code == 410


@pytest.mark.parametrize("undo", ["nonsense", "{id}", "{id}.", "{id}." + "x" * 65])
async def test_an_undo_that_is_no_id_of_a_change_is_404_and_says_what_to_send(
    undo: str, one: Experiment
) -> None:
    url = f"/api/v1/undo/{undo.format(id=one.id)}"
    answer = await one.client.post(url, headers=one.authorized)
    assert answer.status_code == 404
    assert "Fallline-Undo" in answer.json()["detail"]
    assert (await one.client.get(url)).headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("POST", "/reset?run=gd"), ("POST", "/step?steps=50"), ("POST", "/play?speed=3"), ("POST", "/pause?run=gd"),
        ("GET", "?run=gd"), ("GET", "/recipe?run=gd"), ("GET", "/data?rows=3"), ("GET", "/runs/gd/check?step=0"),
        ("GET", "/runs/gd/findings?step=3"), ("GET", "/runs/gd/history?foo=0"), ("DELETE", "/runs/gd?undo=1"),
    ],
)  # fmt: skip
async def test_a_parameter_that_a_call_does_not_have_is_refused(
    client: httpx.AsyncClient, method: str, call: str
) -> None:
    """It would be ignored: "reset?run=gd" would reset all runs."""
    one = await created(client, {})
    await one.ask("POST", "/step", {"steps": 3})
    answer = await one.ask(method, call)
    assert answer.status_code == 422
    name = call.partition("?")[2].partition("=")[0]
    detail = "is not a known field: check its spelling, or leave it out"
    assert answer.json()["errors"] == [{"pointer": f"/{name}", "detail": detail}]
    assert [run["step"] for run in (await one.get("")).json()["runs"]] == [3, 3]


async def test_pages_and_probes_may_have_any_parameter(client: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/readyz"):
        assert (await client.get(f"{path}?embed=loss&from=mail")).status_code == 200
