"""Scores of classes and calibration, against formulas written another way."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.engine.measures.classification import (
    BINS,
    area_under_roc,
    calibration_of,
    class_scores,
    log_odds,
)
from fallline.engine.methods.losses import LOSSES
from support.aliases import Array

RNG = np.random.default_rng(5)
TRUE = RNG.integers(0, 3, 200)
OUTPUTS = np.round(RNG.standard_normal((3, 200)) + 1.2 * (np.arange(3)[:, np.newaxis] == TRUE), 1)


def trapezoids(scores: Array, positive: Array) -> float:
    """Return the area under the curve of true over false positives, by the trapezoidal rule."""
    cuts = [np.inf, *np.unique(scores)[::-1]]
    x = [(scores[positive == 0] >= cut).mean() for cut in cuts]
    y = [(scores[positive == 1] >= cut).mean() for cut in cuts]
    return float(np.trapezoid(y, x))


def test_precision_recall_and_f1_are_shares_of_counts_in_the_confusion_matrix() -> None:
    guesses = OUTPUTS.argmax(axis=0)
    counts = np.zeros((3, 3))
    for true, guess in zip(TRUE, guesses, strict=True):
        counts[true, guess] += 1
    for place, scores in enumerate(class_scores(TRUE, guesses, OUTPUTS)):
        precision = counts[place, place] / counts[:, place].sum()
        recall = counts[place, place] / counts[place].sum()
        assert scores.samples == counts[place].sum()
        assert (scores.precision, scores.recall) == (precision, recall)
        assert scores.f1 == pytest.approx(2 / (1 / precision + 1 / recall), rel=1e-15)


def test_the_area_is_that_under_the_curve_with_and_without_ties() -> None:
    for scores in (OUTPUTS[1], RNG.standard_normal(200), np.zeros(200)):
        expected = trapezoids(scores, (TRUE == 1).astype(np.float64))
        assert area_under_roc(scores, TRUE == 1) == pytest.approx(expected, rel=1e-13)
    assert area_under_roc(np.array([1.0, 2.0, 3.0]), np.array([False, True, True])) == 1.0
    assert area_under_roc(np.array([1.0, 2.0, 3.0]), np.array([True, False, False])) == 0.0


def test_a_score_with_a_denominator_of_0_is_none() -> None:
    true, guesses = np.array([0, 0, 2]), np.array([0, 1, 1])
    first, second, third = class_scores(true, guesses, np.zeros((3, 3)))
    assert (first.precision, first.recall, first.f1, first.auc) == (1.0, 0.5, 2 / 3, 0.5)
    assert (second.precision, second.recall, second.f1, second.auc) == (0.0, None, 0.0, None)
    assert (third.precision, third.recall, third.f1) == (None, 0.0, 0.0)
    assert area_under_roc(np.array([np.nan, 1.0]), np.array([True, False])) is None


@pytest.mark.parametrize(("loss", "outputs"), [("softmax_cross_entropy", 3), ("binary_cross_entropy", 1)])
def test_log_odds_are_those_of_the_probabilities_and_do_not_saturate(loss: str, outputs: int) -> None:
    y_pred = OUTPUTS[:outputs]
    probabilities = LOSSES[loss].probabilities
    assert probabilities is not None
    p = probabilities(y_pred)
    np.testing.assert_allclose(log_odds(y_pred), np.log(p) - np.log1p(-p), atol=1e-12)
    far = np.vstack([[500.0, 600.0], np.zeros((outputs - 1, 2))])
    assert probabilities(far)[-1 if outputs == 1 else 0].tolist() == [1.0, 1.0]
    assert log_odds(far)[-1 if outputs == 1 else 0, 0] < log_odds(far)[-1 if outputs == 1 else 0, 1]


def test_calibration_is_the_gap_of_each_bin_weighed_by_its_samples() -> None:
    confidence = np.append(RNG.uniform(0.0, 1.0, 300), [0.0, 0.1, 1.0])
    right = RNG.uniform(0.0, 1.0, 303) < confidence**2
    measured = calibration_of(confidence, right)
    assert measured is not None
    expected, largest = 0.0, 0.0
    for place, each in enumerate(measured.bins):
        inside = (confidence > place / BINS) & (confidence <= (place + 1) / BINS)
        inside |= (place == 0) & (confidence == 0.0)
        gap = abs(confidence[inside].mean() - right[inside].mean())
        assert each.count == inside.sum()
        assert each.confidence == pytest.approx(confidence[inside].mean(), rel=1e-14)
        assert each.accuracy == pytest.approx(right[inside].mean(), rel=1e-14)
        expected, largest = expected + inside.mean() * gap, max(largest, gap)
    assert measured.expected_error == pytest.approx(expected, rel=1e-13)
    assert measured.largest_error == pytest.approx(largest, rel=1e-13)


def test_an_empty_bin_has_no_means_and_a_confidence_that_is_not_finite_no_bins() -> None:
    measured = calibration_of(np.array([0.95, 0.95]), np.array([True, False]))
    assert measured is not None
    assert [each.count for each in measured.bins] == [0] * 9 + [2]
    assert (measured.bins[0].confidence, measured.bins[0].accuracy) == (None, None)
    assert (measured.expected_error, measured.largest_error) == pytest.approx((0.45, 0.45))
    assert calibration_of(np.array([0.5, np.nan]), np.array([True, False])) is None
