"""The plane of several paths against projections by hand, and the region that shows them."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np
import pytest

from fallline.engine.measures.shared_plane import Path, Region, SharedPlane, plane_of
from fallline.vocabulary.arrays import Array

PARAMETERS = 12


def walk(seed: int, points: int = 40, parameters: int = PARAMETERS) -> Path:
    """Return a random path that drifts."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((points - 1, parameters)) + 3.0 * rng.standard_normal(parameters)
    return Path(np.arange(points), np.vstack([np.zeros(parameters), np.cumsum(steps, axis=0)]))


def random(seed: int = 99) -> Any:
    rng = np.random.default_rng(seed)
    return iter(lambda: rng.standard_normal(PARAMETERS), None)


def assert_orthonormal(plane: SharedPlane) -> None:
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)


def away_from(plane: SharedPlane, point: Array) -> float:
    """Return the distance of a point from the plane, over its distance from the start."""
    beyond = point - plane.places(point[np.newaxis])[0] @ plane.directions
    return float(np.linalg.norm(beyond) / np.linalg.norm(point))


def test_the_plane_of_two_paths_contains_the_start_and_both_ends() -> None:
    one, other = walk(1), walk(2)
    plane = plane_of([one, other], random())
    assert_orthonormal(plane)
    assert away_from(plane, one.away[-1]) < 1e-14
    assert away_from(plane, other.away[-1]) < 1e-14
    distances = np.linalg.norm(plane.places(np.array([one.away[-1], other.away[-1]])), axis=1)
    np.testing.assert_allclose(distances, [np.linalg.norm(path.away[-1]) for path in (one, other)])


def test_the_plane_of_one_path_contains_its_end_and_most_of_the_rest() -> None:
    path = walk(3)
    plane = plane_of([path], random())
    assert_orthonormal(plane)
    assert away_from(plane, path.away[-1]) < 1e-14
    end = path.away[-1] / np.linalg.norm(path.away[-1])
    rest = path.away - np.outer(path.away @ end, end)
    _, vectors = np.linalg.eigh(rest.T @ (path.weights[:, np.newaxis] * rest))
    assert away_from(plane, vectors[:, -1]) < 1e-9
    for seed in range(20):
        other = SharedPlane(
            np.linalg.qr(np.array([end, np.random.default_rng(seed).standard_normal(PARAMETERS)]).T)[0].T
        )
        assert other.outside(path)[1] >= plane.outside(path)[1]


def test_no_plane_through_the_start_has_more_of_three_paths_each_weighed_by_its_length() -> None:
    paths = [walk(4), walk(5, 90), walk(6, 15)]

    def outside(plane: SharedPlane) -> float:
        """Integrate the squared distance from the plane along each path, in small pieces."""
        total = 0.0
        for path in paths:
            beyond = path.away - plane.places(path.away) @ plane.directions
            lengths = np.linalg.norm(np.diff(path.away, axis=0), axis=1)
            squares = (beyond * beyond).sum(axis=1)
            total += float((lengths * (squares[1:] + squares[:-1]) / 2).sum())
        return total

    plane = plane_of(paths, random())
    assert_orthonormal(plane)
    least = outside(plane)
    rng = np.random.default_rng(7)
    for size in (0.01, 0.1, 1.0) * 10:
        moved = np.linalg.qr((plane.directions + size * rng.standard_normal((2, PARAMETERS))).T)[0].T
        assert outside(SharedPlane(moved)) > least


def test_the_share_outside_is_that_of_squared_distances_from_the_start() -> None:
    flat = np.zeros((2, PARAMETERS))
    flat[0, 0] = flat[1, 1] = 1.0
    points = np.zeros((4, PARAMETERS))
    points[1, :3] = (3.0, 0.0, 4.0)
    points[2, :3] = (3.0, 4.0, 0.0)
    points[3, :3] = (0.0, 0.0, 2.0)
    path = Path(np.array([0, 1, 2, 6]), points)
    each, whole = SharedPlane(flat).outside(path)
    np.testing.assert_allclose(each, [0.0, 16 / 25, 0.0, 1.0])
    np.testing.assert_allclose(path.durations, [0.5, 1.0, 2.5, 2.0])
    weights = [2.5, 2.5 + np.sqrt(32) / 2, (np.sqrt(32) + np.sqrt(29)) / 2, np.sqrt(29) / 2]
    np.testing.assert_allclose(path.weights, weights)
    assert whole == pytest.approx((1.0 * 16 + 2.0 * 4) / (25 * (1.0 + 2.5) + 4 * 2.0))


@pytest.mark.parametrize("many", [1, 2, 3, 8])
def test_paths_without_a_second_direction_get_one_from_outside(many: int) -> None:
    direction = np.random.default_rng(8).standard_normal(PARAMETERS)
    straight = Path(np.arange(5), np.outer(np.arange(5.0), direction))
    still = Path(np.arange(1), np.zeros((1, PARAMETERS)))
    for paths in ([straight] * many, [straight, *[still] * (many - 1)], [still] * many):
        further = np.random.default_rng(9).standard_normal((2, PARAMETERS))
        plane = plane_of(paths, further)
        assert_orthonormal(plane)
        assert away_from(plane, further[0]) < 1e-12
        assert all(plane.outside(path)[1] < 1e-24 for path in paths)


def test_directions_that_are_not_finite_or_nothing_are_passed_over() -> None:
    good = np.random.default_rng(10).standard_normal((2, PARAMETERS))
    bad = [np.zeros(PARAMETERS), np.full(PARAMETERS, np.inf), np.full(PARAMETERS, np.nan)]
    plane = plane_of([], [*bad, good[0], 1e200 * good[0], good[1]])
    assert_orthonormal(plane)
    assert max(away_from(plane, one) for one in good) < 1e-12


def test_the_axes_depend_on_the_paths_only_and_not_on_their_length_in_points() -> None:
    """They are turned to the longest extent, towards the ends, with the first run above."""
    paths = [walk(seed) for seed in (11, 12, 13)]
    plane = plane_of(paths, random())
    again = plane_of(paths, repeat(np.ones(PARAMETERS)))
    np.testing.assert_array_equal(plane.directions, again.directions)
    places = [plane.places(path.away) for path in paths]
    assert sum(at[-1, 0] for at in places) > 0.0
    assert places[0][:, 1].mean() > np.mean([at[:, 1].mean() for at in places[1:]])
    spread = sum(at.T @ (path.weights[:, np.newaxis] * at) for path, at in zip(paths, places, strict=True))
    assert isinstance(spread, np.ndarray)
    assert abs(spread[0, 1]) < 1e-9 * spread[0, 0]
    assert spread[0, 0] > spread[1, 1]


def test_a_path_of_more_parameters_than_points_has_the_same_main_directions() -> None:
    rng = np.random.default_rng(14)
    frame = np.linalg.qr(rng.standard_normal((400, PARAMETERS)))[0].T
    paths = [walk(seed) for seed in (15, 16, 17)]
    wide = [Path(path.steps, path.away @ frame) for path in paths]
    plane = plane_of(wide, iter(()))
    narrow = plane_of(paths, iter(()))
    for one, other in zip(paths, wide, strict=True):
        np.testing.assert_allclose(plane.places(other.away), narrow.places(one.away), atol=1e-9)


def test_a_region_shows_all_points_with_a_quarter_of_margin_in_the_shape_asked_for() -> None:
    region = Region.around(np.array([[0.0, 1.0], [8.0, -1.0]]), 0.0)
    assert (region.west, region.east, region.south, region.north) == (-1.0, 9.0, -1.25, 1.25)
    wide, high = region.shaped(8.0), region.shaped(0.5)
    assert wide.width / wide.height == pytest.approx(8.0)
    assert high.width / high.height == pytest.approx(0.5)
    assert (wide.height, high.width) == (region.height, region.width)
    off = Region.around(np.array([[2.0, 3.0], [6.0, 8.0]]), 0.0)
    assert (off.west, off.east, off.south, off.north) == (1.5, 6.5, 2.375, 8.625)
    assert region.with_region(Region(-5.0, 1.0, 0.0, 4.0)) == Region(-5.0, 9.0, -1.25, 4.0)
    point = Region.around(np.zeros((1, 2)), 3.0)
    assert (point.width, point.height) == (3.0, 3.0)
    s, t = region.grid(11, 6)
    assert (s[0], s[-1], t[0], t[-1], len(s), len(t)) == (-1.0, 9.0, -1.25, 1.25, 11, 6)
