"""The data sets follow their formulas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.generated import HILLS, SURFACES, TWO_CLASSES, XOR_MARGIN
from fallline.engine.data.datasets.row import Raw
from fallline.engine.problem import build_problem
from fallline.runs.checks.recipe import dataset_of
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.recipe import DataSettings, NetworkSettings


def generate(name: str, **data: Any) -> Raw:
    row = DATASETS[name]
    own = {"features": row.features or 5, "samples": row.samples or 900}
    return row.make(DataSettings(name=name, **{**own, **data}))


# ---------------------------------------------------------------------- one input


@pytest.mark.parametrize("degree", [1, 3, 12])
def test_a_polynomial_has_the_requested_degree(degree: int) -> None:
    raw = generate("polynomial", degree=degree)
    fitted = np.polynomial.Polynomial.fit(raw.X[:, 0], raw.y[:, 0], degree + 3).convert().coef
    assert np.allclose(fitted[degree + 1 :], 0.0, atol=1e-8)
    assert abs(fitted[degree]) > 1e-3


def test_a_higher_degree_adds_terms_to_the_same_polynomial() -> None:
    low, high = generate("polynomial", degree=2), generate("polynomial", degree=3)
    added, cubed = high.y - low.y, low.X**3
    assert np.allclose(added, cubed * (added / cubed)[np.argmax(np.abs(cubed))], atol=1e-12)
    assert np.abs(added).max() > 1e-3


@pytest.mark.parametrize("degree", [1, 4, 24])
def test_a_chebyshev_polynomial_is_the_cosine_of_the_multiplied_angle(degree: int) -> None:
    raw = generate("chebyshev", degree=degree)
    assert np.allclose(raw.y, np.cos(degree * np.arccos(raw.X)), atol=1e-12)


# ---------------------------------------------------------------------- two inputs


@pytest.mark.parametrize("name", [row.name for row in TWO_CLASSES])
def test_classes_have_equal_size_and_stay_within_the_map(name: str) -> None:
    raw = generate(name, samples=901)
    assert abs(np.count_nonzero(raw.y == 0) - np.count_nonzero(raw.y == 1)) == 1
    assert np.abs(raw.X).max() < 1.7


@pytest.mark.parametrize("name", [row.name for row in (*TWO_CLASSES, *SURFACES)])
def test_a_larger_set_of_one_seed_begins_with_the_smaller_one(name: str) -> None:
    few, many = generate(name, samples=50), generate(name, samples=80)
    assert np.array_equal(few.X, many.X[:50])
    assert np.array_equal(few.y, many.y[:50])


def test_the_circle_is_a_disc_in_a_ring() -> None:
    raw = generate("circle")
    radius, outside = np.hypot(*raw.X.T), raw.y[:, 0] == 1
    assert radius[~outside].max() <= 0.5
    assert radius[outside].min() >= 0.7
    assert radius.max() <= 1.0


def test_xor_separates_signs_with_a_margin() -> None:
    raw = generate("xor")
    assert np.array_equal(raw.y[:, 0] == 1, raw.X[:, 0] * raw.X[:, 1] < 0)
    assert np.abs(raw.X).min() >= XOR_MARGIN
    quadrants = {(bool(first > 0), bool(second > 0)) for first, second in raw.X}
    assert len(quadrants) == 4


def test_the_two_gaussians_have_their_centres_and_spread() -> None:
    raw = generate("two_gaussians", samples=5000)
    for label, centre in ((0, -0.6), (1, 0.6)):
        cloud = raw.X[raw.y[:, 0] == label]
        assert np.allclose(cloud.mean(axis=0), centre, atol=0.02)
        assert np.allclose(cloud.std(axis=0), 0.25, atol=0.01)


@pytest.mark.parametrize("turns", [0.25, 1.5, 4.0])
def test_the_spirals_have_the_requested_turns_half_a_turn_apart(turns: float) -> None:
    raw = generate("two_spirals", turns=turns)
    radius = np.hypot(*raw.X.T)
    angle = np.arctan2(raw.X[:, 1], raw.X[:, 0]) - np.pi * raw.y[:, 0]
    off = (angle - 2 * np.pi * turns * radius) / (2 * np.pi)
    assert np.allclose(off, np.round(off), atol=1e-9)
    assert radius.min() >= 0.05


def test_the_moons_are_half_circles_that_interlock() -> None:
    raw = generate("moons")
    upper, lower = (raw.X[raw.y[:, 0] == label] * 1.5 + np.array([0.5, 0.25]) for label in (0, 1))
    assert np.allclose(np.hypot(*upper.T), 1.0)
    assert upper[:, 1].min() >= 0
    assert np.allclose(np.hypot(*(lower - np.array([1.0, 0.5])).T), 1.0)
    assert lower[:, 1].max() <= 0.5


def test_the_surfaces_have_the_heights_of_their_formulas() -> None:
    plane, hills = generate("plane"), generate("gaussian_hills", samples=5000)
    assert np.allclose(plane.y[:, 0], (plane.X[:, 0] + plane.X[:, 1]) / 2)
    for first, second, sign in HILLS:
        nearest = np.argmin(np.hypot(hills.X[:, 0] - first, hills.X[:, 1] - second))
        assert hills.y[nearest, 0] == pytest.approx(sign, abs=0.1)


# ---------------------------------------------------------------------- measured


def test_measured_sets_are_complete_by_default() -> None:
    sizes = {name: generate(name).X.shape for name in ("diabetes", "iris", "digits")}
    assert sizes == {"diabetes": (442, 10), "iris": (150, 4), "digits": (1797, 64)}
    assert generate("diabetes").features[2] == "bmi"
    assert np.bincount(generate("iris").y[:, 0].astype(int)).tolist() == [50, 50, 50]
    assert set(generate("digits").X.ravel()) == set(range(17))


def test_fewer_samples_of_a_measured_set_are_drawn_by_the_data_seed() -> None:
    one, again, other = (generate("iris", samples=60, seed=seed) for seed in (1, 1, 2))
    assert one.X.shape == (60, 4)
    assert np.array_equal(one.X, again.X)
    assert not np.array_equal(one.X, other.X)
    assert set(one.y[:, 0]) == {0, 1, 2}


def test_noise_on_a_measured_set_leaves_the_set_itself_alone() -> None:
    before = generate("iris").X.copy()
    build_problem(
        DataSettings(name="iris", samples=150, features=4, noise=1.0, label_noise=0.5, standardize="both"),
        NetworkSettings(),
        "mse",
    )
    assert np.array_equal(generate("iris").X, before)


def test_a_set_that_is_missing_says_why_instead_of_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "iris", replace(DATASETS["iris"], missing="needs a package"))
    with pytest.raises(InvalidRequest, match="/data/name: must be another data set: iris needs a package"):
        dataset_of(DataSettings(name="iris"))
