"""The prediction over one input, and the surface over two, for figures and for the page."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.row import Raw
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.probes import predict
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.runs.instruments.fit import PLACES, curve, fit
from fallline.runs.instruments.predictions import SIDE, decision_map, surface
from fallline.runs.instruments.together import Parts, RunAtMoment, together
from fallline.vocabulary.recipe import DataSettings, Recipe, RunRecipe
from support.aliases import Json
from support.problems import blobs, classes_problem, network, problem_of

RUN = RunRecipe(name="r")


def of_inputs(features: int, **data: Any) -> Problem:
    settings = DataSettings(name="sine", features=features, samples=80, **data)
    return problem_of(Recipe(data=settings, network=network((4, "tanh"))))


def unpacked(column: Json) -> NDArray[Any]:
    values = np.frombuffer(base64.b64decode(column["bdata"]), column["dtype"])
    return values.reshape([int(each) for each in column["shape"].split(",")]) if "shape" in column else values


def test_the_curve_is_the_prediction_along_the_input_beyond_all_samples() -> None:
    problem = of_inputs(1, test_fraction=0.25)
    state = begin(problem)
    drawn = fit(problem, state, RUN)
    places = np.array(drawn["x"])
    assert len(places) == PLACES
    assert np.allclose(np.diff(places), places[1] - places[0])
    assert places[0] < problem.X.min() < problem.X.max() < places[-1]
    assert drawn["y_pred"] == predict(problem, state.parameters, places[:, None])[:, 0].tolist()
    for split, rows in (("train", problem.train_rows), ("test", problem.test_rows)):
        assert drawn[split] == {"x": problem.X[rows, 0].tolist(), "y": problem.y[rows, 0].tolist()}
    packed = curve(problem, state, RUN)
    assert packed["edges"] == [places[0], places[-1]]
    assert unpacked(packed["y_pred"]).tolist() == np.array(drawn["y_pred"]).astype(np.float32).tolist()


@pytest.mark.parametrize(
    ("loss", "classes"), [("binary_cross_entropy", 2), ("mse", 2), ("softmax_cross_entropy", 3)]
)
def test_the_curve_of_classes_is_their_score_and_samples_lie_at_their_class(loss: str, classes: int) -> None:
    plane = blobs(classes)

    def on_a_line(settings: DataSettings) -> Raw:
        raw = plane.make(settings)
        return Raw(raw.X[:, :1], raw.y, ("x1",), raw.classes)

    line = replace(plane, name="line", features=1, make=on_a_line)
    settings = DataSettings(name="line", samples=60, features=1, seed=1)
    with patch.dict(DATASETS, {"line": line}):
        problem = build_problem(settings, network((4, "tanh")), loss)
    state = begin(problem)
    drawn = fit(problem, state, RUN)
    outputs = predict(problem, state.parameters, np.array(drawn["x"])[:, None]).T
    assert set(drawn["train"]["y"]) == {place / (classes - 1) for place in range(classes)}
    if loss == "binary_cross_entropy":
        assert problem.loss.probabilities is not None
        assert drawn["y_pred"] == problem.loss.probabilities(outputs)[1].tolist()
    else:
        assert drawn["y_pred"] == (problem.loss.decide(outputs) / (classes - 1)).tolist()


def test_a_prediction_that_is_not_finite_is_null() -> None:
    problem = of_inputs(1)
    state = begin(problem)
    state.parameters[:] = np.inf
    with np.errstate(all="ignore"):
        assert set(fit(problem, state, RUN)["y_pred"]) == {None}
        assert not np.isfinite(unpacked(curve(problem, state, RUN)["y_pred"])).any()


def test_other_numbers_of_inputs_have_no_curve_and_classes_no_surface() -> None:
    two, three, classes = of_inputs(2), of_inputs(3), classes_problem("mse", 2)
    assert fit(two, begin(two), RUN)["y_pred"] is None
    assert curve(two, begin(two), RUN) == {"edges": None, "y_pred": None}
    for problem in (three, classes):
        drawn = surface(problem, begin(problem), RUN)
        assert (drawn["x"], drawn["y"], drawn["predicted"], drawn["samples"]) == (None, None, None, None)
    assert decision_map(three, begin(three), RUN)["cells"] is None


def test_the_surface_is_the_prediction_at_every_place_and_the_page_gets_the_same() -> None:
    problem = of_inputs(2, test_fraction=0.25)
    state = begin(problem)
    drawn = surface(problem, state, RUN)
    grid = np.array([[x, y] for y in drawn["y"] for x in drawn["x"]])
    expected = predict(problem, state.parameters, grid)[:, 0]
    assert np.array(drawn["predicted"]).ravel().tolist() == expected.tolist()
    assert drawn["samples"]["value"] == problem.y[problem.train_rows, 0].tolist()
    packed = decision_map(problem, state, RUN)
    assert (packed["split"], packed["counts"], packed["right"], packed["classes"]) == ("test", None, None, [])
    assert unpacked(packed["cells"]["predicted"]).shape == (SIDE, SIDE)
    assert unpacked(packed["cells"]["predicted"]).ravel().tolist() == expected.astype(np.float32).tolist()
    for name, rows in (("samples", problem.test_rows), ("train", problem.train_rows)):
        guesses = predict(problem, state.parameters, problem.X[rows])[:, 0]
        assert unpacked(packed[name]["x"]).tolist() == np.float32(problem.X[rows, 0]).tolist()
        assert unpacked(packed[name]["true"]).tolist() == np.float32(problem.y[rows, 0]).tolist()
        assert unpacked(packed[name]["predicted"]).tolist() == guesses.astype(np.float32).tolist()


def test_a_map_of_classes_has_its_training_samples_too_unless_they_are_the_split() -> None:
    whole = classes_problem("binary_cross_entropy", 2)
    assert decision_map(whole, begin(whole), RUN)["train"] is None
    problem = classes_problem("binary_cross_entropy", 2, test_fraction=0.25)
    state = begin(problem)
    packed = decision_map(problem, state, RUN)
    rows = problem.train_rows
    guesses = problem.loss.decide(predict(problem, state.parameters, problem.X[rows]).T)
    assert unpacked(packed["train"]["predicted"]).tolist() == guesses.tolist()
    assert unpacked(packed["train"]["true"]).tolist() == problem.y[rows, 0].tolist()
    assert len(unpacked(packed["samples"]["x"])) == 15


def test_a_moment_has_maps_of_the_named_runs_and_curves_of_all_that_have_not_diverged() -> None:
    one, two = of_inputs(1), of_inputs(2)

    def run_now(problem: Problem, name: str, diverged: int | None = None) -> RunAtMoment:
        state = begin(problem)
        state.diverged_at = diverged
        return RunAtMoment(name, {"generation": 3, "latest": {}}, state, RUN, NUMPY)

    runs = [run_now(two, "a"), run_now(two, "b")]
    of_all = together(two, runs, Parts(map=True))["runs"]
    of_one = together(two, runs, Parts(map=True, mapped=["b"]))["runs"]
    assert [name for name, run in of_all.items() if "map" in run] == ["a", "b"]
    assert [name for name, run in of_one.items() if "map" in run] == ["b"]
    assert of_one["b"] == of_all["b"]
    curves = together(one, [run_now(one, "a"), run_now(one, "b", diverged=0)], Parts(curve=True))["runs"]
    assert "curve" not in curves["b"]
    assert curves["a"]["curve"] == {"step": 0, "generation": 3, **curve(one, begin(one), RUN)}
    assert Parts(mapped=["a"], drawn="b").named == ["b", "a"]
