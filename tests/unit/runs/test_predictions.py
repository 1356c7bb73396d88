"""Predictions for figures: also where the network's output is not finite, and without a map."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fallline.engine.data.datasets.row import Dataset, Raw
from fallline.engine.measures.probes import predict
from fallline.engine.problem import Problem, build_problem
from fallline.engine.randomness import rng_for
from fallline.engine.state import begin
from fallline.runs.instruments.predictions import (
    MOST_DOTS,
    NONE,
    SIDE,
    SURE,
    calibration,
    confusion,
    decision,
    decision_map,
    metrics,
    residuals,
    split_of,
)
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.recipe import DataSettings, RunRecipe
from support.aliases import Json
from support.problems import classes_problem, network, small_problem

RUN = RunRecipe(name="r")


def unpacked(column: Json) -> NDArray[Any]:
    values = np.frombuffer(base64.b64decode(column["bdata"]), column["dtype"])
    return values.reshape([int(each) for each in column["shape"].split(",")]) if "shape" in column else values


def test_a_residual_that_is_not_finite_is_null_and_so_are_mean_and_spread() -> None:
    problem = small_problem((4, "identity"), samples=20)
    state = begin(problem)
    state.parameters[:] = 1e308
    with np.errstate(all="ignore"):
        finite = np.isfinite(predict(problem, state.parameters, problem.X)[:, 0]).tolist()
        actual = residuals(problem, state, RUN)
    assert not all(finite)
    assert [value is not None for value in actual["y_pred"]] == finite
    assert [value is not None for value in actual["residuals"]] == finite
    assert (actual["mean"], actual["sd"]) == (None, None)


def test_residuals_are_of_numbers_and_confusions_and_maps_of_classes() -> None:
    numbers, classes = small_problem(), classes_problem("softmax_cross_entropy", 3)
    assert residuals(classes, begin(classes), RUN)["residuals"] is None
    nothing: Json = {"split": "train", "classes": [], "counts": None, "right": None}
    assert confusion(numbers, begin(numbers), RUN) == nothing
    four_inputs = replace(classes, X=np.hstack([classes.X, classes.X]))
    for problem in (numbers, four_inputs):
        assert decision(problem, begin(problem), RUN)["predicted"] is None
        drawn = decision_map(problem, begin(problem), RUN)
        assert (drawn["cells"], drawn["samples"], drawn["right"]) == (None, None, None)


def test_errors_of_a_regression_are_of_the_test_split_and_null_beyond_a_float() -> None:
    problem = small_problem(samples=40, test_fraction=0.5)
    state = begin(problem)
    errors = np.array(residuals(problem, state, RUN)["residuals"])
    measured = metrics(problem, state, RUN)
    assert (measured["split"], measured["samples"], measured["per_class"]) == ("test", 20, None)
    assert measured["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-14)
    assert measured["mae"] == pytest.approx(np.mean(np.abs(errors)), rel=1e-14)
    state.parameters[:] = 1e308
    with np.errstate(all="ignore"):
        beyond = metrics(problem, state, RUN)
    assert (beyond["rmse"], beyond["mae"]) == (None, None)


@pytest.mark.parametrize(
    ("loss", "classes"), [("softmax_cross_entropy", 3), ("binary_cross_entropy", 2), ("mse", 2)]
)
def test_scores_of_classes_follow_from_the_confusion_matrix_and_calibration_from_probabilities(
    loss: str, classes: int
) -> None:
    problem = classes_problem(loss, classes)
    state = begin(problem)
    measured, counts = metrics(problem, state, RUN), np.array(confusion(problem, state, RUN)["counts"])
    assert (measured["rmse"], measured["accuracy"]) == (None, np.trace(counts) / 60)
    assert [each["class"] for each in measured["per_class"]] == list(problem.classes)
    assert [each["recall"] for each in measured["per_class"]] == (np.diag(counts) / counts.sum(1)).tolist()
    assert all(0.0 <= each["auc"] <= 1.0 for each in measured["per_class"])
    reliability = calibration(problem, state, RUN)
    if problem.loss.probabilities is None:
        assert (reliability["bins"], reliability["expected_error"]) == (None, None)
        return
    assert sum(each["count"] for each in reliability["bins"]) == 60
    hits = sum(each["count"] * each["accuracy"] for each in reliability["bins"] if each["count"])
    assert hits == pytest.approx(np.trace(counts))
    state.parameters[:] = np.nan
    assert calibration(problem, state, RUN)["bins"] is None


@pytest.mark.parametrize(
    ("loss", "classes"), [("softmax_cross_entropy", 3), ("binary_cross_entropy", 2), ("mse", 2)]
)
def test_a_cell_holds_the_predicted_class_and_its_probability(loss: str, classes: int) -> None:
    problem = classes_problem(loss, classes)
    state = begin(problem)
    plane = decision(problem, state, RUN)
    grid = np.array([[x, y] for y in plane["y"] for x in plane["x"]])
    outputs = predict(problem, state.parameters, grid).T
    cells = decision_map(problem, state, RUN)["cells"]
    assert unpacked(cells["predicted"]).tolist() == plane["predicted"]
    assert unpacked(cells["predicted"]).ravel().tolist() == problem.loss.decide(outputs).tolist()
    if problem.loss.probabilities is None:
        assert cells["probability"] is None
    else:
        largest = problem.loss.probabilities(outputs).max(axis=0)
        assert np.abs(unpacked(cells["probability"]).ravel() / SURE - largest).max() <= 0.5 / SURE


def test_a_cell_without_a_finite_output_has_no_class_and_the_probability_0() -> None:
    problem = classes_problem("binary_cross_entropy", 2)
    state = begin(problem)
    problem.named(state.parameters)["W2"][:] = np.inf
    with np.errstate(all="ignore"):
        cells = decision_map(problem, state, RUN)["cells"]
        score = decision(problem, state, RUN)["score"]
    assert (unpacked(cells["predicted"]) == NONE).all()
    assert unpacked(cells["probability"]).shape == (SIDE, SIDE)
    assert all(value is None or 0.0 <= value <= 1.0 for row in score for value in row)


@pytest.mark.parametrize(("loss", "classes", "last"), [("mse", 2, 1), ("softmax_cross_entropy", 4, 3)])
def test_the_score_is_the_place_of_the_class_where_there_is_no_probability_of_the_second(
    loss: str, classes: int, last: int
) -> None:
    problem = classes_problem(loss, classes)
    plane = decision(problem, begin(problem), RUN)
    assert np.allclose(np.array(plane["score"]) * last, plane["predicted"])


def test_a_map_shows_evenly_spaced_samples_of_a_large_data_set() -> None:
    problem = classes_problem("softmax_cross_entropy", 3, samples=2 * MOST_DOTS + 10)
    state = begin(problem)
    dots = {name: unpacked(column) for name, column in decision_map(problem, state, RUN)["samples"].items()}
    rows = problem.train_rows[::3]
    assert len(rows) <= MOST_DOTS
    assert np.array_equal(dots["x"], problem.X[rows, 0].astype(np.float32))
    assert np.array_equal(dots["true"], problem.y[rows, 0])
    by_class = decision(problem, state, RUN)["samples"]
    assert sum(len(each["x"]) for each in by_class) == len(rows)


def four_inputs() -> Problem:
    def make(settings: DataSettings) -> Raw:
        X = rng_for(settings.seed, "inputs").standard_normal((settings.samples, 4))
        y = np.argmax(X[:, :3], axis=1).reshape(-1, 1).astype(np.float64)
        return Raw(X, y, ("a", "b", "c", "d"), ("one", "two", "three"))

    row = Dataset("four", "four inputs", "these tests", "classification", make, features=4)
    data = DataSettings(name="four", samples=80, features=4, test_fraction=0.25, seed=3)
    return build_problem(data, network((4, "tanh"), seed=2), "softmax_cross_entropy", row)


def test_a_map_over_two_of_many_inputs_has_the_others_at_their_mean() -> None:
    problem = four_inputs()
    state, names = begin(problem), problem.features
    plane = decision(problem, state, RUN, x=names[3], y=names[1])
    means = problem.X[problem.train_rows].mean(axis=0)
    assert plane["inputs"] == [names[3], names[1]]
    assert plane["others"] == {names[0]: means[0], names[2]: means[2]}
    points = [[means[0], y, means[2], x] for y in plane["y"] for x in plane["x"]]
    expected = problem.loss.decide(predict(problem, state.parameters, np.array(points)).T)
    assert np.ravel(plane["predicted"]).tolist() == expected.tolist()
    assert plane["x"][0] < problem.X[:, 3].min() < problem.X[:, 3].max() < plane["x"][-1]
    first = problem.y[:, 0] == 0
    assert plane["samples"][0]["x"] == problem.X[first, 3].tolist()
    assert plane["samples"][0]["y"] == problem.X[first, 1].tolist()
    drawn = decision_map(problem, state, RUN, x=names[3], y=names[1])
    assert unpacked(drawn["cells"]["predicted"]).tolist() == plane["predicted"]
    assert (drawn["inputs"], drawn["others"]) == (plane["inputs"], plane["others"])
    split, rows = split_of(problem)
    assert np.array_equal(unpacked(drawn["samples"]["y"]), problem.X[rows, 1].astype(np.float32)), split


def test_the_two_inputs_may_change_places() -> None:
    problem = classes_problem("softmax_cross_entropy", 3)
    as_they_are = decision(problem, begin(problem), RUN)
    turned = decision(problem, begin(problem), RUN, x="x2", y="x1")
    assert (turned["inputs"], turned["x"]) == (["x2", "x1"], as_they_are["y"])
    assert np.array_equal(np.transpose(turned["predicted"]), as_they_are["predicted"])


@pytest.mark.parametrize(
    ("x", "y", "pointer"),
    [("x1", None, "/y"), (None, "x1", "/x"), ("x3", "x1", "/x"), ("x1", "x1", "/y")],
)
def test_names_that_are_not_two_inputs_are_refused(x: str | None, y: str | None, pointer: str) -> None:
    problem = classes_problem("softmax_cross_entropy", 3)
    for measure in (decision, decision_map):
        with pytest.raises(InvalidRequest) as raised:
            measure(problem, begin(problem), RUN, x=x, y=y)
        assert [error.pointer for error in raised.value.errors] == [pointer]


def test_the_plane_has_a_width_where_an_input_has_one_value() -> None:
    problem = classes_problem("softmax_cross_entropy", 3)
    constant = replace(problem, X=np.column_stack([np.full(len(problem.X), 7.0), problem.X[:, 1]]))
    plane = decision(constant, begin(constant), RUN)
    assert plane["x"][0] < 7.0 < plane["x"][-1]
