"""Preparation of samples before the training: noise, wrong labels, split, standardizing.

`engine.problem` calls these functions, and exported programs contain their text.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.randomness import rng_for
from fallline.vocabulary.arrays import Array, Rows


def noisy(values: Array, deviation: float, seed: int) -> Array:
    """Add normal noise of this standard deviation."""
    return values + deviation * rng_for(seed, "noise").standard_normal(values.shape)


def mislabelled(y: Array, share: float, classes: int, seed: int) -> Array:
    """Replace this share of the labels by another class, each equally likely."""
    wrong = round(len(y) * share)
    rng = rng_for(seed, "labels")
    rows = rng.permutation(len(y))[:wrong]
    y = y.copy()
    y[rows] = (y[rows] + rng.integers(1, classes, (wrong, 1))) % classes
    return y


def training_rows(samples: int, test_fraction: float, seed: int) -> Rows:
    """The rows of the training split, in data order."""
    tests = round(samples * test_fraction)
    return np.setdiff1d(np.arange(samples), rng_for(seed, "split").permutation(samples)[:tests])


def standardized(values: Array, rows: Rows) -> Array:
    """Shift and scale to mean 0 and standard deviation 1 over these rows.

    A constant column is only shifted.
    """
    spread = values[rows].std(axis=0)
    return np.asarray((values - values[rows].mean(axis=0)) / np.where(spread > 0.0, spread, 1.0))
