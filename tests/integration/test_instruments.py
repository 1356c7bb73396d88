"""Instruments over HTTP: they measure the run at a step while it trains."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import numpy as np
import pytest

from fallline.engine.problem import build_problem
from fallline.services.fair_slots import SHARE
from fallline.services.views import Views
from fallline.vocabulary.recipe import Recipe
from support.problems import hessian
from support.serving import created


async def test_curvature_of_a_past_step_uses_its_parameters(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/step", {"steps": 40})
    answer = (await one.get("/runs/gd/instruments/curvature", step=20)).json()
    parameters = (await one.get("/runs/gd/snapshot", step=20)).json()["parameters"]
    recipe = Recipe.model_validate((await one.get("/recipe")).json())
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    flat = np.concatenate([np.ravel(value) for value in parameters.values()])
    assert answer["step"] == 20
    expected = np.linalg.eigvalsh(hessian(problem, flat))[::-1]
    np.testing.assert_allclose(answer["eigenvalues"], expected, atol=1e-12 * expected[0])
    assert answer["sharpness"] == answer["eigenvalues"][0]
    assert (answer["limit"], answer["formula"], answer["whole"], answer["settled"]) == (
        pytest.approx(20.0), "2 / learning_rate", True, True,
    )  # fmt: skip


async def test_measuring_waits_for_no_training_and_training_for_no_measurement(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/play", {"speed": "max"})
    answers = await asyncio.gather(
        *(
            one.get(f"/runs/{run}/instruments/{name}")
            for run in ("gd", "sgd")
            for name in ("curvature", "noise")
        )
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    before = answers[0].json()["step"]
    async with asyncio.timeout(90):
        while (await one.get()).json()["runs"][0]["step"] <= before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "recipe",
    [
        {
            "network": {
                "layers": [{"units": 5, "activation": "identity"}] * 8,
                "weights": {"name": "normal", "scale": 1e6},
            },
            "runs": [{"learning_rate": 1e-300}],
        },
        {"runs": [{"learning_rate": 5e-324}]},
        {"runs": [{"schedule": {"name": "cosine", "steps": 1, "least": 0}}]},
    ],
    ids=["steep", "slow", "at rest"],
)
async def test_numbers_beyond_a_float_are_null_and_no_mistake_of_the_server(
    client: httpx.AsyncClient, recipe: dict[str, Any]
) -> None:
    one = await created(client, {"data": {"samples": 60}, **recipe})
    await one.ask("POST", "/step", {"steps": 2})
    for row in (await one.get("/runs/run-1/instruments")).json():
        assert (await one.get(f"/runs/run-1/instruments/{row['name']}")).status_code in {200, 404, 422}
    for figure in ("edge", "noise", "layers", "spectrum"):
        assert (await one.get(f"/figures/{figure}")).status_code == 200
    noise = (await one.get("/runs/run-1/instruments/noise")).json()
    curvature = (await one.get("/runs/run-1/instruments/curvature")).json()
    assert None in (noise["gradient_norm_squared"], noise["inner_product_test"], curvature["limit"])


async def test_noise_knows_the_batch_size_in_force(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}})
    gd, sgd = [(await one.get(f"/runs/{run}/instruments/noise")).json() for run in ("gd", "sgd")]
    assert gd["trace_covariance"] == sgd["trace_covariance"] > 0.0
    assert (gd["batch_size"], gd["norm_test"]) == (60, 0.0)
    assert (sgd["batch_size"], sgd["norm_test"]) == (1, pytest.approx(sgd["noise_scale"] * 59 / 60))
    await one.ask("PATCH", "/runs/gd", {"order": "replacement"})
    await one.ask("PATCH", "/runs/sgd", {"order": "replacement", "batch_size": 60})
    gd, drawn = [(await one.get(f"/runs/{run}/instruments/noise")).json() for run in ("gd", "sgd")]
    assert gd["norm_test"] == 0.0
    assert drawn["norm_test"] == pytest.approx(sgd["norm_test"] / 60)
    await one.ask("PATCH", "/runs/sgd", {"order": "shuffle", "batch_size": 500})
    beyond = (await one.get("/runs/sgd/instruments/noise")).json()
    assert (beyond["batch_size"], beyond["norm_test"]) == (500, 0.0)
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


async def test_gradients_equal_the_history_of_the_step(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/step", {"steps": 12})
    for run in ("gd", "sgd"):
        answer = (await one.get(f"/runs/{run}/instruments/gradients", step=7)).json()
        series = (await one.get(f"/runs/{run}/history", since=7, until=7)).json()["series"]
        for name, one_of in answer["parameters"].items():
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
        assert answer["batch_size"] == (60 if run == "gd" else 1)
        assert answer["cosine"] == pytest.approx(1.0) if run == "gd" else -1.0 < answer["cosine"] < 0.9999


async def test_alpha_and_the_loss_along_a_change_are_of_the_step_that_the_history_records(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/step", {"steps": 12})
    for run, size in (("gd", 60), ("sgd", 1)):
        answer = (await one.get(f"/runs/{run}/instruments/alpha", step=7)).json()
        along = (await one.get(f"/runs/{run}/instruments/along", step=7)).json()
        series = (await one.get(f"/runs/{run}/history", since=7, until=8)).json()["series"]
        assert (answer["step"], answer["batch_size"], answer["descended"]) == (7, size, "mse / 2")
        loss = [0.5 * value for value in series["train_loss"]["last"]]
        assert answer["train"]["losses"] == pytest.approx(loss, rel=1e-12)
        assert answer["batch"]["losses"][0] == pytest.approx(0.5 * series["batch_loss"]["last"][0], rel=1e-12)
        places = along["places"]
        for split in ("batch", "train"):
            assert along[split]["alpha"] == answer[split]["alpha"]
            curve = along[split]["curve"]
            ends = [curve[places.index(0.0)], curve[places.index(1.0)]]
            assert ends == pytest.approx(answer[split]["losses"], rel=1e-12)
            assert len(curve) == len(places) == 51
        _, w1, w2 = answer["train"]["parabola"]
        assert answer["train"]["alpha"] == (-1.0 if w2 < 0 else pytest.approx(-2 * w2 / w1 - 1))


async def test_a_change_that_would_diverge_has_no_length(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}, "runs": [{"learning_rate": 1e6}]})
    await one.ask("POST", "/step", {"steps": 50})
    diverging = (await one.get("/runs/run-1/instruments/along")).json()
    assert diverging["length"] == 0.0
    assert diverging["train"]["alpha"] is diverging["batch"]["alpha"] is None


async def test_a_costly_measurement_reports_its_cost_and_when_to_repeat_it(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, {"data": {"samples": 60}})
    for name in ("curvature", "noise", "alpha", "along"):
        answer = (await one.get(f"/runs/gd/instruments/{name}")).json()
        assert 0.0 < answer["cost_seconds"] < 5.0
        share = answer["cost_seconds"] / (answer["cost_seconds"] + answer["again_seconds"])
        assert 0.0 < share < SHARE < 0.05
    assert "cost_seconds" not in (await one.get("/runs/gd/instruments/units")).json()


async def test_encoding_counts_to_the_cost_of_a_costly_measurement(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[float] = []
    monkeypatch.setattr(Views, "add_encoding", lambda _, seconds: written.append(seconds))
    one = await created(client, {"data": {"samples": 60}})
    for name in ("curvature", "slice"):
        assert (await one.get(f"/runs/gd/instruments/{name}")).status_code == 200
    assert len(written) == 2
    assert min(written) > 0.0


async def test_a_slice_contains_the_position_and_the_path_of_the_run(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"samples": 60}})
    await one.ask("POST", "/step", {"steps": 300})
    for query in ({}, {"plane": "eigenvectors"}, {"normalize": "filter"}):
        answer = (await one.get("/runs/gd/instruments/slice", step=200, **query)).json()
        path, history = answer["path"], (await one.get("/runs/gd/history", since=0, until=200)).json()
        assert (answer["step"], path["steps"][0], path["steps"][-1]) == (200, 0, 200)
        assert path["steps"] == sorted(set(path["steps"]))
        assert 15 <= len(path["steps"]) <= 32
        assert (path["s"][-1], path["t"][-1]) == (pytest.approx(0.0, abs=1e-9), pytest.approx(0.0, abs=1e-9))
        assert 0.0 <= answer["outside"] <= 1.0
        rows, columns = np.array(answer["losses"]).shape
        assert (rows, columns) == (len(answer["t"]), len(answer["s"]))
        middle = np.interp(200, path["steps"], path["s"])
        assert answer["s"][0] < middle < answer["s"][-1]
        loss = history["series"]["train_loss"]["last"][200]
        assert np.nanmin(np.array(answer["losses"], dtype=float)) < 10 * loss
    assert (await one.get("/runs/gd/instruments/slice", plane="none")).status_code == 422
    assert (await one.get("/runs/gd/instruments/slice", step=301)).status_code == 422
    refused = await one.get("/runs/gd/instruments/noise", plane="pca")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/plane")


async def test_residuals_and_the_confusion_matrix_follow_from_the_predictions(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, {"data": {"samples": 60, "test_fraction": 0.25}})
    await one.ask("POST", "/step", {"steps": 30})
    predictions = (await one.get("/runs/gd/instruments/predictions")).json()
    left = (await one.get("/runs/gd/instruments/residuals")).json()
    expected = np.array(predictions["y"]) - np.array(predictions["y_pred"])
    assert (left["split"], left["rows"]) == ("test", predictions["rows"])
    np.testing.assert_array_equal(left["residuals"], expected)
    assert (left["mean"], left["sd"]) == (pytest.approx(expected.mean()), pytest.approx(expected.std()))
    errors = np.sqrt((expected**2).mean()), np.abs(expected).mean()
    assert (left["rmse"], left["mae"]) == (pytest.approx(errors[0]), pytest.approx(errors[1]))
    assert (await one.get("/runs/gd/instruments/confusion")).json()["counts"] is None
    assert (await one.get("/runs/gd/instruments/decision")).json()["predicted"] is None


async def test_the_decision_map_equals_predictions_at_its_points(client: httpx.AsyncClient) -> None:
    data = {"name": "moons", "samples": 80, "test_fraction": 0.25}
    network = {"layers": [{"units": 4, "activation": "tanh"}]}
    one = await created(client, {"data": data, "network": network, "runs": [{"learning_rate": 0.5}]})
    await one.ask("POST", "/step", {"steps": 60})
    predictions = (await one.get("/runs/run-1/instruments/predictions")).json()
    counts = np.array((confusion := (await one.get("/runs/run-1/instruments/confusion")).json())["counts"])
    for true in (0, 1):
        for predicted in (0, 1):
            pairs = zip(predictions["y"], predictions["y_pred"], strict=True)
            assert counts[true, predicted] == sum(pair == (true, predicted) for pair in pairs)
    assert confusion["right"] == pytest.approx(np.trace(counts) / counts.sum())
    drawn = (await one.get("/runs/run-1/instruments/decision")).json()
    parameters = (await one.get("/runs/run-1/snapshot")).json()["parameters"]
    for row, column in ((0, 0), (7, 31), (47, 12)):
        at = np.array([drawn["x"][column], drawn["y"][row]])
        hidden = np.tanh(at @ np.array(parameters["W1"]) + parameters["b1"])
        logit = (hidden @ np.array(parameters["W2"]) + parameters["b2"]).item()
        assert drawn["score"][row][column] == pytest.approx(1.0 / (1.0 + np.exp(-logit)), rel=1e-9)
        assert drawn["predicted"][row][column] == int(logit > 0.0)
    assert np.array(drawn["predicted"]).shape == (48, 48)
    data = (await one.get("/data")).json()
    X = np.array(data["X"])
    assert drawn["x"][0] < X[:, 0].min() < X[:, 0].max() < drawn["x"][-1]
    assert [len(each["x"]) for each in drawn["samples"]] == [40, 40]
    residuals = (await one.get("/runs/run-1/instruments/residuals")).json()
    assert residuals["residuals"] is None


async def test_options_limit_an_answer_to_what_a_page_draws(client: httpx.AsyncClient) -> None:
    layers = [{"units": 64, "activation": "relu"}] * 6
    one = await created(client, {"network": {"layers": layers, "weights": "he"}, "runs": [{"name": "gd"}]})
    await one.ask("POST", "/step", {"steps": 2})
    for name in ("views", "moment"):
        whole = (await one.get(f"/runs/gd/instruments/{name}")).json()
        assert whole["predictions"]
        assert "weights" not in whole
        drawn = await one.get(f"/runs/gd/instruments/{name}", weights=16, predictions="none")
        assert len(drawn.content) < 28_000
        answer = drawn.json()
        assert answer["units"] == whole["units"]
        assert "predictions" not in answer
        assert [each["cells"]["shape"] for each in answer["weights"].values()] == [
            "5, 16",
            *["16, 16"] * 5,
            "16, 1",
        ]
    for weights in (0, 65, "many"):
        assert (await one.get("/runs/gd/instruments/views", weights=weights)).status_code == 422
    refused = await one.get("/runs/gd/instruments/units", weights=16)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/weights")


@pytest.mark.parametrize("data", [{"samples": 40}, {"name": "moons", "samples": 40, "test_fraction": 0.25}])
async def test_pairs_equal_the_true_and_predicted_values_of_all_predictions(
    client: httpx.AsyncClient, data: dict[str, Any]
) -> None:
    one = await created(client, {"data": data, "runs": [{"name": "gd", "learning_rate": 0.01}]})
    await one.ask("POST", "/step", {"steps": 5})
    for name in ("views", "moment"):
        whole = (await one.get(f"/runs/gd/instruments/{name}")).json()["predictions"]
        pairs = (await one.get(f"/runs/gd/instruments/{name}", predictions="pairs")).json()["predictions"]
        assert pairs.keys() == {"split", "y", "y_pred"}
        assert pairs["split"] == whole["split"]
        for column in ("y", "y_pred"):
            packed = np.frombuffer(base64.b64decode(pairs[column]["bdata"]), f"<{pairs[column]['dtype']}")
            assert pairs[column]["dtype"] in ("f4", "i4")
            assert packed.tolist() == np.asarray(whole[column], packed.dtype).tolist()
        predicted = await one.get(f"/runs/gd/instruments/{name}", predictions="predicted")
        assert predicted.json()["predictions"] == {key: pairs[key] for key in ("split", "y_pred")}


async def test_a_map_over_two_named_inputs_and_a_wrong_name(client: httpx.AsyncClient) -> None:
    rows = "\n".join(
        f"{a},{2 * a % 7},{3 * a % 5},{a * a % 11},{'no' if a % 3 else 'yes'}" for a in range(40)
    )
    table = await client.post(
        "/api/v1/datasets", content=f"a,b,c,d,kind\n{rows}\n", headers={"Content-Type": "text/csv"}
    )
    data = {"name": "csv", "dataset": table.json()["id"], "target": "kind"}
    one = await created(client, {"data": data, "loss": "binary_cross_entropy"})
    names = (await one.get("/data")).json()["features"]
    assert len(names) == 4
    for path in ("/runs/gd/instruments/decision", "/runs/gd/instruments/map"):
        assert (await one.get(path)).json()["samples"] is None
        drawn = (await one.get(path, x=names[2], y=names[0])).json()
        assert (drawn["inputs"], list(drawn["others"])) == ([names[2], names[0]], [names[1], names[3]])
        assert drawn["samples"] is not None
        wrong = await one.get(path, x=names[2], y="width")
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/y")
    figure = (await one.get("/figures/decision", x=names[2], y=names[0])).json()
    assert len(figure["data"][0]["z"]) == 48
    assert (await one.get("/runs/gd/instruments/noise", x=names[0])).status_code == 422


async def test_a_moment_has_every_run_at_one_step_while_they_play(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"name": "moons", "samples": 80, "test_fraction": 0.25}})
    await one.ask("POST", "/play", {"speed": 400})
    options = {"weights": 16, "predictions": "pairs", "map": True, "inspect": "sgd", "rows": 2, "block": 12}
    steps: list[int] = []
    while len(steps) < 10 or len(set(steps)) <= 3:
        answer = (await one.get("/moment", **options)).json()
        assert answer["runs"].keys() == {"gd", "sgd"}
        for run in answer["runs"].values():
            assert run["map"]["step"] == run["step"]
            assert run["findings_complete_to"] <= run["step"]
            assert {latest["step"] for latest in run["latest"].values()} == {run["step"]}
        assert answer["runs"]["sgd"]["sheet"]["step"] == answer["runs"]["sgd"]["step"]
        assert "sheet" not in answer["runs"]["gd"]
        assert answer["cost_seconds"] > 0.0
        steps.append(answer["runs"]["sgd"]["step"])


async def test_a_moment_equals_what_single_requests_return_at_rest(client: httpx.AsyncClient) -> None:
    one = await created(client, {"data": {"name": "moons", "samples": 80, "test_fraction": 0.25}})
    await one.ask("POST", "/step", {"steps": 30})
    await one.get(wait=20)  # verdict and harm come with the last examination
    query = {"weights": 8, "drawn": "gd", "predictions": "pairs", "map": True, "inspect": "gd", "rows": 3}
    moment = (await one.get("/moment", **query, first=2, block=4)).json()["runs"]
    state = {run["name"]: run for run in (await one.get()).json()["runs"]}
    for name, run in moment.items():
        for field in ("status", "step", "epoch", "samples_seen", "generation", "verdict", "harm"):
            assert run[field] == state[name][field], field
        views = (await one.get(f"/runs/{name}/instruments/views", weights=8, predictions="pairs")).json()
        assert (run["units"], run["predictions"]) == (views["units"], views["predictions"])
        drawn = (await one.get(f"/runs/{name}/instruments/map")).json()
        assert run["map"].items() <= drawn.items()
    assert (
        moment["gd"]["weights"] == (await one.get("/runs/gd/instruments/views", weights=8)).json()["weights"]
    )
    assert "weights" not in moment["sgd"]
    sheet = (await one.get("/runs/gd/inspect", rows=3, first=2, block=4)).json()
    assert moment["gd"]["sheet"] == sheet
    # its gradients are those that the next change has
    await one.ask("POST", "/step", {"steps": 1})
    for name, run in moment.items():
        history = (await one.get(f"/runs/{name}/history", since=30, until=30)).json()
        record = {series: values["last"][0] for series, values in history["series"].items()}
        latest = {series: reading["value"] for series, reading in run["latest"].items()}
        gradients = [series for series in latest if series.startswith(("grad_", "ratio"))]
        assert len(gradients) > 20
        assert [latest[series] for series in gradients] == [record[series] for series in gradients]
    plain = (await one.get("/moment")).json()["runs"]["gd"]
    assert plain["step"] == 31
    assert plain.keys().isdisjoint({"weights", "predictions", "map", "sheet"})


async def test_a_moment_has_the_maps_of_the_named_runs_or_the_curves_over_one_input(
    client: httpx.AsyncClient,
) -> None:
    sine = {"name": "sine", "samples": 60}
    two = await created(client, {"data": {**sine, "features": 2}})
    maps = (await two.get("/moment", map=True, mapped=["sgd"])).json()["runs"]
    assert [name for name, run in maps.items() if "map" in run] == ["sgd"]
    assert maps["sgd"]["map"].items() <= (await two.get("/runs/sgd/instruments/map")).json().items()
    both = (await two.get("/moment", map=True, mapped=["sgd", "gd"])).json()["runs"]
    assert all("map" in run for run in both.values())
    one = await created(client, {"data": {**sine, "features": 1}})
    for name, run in (await one.get("/moment", curve=True)).json()["runs"].items():
        curve = (await one.get(f"/runs/{name}/instruments/curve")).json()
        assert run["curve"].items() <= curve.items()
        assert curve["cost_seconds"] > 0.0


async def test_a_moment_refuses_what_it_does_not_know(client: httpx.AsyncClient) -> None:
    one = await created(client)
    for query, status in (
        ({"drawn": "nobody"}, 404),
        ({"inspect": "nobody"}, 404),
        ({"map": True, "mapped": "nobody"}, 404),
        ({"weights": 65}, 422),
        ({"predictions": "some"}, 422),
        ({"step": 3}, 422),
    ):
        assert (await one.get("/moment", **query)).status_code == status, query


async def test_a_diverged_run_has_no_map_in_a_moment(client: httpx.AsyncClient) -> None:
    network = {"layers": [{"units": 4, "activation": "relu"}]}
    runs = [{"name": "gd", "learning_rate": 1.0, "l2": 100.0}, {"name": "calm", "learning_rate": 0.01}]
    data = {"name": "moons", "samples": 40}
    one = await created(client, {"data": data, "network": network, "runs": runs})
    state = (await one.ask("POST", "/step", {"steps": 1000})).json()
    assert [run["status"] for run in state["runs"]] == ["diverged", "paused"]
    moment = (await one.get("/moment", map=True)).json()["runs"]
    assert ["map" in moment[name] for name in ("gd", "calm")] == [False, True]


async def test_verdict_and_harm_of_a_past_step_are_those_that_were_given_there(
    client: httpx.AsyncClient,
) -> None:
    runs = [{"name": "gd", "learning_rate": 0.02}, {"name": "sgd", "learning_rate": 0.02, "batch_size": 1}]
    one = await created(client, {"data": {"name": "polynomial", "samples": 60}, "runs": runs})
    answers_by_run: dict[str, list[tuple[str, float | None]]] = {"gd": [], "sgd": []}
    for _ in range(60):
        state = (await one.ask("POST", "/step?wait=20")).json()
        for run in state["runs"]:
            assert run["findings_complete_to"] == run["step"]
            answers_by_run[run["name"]].append((run["verdict"], run["harm"]))
    for name, answers in answers_by_run.items():
        assert len({verdict for verdict, _ in answers}) > 1
        assert answers[-1][1] is not None
        for step in (1, 2, 9, 17, 30, 44, 60):
            then = (await one.get(f"/runs/{name}/instruments/moment", step=step)).json()
            assert (then["verdict"], then["harm"]) == answers[step - 1], (name, step)
        assert (await one.get(f"/runs/{name}/instruments/moment", step=0)).json()["verdict"] == "waiting"


async def test_a_run_that_is_over_has_the_losses_of_its_step_while_others_play(
    client: httpx.AsyncClient,
) -> None:
    runs = [{"name": "gd", "learning_rate": 1.0, "l2": 100.0}, {"name": "calm", "learning_rate": 0.01}]
    one = await created(client, {"data": {"samples": 40}, "runs": runs})
    await one.ask("POST", "/play", {"speed": 200})
    while (run := (await one.get("/moment")).json()["runs"]["gd"])["status"] != "diverged":
        await asyncio.sleep(0.01)
    assert run["latest"]["train_loss"]["step"] == run["step"]
