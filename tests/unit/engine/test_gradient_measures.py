"""The measures of a gradient agree with the history at the same step."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.engine.measures.gradients import BARS, cosine, gradient_of


def test_sums_and_ratios_are_by_their_definitions() -> None:
    rng = np.random.default_rng(0)
    gradient, change, parameter = rng.standard_normal((3, 6, 4))
    gradient[0] = 0.0
    measures = gradient_of(gradient, change, parameter)
    assert measures.l1 == pytest.approx(np.abs(gradient).sum())
    assert measures.l2 == pytest.approx(np.linalg.norm(gradient))
    assert measures.mean == pytest.approx(np.abs(gradient).mean())
    assert measures.ratio_norm == pytest.approx(np.linalg.norm(change) / np.linalg.norm(parameter))
    assert measures.ratio_sd == pytest.approx(np.std(change) / np.std(parameter))
    assert measures.ratio_norm != pytest.approx(measures.ratio_sd, rel=1e-3)
    assert measures.zeros == 4


def test_a_histogram_counts_every_finite_entry_between_its_edges() -> None:
    gradient = np.array([[-2.0, 0.0, 0.5], [np.inf, np.nan, 8.0]])
    measures = gradient_of(gradient, gradient, gradient)
    assert (len(measures.edges), len(measures.counts), sum(measures.counts)) == (BARS + 1, BARS, 4)
    assert (measures.edges[0], measures.edges[-1], measures.counts[0], measures.counts[-1]) == (
        -2.0,
        8.0,
        1,
        1,
    )


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0])
def test_equal_entries_are_in_the_middle_bar(value: float) -> None:
    measures = gradient_of(np.full((2, 2), value), np.zeros((2, 2)), np.zeros((2, 2)))
    (bar,) = [place for place, count in enumerate(measures.counts) if count]
    assert (bar, measures.counts[bar]) == (BARS // 2, 4)
    assert (measures.ratio_norm, measures.ratio_sd) == (None, None)


@pytest.mark.parametrize(("one", "other"), [(3.0, np.nextafter(3.0, 4.0)), (5e-324, 5e-324), (0.0, 5e-324)])
def test_entries_too_close_for_bars_are_in_the_middle_too(one: float, other: float) -> None:
    measures = gradient_of(np.array([one, other]), np.zeros(2), np.zeros(2))
    assert sum(measures.counts[BARS // 2 - 1 : BARS // 2 + 1]) == sum(measures.counts) == 2
    assert (np.diff(measures.edges) > 0.0).all()


def test_without_a_finite_entry_the_bars_are_empty_around_0() -> None:
    measures = gradient_of(np.array([np.nan, np.inf]), np.zeros(2), np.zeros(2))
    assert (measures.counts, measures.edges[0], measures.edges[-1]) == ([0] * BARS, -1.0, 1.0)


def test_the_cosine_of_an_angle() -> None:
    assert cosine(np.array([1.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(np.sqrt(0.5))
    assert cosine(np.array([0.1, 0.2]), np.array([-0.1, -0.2])) == -1.0
    assert cosine(np.zeros(2), np.ones(2)) is None


@pytest.mark.parametrize("count", range(1, 100))
def test_no_cosine_is_beyond_1(count: int) -> None:
    """Rounding made a quarter of these larger, by the last bit."""
    vector = 0.1 * np.arange(1.0, count + 1.0)
    for sign in (-1.0, 1.0):
        value = cosine(vector, sign * vector)
        assert value is not None
        assert abs(value) <= 1.0
