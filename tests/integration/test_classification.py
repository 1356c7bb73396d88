"""Classification over REST, from the recipe to the confusion matrix."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest

from fallline.engine.data.datasets import DATASETS
from support.problems import blobs
from support.serving import Experiment, created, open_app


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    for classes in (2, 3):
        monkeypatch.setitem(DATASETS, f"blobs_{classes}", blobs(classes))
    async with open_app() as (_, client):
        yield client


RUNS = [
    {"name": "gd", "learning_rate": 0.5},
    {"name": "adam", "optimizer": "adam", "learning_rate": 0.05, "batch_size": 16},
]


def recipe(classes: int, **more: Any) -> dict[str, Any]:
    data = {"name": f"blobs_{classes}", "samples": 200, "test_fraction": 0.25}
    network = {"layers": [{"units": 6, "activation": "tanh"}], "weights": "xavier"}
    return {"data": data, "network": network, "runs": RUNS, **more}


async def stepped(experiment: Experiment, steps: int) -> dict[str, Any]:
    answer = await experiment.ask("POST", "/step", {"steps": steps})
    assert answer.status_code == 200, answer.text
    state: dict[str, Any] = answer.json()
    return state


@pytest.mark.parametrize(
    ("classes", "loss", "outputs"), [(2, "binary_cross_entropy", 1), (3, "softmax_cross_entropy", 3)]
)
async def test_classes_are_learned_end_to_end(
    client: httpx.AsyncClient, classes: int, loss: str, outputs: int
) -> None:
    one = await created(client, recipe(classes))
    state = one.state
    assert state["recipe"]["loss"] == loss
    assert (state["outputs"], state["score"], len(state["classes"])) == (outputs, "accuracy", classes)
    assert state["baseline_score"]["train"] == pytest.approx(0.5, abs=0.05)
    assert state["baseline"]["train"] == pytest.approx({2: np.log(2), 3: 1.5 * np.log(2)}[classes], rel=0.01)

    state = await stepped(one, 400)
    for run in state["runs"]:
        latest = run["latest"]
        assert "train_r2" not in latest
        assert latest["train_accuracy"]["value"] > 0.9
        assert latest["test_accuracy"]["value"] > 0.9
        assert latest["test_loss"]["value"] < state["baseline"]["test"] / 2

    history = (
        await one.get("/runs/adam/history", series=["train_accuracy", "test_accuracy"], buckets=500)
    ).json()
    assert history["series"]["train_accuracy"]["last"][-1] > 0.9

    predictions = (await one.get("/runs/gd/instruments/predictions")).json()
    data = (await one.get("/data")).json()
    shares, guesses = np.array(predictions["probabilities"]), np.array(predictions["y_pred"])
    assert predictions["classes"] == data["classes"] == state["classes"]
    assert predictions["y"] == [data["y"][row][0] for row in predictions["rows"]]
    assert shares.shape == (50, classes)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert np.array_equal(shares.argmax(axis=1), guesses)
    right = float(np.mean(guesses == np.array(predictions["y"])))
    assert state["runs"][0]["latest"]["test_accuracy"]["value"] == right

    units = (await one.get("/runs/gd/instruments/units")).json()
    assert len(units["output"]["mean"]) == outputs
    snapshot = (await one.get("/runs/gd/snapshot")).json()
    assert np.shape(snapshot["parameters"]["W2"]) == np.shape(snapshot["gradients"]["W2"]) == (6, outputs)


async def test_the_recipe_posted_again_gives_the_same_numbers_after_edits(client: httpx.AsyncClient) -> None:
    one = await created(client, recipe(3))
    await stepped(one, 40)
    edited = await one.ask("PATCH", "/runs/gd", {"batch_size": 1, "learning_rate": 0.05})
    assert edited.json()["at_step"] == 40
    first = await stepped(one, 200)
    again = await created(client, (await one.get("/recipe")).json())
    second = await stepped(again, 240)
    for one_run, other in zip(first["runs"], second["runs"], strict=True):
        assert one_run["latest"] == other["latest"]


async def test_the_loss_figure_names_the_majority(client: httpx.AsyncClient) -> None:
    one = await created(client, recipe(3))
    figure = (await one.get("/figures/loss")).json()
    (baseline,) = (shape for shape in figure["layout"]["shapes"] if shape["name"] == "baseline")
    assert baseline["label"]["text"] == "predicting the majority: 1.05"
    assert baseline["y0"] == one.state["baseline"]["train"]


async def test_squares_of_two_classes_know_no_probabilities(client: httpx.AsyncClient) -> None:
    one = await created(client, recipe(2, loss={"name": "huber", "delta": 0.25}))
    state = await stepped(one, 300)
    assert state["recipe"]["loss"] == {"name": "huber", "delta": 0.25}
    assert state["runs"][0]["latest"]["train_accuracy"]["value"] > 0.9
    predictions = (await one.get("/runs/gd/instruments/predictions")).json()
    assert predictions["probabilities"] is None
    assert set(predictions["y_pred"]) == {0, 1}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (recipe(3, loss="mse"), "/loss"),
        (recipe(3, loss={"name": "softmax_cross_entropy", "delta": 1.0}), "/loss/delta"),
        (recipe(2, network={"output": "sigmoid"}), "/network/output"),
        ({"loss": "binary_cross_entropy"}, "/loss"),
        ({"loss": {"name": "huber", "delta": -1.0}}, "/loss/delta"),
    ],
)
async def test_a_loss_that_does_not_fit_is_refused_with_its_pointer(
    client: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    refused = await client.post("/api/v1/experiments", json=body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_a_rate_far_too_high_diverges_or_stays_finite_but_is_never_not_a_number(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, recipe(3, runs=[{"name": "wild", "learning_rate": 1e5}]))
    state = await stepped(one, 300)
    history = (await one.get("/runs/wild/history", series="train_loss", buckets=1000)).json()
    assert state["runs"][0]["step"] > 3
    assert all(value is not None for value in history["series"]["train_loss"]["last"])


def unpacked(column: dict[str, str]) -> Any:
    values = np.frombuffer(base64.b64decode(column["bdata"]), column["dtype"])
    return (
        values.reshape([int(side) for side in column["shape"].split(", ")]) if "shape" in column else values
    )


@pytest.mark.parametrize("classes", [2, 3])
async def test_the_packed_map_equals_decision_and_predictions_of_that_step(
    client: httpx.AsyncClient, classes: int
) -> None:
    one = await created(client, recipe(classes))
    await stepped(one, 60)
    drawn = (await one.get("/runs/gd/instruments/map", step=40)).json()
    decision = (await one.get("/runs/gd/instruments/decision", step=40)).json()
    predictions = (await one.get("/runs/gd/instruments/predictions", step=40)).json()
    counted = (await one.get("/runs/gd/instruments/confusion", step=40)).json()
    assert (drawn["step"], drawn["inputs"]) == (40, ["x1", "x2"])
    assert counted.items() <= drawn.items()
    assert unpacked(drawn["cells"]["predicted"]).tolist() == decision["predicted"]
    probability = unpacked(drawn["cells"]["probability"]) / 255
    if classes == 2:
        score = np.array(decision["score"])
        np.testing.assert_allclose(probability, np.maximum(score, 1 - score), atol=0.5 / 255 + 1e-12)
    assert probability.min() >= 1 / classes - 0.002
    for place, (low, high) in zip("xy", drawn["edges"], strict=True):
        middle = decision[place]
        half = (middle[1] - middle[0]) / 2
        assert (low, high) == pytest.approx((middle[0] - half, middle[-1] + half))
    X = np.array((await one.get("/data")).json()["X"])[predictions["rows"]]
    samples = {name: unpacked(column) for name, column in drawn["samples"].items()}
    assert np.array_equal(np.stack([samples["x"], samples["y"]], axis=1), X.astype(np.float32))
    assert samples["true"].tolist() == predictions["y"]
    assert samples["predicted"].tolist() == predictions["y_pred"]
    assert drawn["cost_seconds"] > 0.0


async def test_a_map_of_squares_knows_no_probabilities_and_there_is_none_of_more_inputs(
    client: httpx.AsyncClient,
) -> None:
    squares = await created(client, recipe(2, loss="mse"))
    cells = (await squares.get("/runs/gd/instruments/map")).json()["cells"]
    assert cells["probability"] is None
    assert set(unpacked(cells["predicted"]).ravel()) <= {0, 1}
    numbers = await created(client, {"data": {"samples": 60}})
    none = (await numbers.get("/runs/gd/instruments/map")).json()
    assert (none["edges"], none["cells"], none["samples"], none["right"]) == (None, None, None, None)
