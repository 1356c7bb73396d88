"""The fall line over HTTP: exact while the runs rest, on one plane while they move."""

from __future__ import annotations

import asyncio
import base64
import json

import httpx
import numpy as np
import plotly.io
import pytest

from support.aliases import Json
from support.serving import SMALL, Experiment, created

FALL_LINE = "/instruments/fall_line"


async def stepped(client: httpx.AsyncClient, steps: int, recipe: Json = SMALL) -> Experiment:
    one = await created(client, recipe)
    await one.ask("POST", "/step", {"steps": steps})
    return one


async def test_three_losses_of_two_runs_are_those_of_the_experiment(client: httpx.AsyncClient) -> None:
    one = await stepped(client, 120)
    answer = (await one.get(FALL_LINE)).json()
    state = (await one.get()).json()
    assert answer["runs"] == ["gd", "sgd"]
    assert answer["plane"] == "points"
    assert answer["start_loss"] == state["initial_loss"]
    for run, point in zip(state["runs"], answer["points"], strict=True):
        assert point["loss"] == run["latest"]["train_loss"]["value"]
        assert (point["run"], point["step"], point["generation"]) == (run["name"], 120, 0)
        assert point["path"]["outside"][-1] < 1e-20
    assert np.array(answer["losses"]).shape == (152, 180)
    assert (await one.get(FALL_LINE)).json()["losses"] == answer["losses"]


async def test_chosen_runs_and_steps_and_the_list_of_instruments(client: httpx.AsyncClient) -> None:
    one = await stepped(client, 50)
    assert [row["name"] for row in (await one.get("/instruments")).json()] == ["fall_line"]
    chosen = (await one.get(FALL_LINE, runs=["sgd"])).json()
    assert (chosen["runs"], chosen["plane"], chosen["plane_steps"]) == (["sgd"], "path", {"sgd": 50})
    past = (await one.get(FALL_LINE, step=20)).json()
    assert past["plane_steps"] == {"gd": 20, "sgd": 20}
    history = (await one.get("/runs/gd/history", series="train_loss", since=20, until=20)).json()
    assert past["points"][0]["loss"] == pytest.approx(history["series"]["train_loss"]["last"][0], rel=1e-12)
    for query, status in (
        ({"runs": "none"}, 404),
        ({"step": 51}, 422),
        ({"aspect": 9}, 422),
        ({"region": "1,0,0,1"}, 422),
        ({"region": "0,1,0"}, 422),
        ({"plane": "pca"}, 422),
        ({"lens": 0.9}, 422),
    ):
        assert (await one.get(FALL_LINE, **query)).status_code == status, query
    assert (await one.get("/instruments/slope")).status_code == 404


async def test_a_region_to_be_in_view_and_a_shape(client: httpx.AsyncClient) -> None:
    one = await stepped(client, 20)
    fitted = (await one.get(FALL_LINE, aspect=2)).json()["region"]
    wider = (await one.get(FALL_LINE, aspect=2, region="-30.5,1,-2,3.25")).json()["region"]
    assert wider[0] <= -30.5
    assert (wider[1] - wider[0]) / (wider[3] - wider[2]) == pytest.approx(2.0)
    assert wider[0] < fitted[0] < fitted[1] <= wider[1]


async def test_numbers_of_a_query_may_have_an_exponent(client: httpx.AsyncClient) -> None:
    one = await stepped(client, 20)
    with_exponents = await one.get(FALL_LINE, aspect="2e0", lens="2E-1", region="-3.05e+1,1e-07,-2,3.25")
    assert with_exponents.json()["region"][0] <= -30.5
    assert (await one.get(wait="1e-3")).status_code == 200
    for query in (
        {"region": "-1e999,1,-1,1"},
        {"region": "nan,1,-1,1"},
        {"aspect": "1e999"},
        {"lens": "inf"},
    ):
        assert (await one.get(FALL_LINE, **query)).status_code == 422


async def test_packed_answers_have_the_same_numbers(client: httpx.AsyncClient) -> None:
    one = await stepped(client, 30)
    plain = (await one.get(FALL_LINE, aspect="1.5", lens="0.2")).json()
    packed = (await one.get(FALL_LINE, aspect="1.5", lens="0.2", encoding="bdata")).json()
    heights = np.frombuffer(base64.b64decode(packed["heights"]["bdata"]), "<f4").reshape(152, 180)
    np.testing.assert_array_equal(heights, np.array(plain["heights"], dtype="<f4"))
    for one_point, other in zip(plain["points"], packed["points"], strict=True):
        for name, dtype in (("s", "<f8"), ("t", "<f8"), ("outside", "<f8"), ("steps", "<i4")):
            column = np.frombuffer(base64.b64decode(other["path"][name]["bdata"]), dtype)
            np.testing.assert_array_equal(column, one_point["path"][name])
    assert packed["region"] == plain["region"]
    assert len(json.dumps(packed)) < 250_000


async def test_points_of_playing_runs_move_on_one_plane(client: httpx.AsyncClient) -> None:
    one = await stepped(client, 600)
    await one.ask("POST", "/play", {"speed": 60})
    first = (await one.get(FALL_LINE)).json()
    assert (len(first["s"]), len(first["t"])) <= (180, 152)
    steps: list[int] = []
    while len(steps) < 4 or steps[-1] == steps[0]:
        points = (await one.get(FALL_LINE, terrain="false")).json()
        assert points["plane_steps"] == first["plane_steps"]
        assert "losses" not in points
        steps.append(points["step"])
        await asyncio.sleep(0.1)
    assert steps == sorted(steps)
    paused = (await one.ask("POST", "/pause")).json()
    rested = (await one.get(FALL_LINE)).json()
    assert rested["plane_steps"] == {run["name"]: run["step"] for run in paused["runs"]}


async def test_the_figure_shows_the_terrain_and_the_runs_of_the_instrument(client: httpx.AsyncClient) -> None:
    one = await stepped(client, 25)
    answer = (await one.get(FALL_LINE, step=20)).json()
    drawn = (await one.get("/figures/fall_line", step=20)).json()
    assert len(plotly.io.from_json(json.dumps(drawn)).data) == 6
    ground, *runs, start = drawn["data"]
    assert (ground["x"], ground["y"], ground["z"]) == (answer["s"], answer["t"], answer["heights"])
    for number, point in enumerate(answer["points"]):
        way, here = runs[2 * number : 2 * number + 2]
        assert (way["x"], way["y"]) == (point["path"]["s"], point["path"]["t"])
        assert (here["x"], here["y"], here["name"]) == ([point["s"]], [point["t"]], point["run"])
    assert (start["x"], start["y"]) == ([0], [0])
    single = (await one.get("/figures/fall_line", run="sgd")).json()
    assert [trace["meta"].get("lane") for trace in single["data"]] == [None, "b", "b", None]
    bare = (await one.get("/figures/fall_line", filled="false")).json()
    assert not any(trace.get("z") for trace in bare["data"])
    assert (await one.get("/figures/fall_line", plane="pca")).status_code == 422
