"""Curvature and noise over HTTP: those of the run at that step, while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest

from fallline.engine.measures.curvature import hessian
from fallline.engine.problem import build_problem
from fallline.services.measuring import SHARE
from fallline.vocabulary.recipe import Recipe
from support.serving import created, open_app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_app() as (_, client):
        yield client


async def test_curvature_of_a_past_step_is_that_of_its_parameters(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/step", {"steps": 40})
    told = (await one.get("/runs/gd/instruments/curvature", step=20)).json()
    parameters = (await one.get("/runs/gd/snapshot", step=20)).json()["parameters"]
    recipe = Recipe.model_validate((await one.get("/recipe")).json())
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    flat = np.concatenate([np.ravel(value) for value in parameters.values()])
    assert told["step"] == 20
    expected = np.linalg.eigvalsh(hessian(problem, flat))[::-1]
    np.testing.assert_allclose(told["eigenvalues"], expected, atol=1e-12 * expected[0])
    assert told["sharpness"] == told["eigenvalues"][0]
    assert (told["limit"], told["formula"], told["whole"], told["settled"]) == (
        pytest.approx(20.0), "2 / learning_rate", True, True,
    )  # fmt: skip


async def test_measuring_waits_for_no_training_and_training_for_no_measurement(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/play", {"speed": "max"})
    told = await asyncio.gather(
        *(
            one.get(f"/runs/{run}/instruments/{name}")
            for run in ("gd", "sgd")
            for name in ("curvature", "noise")
        )
    )
    assert [answer.status_code for answer in told] == [200] * 4
    before = told[0].json()["step"]
    await one.ask("POST", "/pause")
    assert (await one.get()).json()["runs"][0]["step"] > before


async def test_noise_knows_the_batch_size_in_force(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}})
    gd, sgd = [(await one.get(f"/runs/{run}/instruments/noise")).json() for run in ("gd", "sgd")]
    assert gd["trace_covariance"] == sgd["trace_covariance"] > 0.0
    assert (gd["batch_size"], gd["norm_test"]) == (60, 0.0)
    assert (sgd["batch_size"], sgd["norm_test"]) == (1, pytest.approx(sgd["noise_scale"] * 59 / 60))
    layers = sgd["per_layer"]
    assert sum(layer["trace_covariance"] for layer in layers) == pytest.approx(sgd["trace_covariance"])


async def test_adam_is_sharp_by_its_own_measure_once_it_remembers(client: httpx.AsyncClient) -> None:
    runs = [{"optimizer": "adam", "learning_rate": 0.01}]
    one = await created(client, {"data": {"samples": 60}, "runs": runs})
    at_first = (await one.get("/runs/run-1/instruments/curvature")).json()
    assert (at_first["sharpness"], at_first["preconditioned"]) == (None, False)
    await one.ask("POST", "/step", {"steps": 5})
    later = (await one.get("/runs/run-1/instruments/curvature")).json()
    assert later["preconditioned"]
    assert later["sharpness"] == later["eigenvalues"][0]
    assert later["limit"] == pytest.approx(2 * 1.9 / (0.1 * 0.01))


async def test_gradients_are_those_that_the_history_records_of_the_step(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/step", {"steps": 12})
    for run in ("gd", "sgd"):
        told = (await one.get(f"/runs/{run}/instruments/gradients", step=7)).json()
        series = (await one.get(f"/runs/{run}/history", since=7, until=7)).json()["series"]
        for name, one_of in told["parameters"].items():
            for key, recorded in (
                ("l1", "grad_l1"),
                ("l2", "grad_l2"),
                ("mean", "grad_mean"),
                ("ratio_norm", "ratio"),
            ):
                assert one_of[key] == pytest.approx(series[f"{recorded}/{name}"]["last"][0], rel=1e-10), (
                    run,
                    name,
                    key,
                )
        assert told["batch_size"] == (60 if run == "gd" else 1)
        assert told["cosine"] == pytest.approx(1.0) if run == "gd" else -1.0 < told["cosine"] < 0.9999


async def test_alpha_and_the_loss_along_a_change_are_of_the_step_that_the_history_records(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/step", {"steps": 12})
    for run, size in (("gd", 60), ("sgd", 1)):
        told = (await one.get(f"/runs/{run}/instruments/alpha", step=7)).json()
        along = (await one.get(f"/runs/{run}/instruments/along", step=7)).json()
        series = (await one.get(f"/runs/{run}/history", since=7, until=8)).json()["series"]
        assert (told["step"], told["batch_size"], told["descended"]) == (7, size, "mse / 2")
        loss = [0.5 * value for value in series["train_loss"]["last"]]
        assert told["train"]["losses"] == pytest.approx(loss, rel=1e-12)
        assert told["batch"]["losses"][0] == pytest.approx(0.5 * series["batch_loss"]["last"][0], rel=1e-12)
        places = along["places"]
        for split in ("batch", "train"):
            assert along[split]["alpha"] == told[split]["alpha"]
            curve = along[split]["curve"]
            ends = [curve[places.index(0.0)], curve[places.index(1.0)]]
            assert ends == pytest.approx(told[split]["losses"], rel=1e-12)
            assert len(curve) == len(places) == 51
        _, w1, w2 = told["train"]["parabola"]
        assert told["train"]["alpha"] == (-1.0 if w2 < 0 else pytest.approx(-2 * w2 / w1 - 1))


async def test_a_change_that_would_diverge_has_no_length(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}, "runs": [{"learning_rate": 1e6}]})
    await one.ask("POST", "/step", {"steps": 50})
    diverging = (await one.get("/runs/run-1/instruments/along")).json()
    assert diverging["length"] == 0.0
    assert diverging["train"]["alpha"] is diverging["batch"]["alpha"] is None


async def test_what_is_costly_tells_its_cost_and_how_soon_it_may_be_asked_again(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, {"data": {"samples": 60}})
    for name in ("curvature", "noise", "alpha", "along"):
        told = (await one.get(f"/runs/gd/instruments/{name}")).json()
        assert 0.0 < told["cost_seconds"] < 5.0
        share = told["cost_seconds"] / (told["cost_seconds"] + told["again_seconds"])
        assert share == pytest.approx(SHARE)
        assert share < 0.05
    assert "cost_seconds" not in (await one.get("/runs/gd/instruments/units")).json()
