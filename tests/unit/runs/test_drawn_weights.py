"""Weights in a limited number of cells."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.runs.instruments.drawn_weights import drawn_weights
from fallline.vocabulary.recipe import Recipe


def beginning(*units: int, **network: Any) -> tuple[Problem, TrainingState]:
    layers = [{"units": each, "activation": "relu"} for each in units]
    recipe = Recipe.model_validate({"data": {"samples": 20}, "network": {"layers": layers, **network}})
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    return problem, begin(problem)


def cells(matrix: dict[str, Any]) -> NDArray[np.float64]:
    rows, columns = map(int, matrix["cells"]["shape"].split(", "))
    raw = np.frombuffer(base64.b64decode(matrix["cells"]["bdata"]), "<f4")
    largest: float = matrix["largest"]
    return raw.astype(np.float64).reshape(rows, columns) * largest


def test_small_layers_have_each_weight_and_no_bias() -> None:
    problem, state = beginning(4, 16)
    drawn = drawn_weights(problem, state, 16)
    named = problem.named(state.parameters)
    assert list(drawn) == ["W1", "W2", "W3"]
    for name, matrix in drawn.items():
        assert matrix["largest"] == np.abs(named[name]).max()
        np.testing.assert_allclose(cells(matrix), named[name], rtol=1e-6)


@pytest.mark.parametrize("units", [17, 32, 37, 64])
def test_wide_layers_are_cells_with_the_mean_size_of_their_weights_and_the_sign_of_the_sum(
    units: int,
) -> None:
    problem, state = beginning(units, 3, units)
    named = problem.named(state.parameters)
    for name, matrix in drawn_weights(problem, state, 16).items():
        weights, actual = named[name], cells(matrix)
        rows, columns = (min(16, side) for side in weights.shape)
        sums, sizes = np.zeros((rows, columns)), np.zeros((rows, columns))
        for (i, k), weight in np.ndenumerate(weights):
            place = i * rows // weights.shape[0], k * columns // weights.shape[1]
            sums[place] += weight
            sizes[place] += abs(weight)
        expected = np.where(sums < 0, -sizes, sizes) * (rows * columns / weights.size)
        np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_zero_and_huge_weights_are_drawn() -> None:
    problem, state = beginning(4, weights="zeros")
    assert not cells(drawn_weights(problem, state, 16)["W1"]).any()
    state.parameters[:] = 1e200
    drawn = drawn_weights(problem, state, 16)["W1"]
    assert drawn["largest"] == 1e200
    assert (cells(drawn) == 1e200).all()
