"""A plane through a path against projections by hand, and the loss over it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.measures import plane as planes
from fallline.engine.measures.plane import along_directions, along_path, filter_normalised, loss_over
from fallline.engine.measures.probes import evaluate
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import RunRecipe
from support.problems import small_problem


def path_of(points: int = 12, steps: int = 10) -> Any:
    problem = small_problem((4, "tanh"), (3, "tanh"))
    state, path = begin(problem), []
    for _ in range(points):
        path.append(state.parameters.copy())
        advance(problem, state, RunRecipe(name="gd", learning_rate=0.1), steps)
    return problem, np.array(path)


def test_the_plane_of_a_path_is_that_of_its_two_main_components_and_no_other_has_more_of_it() -> None:
    _, path = path_of()
    plane = along_path(path)
    away = path - path[-1]
    values, vectors = np.linalg.eigh(away.T @ away)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    for direction, vector in zip(plane.directions, vectors.T[::-1], strict=False):
        assert abs(direction @ vector) == pytest.approx(1.0, abs=1e-9)
    assert plane.outside(path) == pytest.approx(values[:-2].sum() / values.sum(), abs=1e-12)
    np.testing.assert_allclose(plane.places(path), away @ plane.directions.T, atol=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = np.linalg.qr(rng.standard_normal((path.shape[1], 2)))[0].T
        assert along_directions(path[-1], other).outside(path) > plane.outside(path)


def test_a_path_in_a_plane_is_wholly_in_it_and_one_that_stands_still_has_a_plane_too() -> None:
    rng = np.random.default_rng(1)
    two = rng.standard_normal((2, 20))
    flat = rng.standard_normal((9, 2)) @ two
    assert along_path(flat).outside(flat) < 1e-24
    straight = np.outer(np.arange(5.0), two[0])
    still = np.tile(two[0], (4, 1))
    for path in (straight, still):
        plane = along_path(path)
        np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
        assert plane.outside(path) < 1e-24


def test_filter_normalisation_makes_each_units_direction_as_long_as_its_weights_and_no_bias_moves() -> None:
    """Verification V16."""
    problem, path = path_of()
    plane = filter_normalised(along_path(path), problem.layout)
    weights = problem.named(path[-1])
    for direction in plane.directions:
        for name, part in problem.named(direction).items():
            if name.startswith("b"):
                assert not part.any()
            else:
                np.testing.assert_allclose(
                    np.linalg.norm(part, axis=0), np.linalg.norm(weights[name], axis=0), atol=1e-9
                )
    # directions that are not orthogonal still give the nearest point in the plane
    left = path - plane.centre - plane.places(path) @ plane.directions
    np.testing.assert_allclose(left @ plane.directions.T, 0.0, atol=1e-9)
    assert 0.0 <= plane.outside(path) <= 1.0


def test_where_only_a_bias_moves_normalising_leaves_one_direction_and_places_near_by() -> None:
    """A layer has died: between the first sampled step and the others, all weights moved one way."""
    problem, moved = path_of(points=2)
    path = np.vstack([moved[:1], np.tile(moved[1], (20, 1))])
    bias = problem.named(np.arange(float(problem.layout.count)))["b3"].ravel().astype(int)
    path[1:, bias] += np.random.default_rng(2).normal(0.0, 0.01, (20, len(bias)))
    plane = filter_normalised(along_path(path), problem.layout)
    assert np.abs(plane.places(path)).max() < 10.0
    assert 0.0 < plane.outside(path) < 1.0


def test_the_loss_over_the_plane_is_the_loss_at_its_places(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, path = path_of()
    plane = along_path(path)
    places = plane.places(path)
    grid = loss_over(problem, plane, places)
    assert grid.losses.shape == (planes.MOST_PLACES, planes.MOST_PLACES)
    for row, column in ((0, 0), (3, 17), (24, 24)):
        flat = plane.centre + grid.s[column] * plane.directions[0] + grid.t[row] * plane.directions[1]
        assert grid.losses[row, column] == pytest.approx(evaluate(problem, flat)["train_loss"], rel=1e-12)
    assert grid.s[0] < places[:, 0].min() < places[:, 0].max() < grid.s[-1]
    assert grid.t[0] < places[:, 1].min() < places[:, 1].max() < grid.t[-1]
    monkeypatch.setattr(planes, "MOST_WORK", 0.0)
    assert loss_over(problem, plane, places).losses.shape == (planes.FEWEST_PLACES, planes.FEWEST_PLACES)
