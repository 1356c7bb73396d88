"""Scores of a classifier class by class, and how far its probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.arrays import Array

Classes = NDArray[np.int64]

BINS = 10
"""Number of reliability bins, of equal width."""


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Scores of one class against all others; `samples` is the number of its samples.

    A score is None where its denominator is 0.
    """

    samples: int
    precision: float | None
    recall: float | None
    f1: float | None
    auc: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Samples with a confidence above `low`, up to `high`.

    `confidence` is their mean probability of the predicted class, `accuracy` the share that is right; None without
    samples.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Reliability bins, and the mean and the largest gap between confidence and accuracy.

    The mean weighs each bin by its samples.
    """

    bins: list[Bin]
    expected_error: float
    largest_error: float


def class_scores(true: Classes, guesses: Classes, scores: Array) -> list[ClassScores]:
    """Scores of every class; the row of a class in `scores` (classes, m) orders the samples by it.

    van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    rows = []
    for place, by_class in enumerate(scores):
        is_class, is_guess = true == place, guesses == place
        samples, guessed, hits = int(is_class.sum()), int(is_guess.sum()), int((is_class & is_guess).sum())
        rows.append(
            ClassScores(
                samples,
                _share(hits, guessed),
                _share(hits, samples),
                _share(2 * hits, samples + guessed),
                area_under_roc(by_class, is_class),
            )
        )
    return rows


def area_under_roc(scores: Array, positive: NDArray[np.bool_]) -> float | None:
    """Share of pairs, one positive and one other, in which the positive has the higher score.

    A tie counts half. None without a pair, or with NaN. Hanley and McNeil 1982, Radiology 143, 29-36.
    """
    others, own = np.sort(scores[~positive]), scores[positive]
    if np.isnan(scores).any():
        return None
    twice = np.searchsorted(others, own, "left") + np.searchsorted(others, own, "right")
    return _share(int(twice.sum()), 2 * len(own) * len(others))


def log_odds(outputs: Array) -> Array:
    """log(p / (1 - p)) of each class (classes, m) for the outputs of a classifier (outputs, m).

    It orders samples as the probabilities do, and does not round to 0 or 1. A single output is of the second class.
    """
    if len(outputs) == 1:
        return np.vstack([-outputs, outputs])
    rest = [np.logaddexp.reduce(np.delete(outputs, place, axis=0), axis=0) for place in range(len(outputs))]
    return np.asarray(outputs - np.array(rest))


def calibration_of(confidence: Array, right: NDArray[np.bool_]) -> Calibration | None:
    """Compare confidence and accuracy of predictions; None if a confidence is not finite.

    Expected and maximum calibration error: Guo et al. 2017, arXiv:1706.04599.
    """
    if not np.isfinite(confidence).all():
        return None
    edges = np.linspace(0.0, 1.0, BINS + 1)
    places = np.searchsorted(edges[1:-1], confidence, "left")
    counts = np.bincount(places, minlength=BINS)
    confidences, hits = (np.bincount(places, of, BINS) for of in (confidence, right))
    gaps = np.abs(confidences - hits)
    filled = counts > 0
    bins = [
        Bin(low, high, count, _share(total, count), _share(hit, count))
        for (low, high), count, total, hit in zip(
            pairwise(edges.tolist()), counts.tolist(), confidences.tolist(), hits.tolist(), strict=True
        )
    ]
    return Calibration(
        bins, float(gaps.sum()) / len(confidence), float((gaps[filled] / counts[filled]).max())
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
