"""Millions of steps of the notebook's network: bounded memory, and exact buckets."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fallline.history.run_history import RunHistory
from fallline.vocabulary.columns import Records
from support.aliases import Array
from support.measurements import NOTEBOOK_SIZES, notebook_names

CHUNK = 50_000
CEILING = 2_000_000
NAMES = notebook_names()
EVALUATED = np.array([name.startswith(("train_", "test_")) for name in NAMES])
# Every series is one of two columns times a factor, which keeps the order.
FACTORS = np.array([[2.0 ** (row - 14)] for row in range(len(NAMES))])
MEANS = {
    NAMES.index(f"grad_mean/{name}"): (NAMES.index(f"grad_l1/{name}"), size)
    for name, size in NOTEBOOK_SIZES.items()
}


class Past:
    """Return a full column and one with gaps, both with spikes and values that are not finite."""

    def __init__(self, steps: int) -> None:
        rng = np.random.default_rng(0)
        self.every = rng.standard_normal(steps)
        self.every[rng.integers(0, steps, 200)] *= 1e12
        self.every[rng.integers(0, steps, 200)] = np.nan
        self.evaluated = np.where(rng.random(steps) < 0.01, self.every, np.nan)
        self.evaluated[:1024] = self.every[:1024]

    def remembered(self) -> RunHistory:
        history = RunHistory(NAMES, NOTEBOOK_SIZES)
        for first in range(0, len(self.every), CHUNK):
            cut = slice(first, first + CHUNK)
            samples_seen = np.arange(first + 1, first + CHUNK + 1, dtype=np.int64)
            values = all_series(self.every[cut], self.evaluated[cut])
            history.append(Records(first, samples_seen, (samples_seen * 1e-6).astype(float), NAMES, values))
        return history


def all_series(every: Array, evaluated: Array) -> Array:
    """Return the series of `NAMES`, made of the two columns."""
    values = np.empty((len(NAMES), len(every)))
    values[~EVALUATED] = every * FACTORS[~EVALUATED]
    values[EVALUATED] = evaluated * FACTORS[EVALUATED]
    for row, (source, size) in MEANS.items():
        np.divide(values[source], size, out=values[row])
    return values


def assert_agrees(history: RunHistory, past: Past, first: int, last: int, at_most: int) -> None:
    """Compare a range of the history with all its steps."""
    buckets = history.range(first, last, at_most)
    assert len(buckets) <= at_most
    assert buckets.first[0] <= first <= buckets.last[0]
    assert buckets.first[-1] <= last <= buckets.last[-1]
    assert (buckets.first[1:] == buckets.last[:-1] + 1).all()
    assert (buckets.samples_seen == buckets.last + 1).all()
    inside, starts = slice(int(buckets.first[0]), int(buckets.last[-1]) + 1), buckets.first - buckets.first[0]
    every, evaluated = (summary(column[inside], starts) for column in (past.every, past.evaluated))
    for statistic in ("minimum", "maximum", "final"):
        expected = all_series(every[statistic], evaluated[statistic])
        np.testing.assert_array_equal(getattr(buckets, statistic), expected, err_msg=statistic)
    expected = np.where(EVALUATED[:, None], evaluated["count"], every["count"])
    np.testing.assert_array_equal(buckets.count, expected)
    mean = all_series(every["mean"], evaluated["mean"])
    error = np.abs(buckets.mean - mean) <= 1e-10 * all_series(every["size"], evaluated["size"])
    assert np.where(expected > 0, error, np.isnan(buckets.mean)).all()


def summary(column: Array, starts: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return statistics of the ranges of a column from `starts` on; `size` is the mean magnitude."""
    finite = np.isfinite(column)
    count = np.add.reduceat(finite.astype(np.int64), starts)
    some = np.maximum(count, 1)
    place = np.maximum.reduceat(np.where(finite, np.arange(len(column)), -1), starts)
    return {
        "minimum": np.fmin.reduceat(column, starts),
        "maximum": np.fmax.reduceat(column, starts),
        "final": np.where(count > 0, column[place], np.nan),
        "count": count,
        "mean": np.add.reduceat(np.where(finite, column, 0.0), starts) / some,
        "size": np.add.reduceat(np.where(finite, np.abs(column), 0.0), starts) / some,
    }


# One test, since two workers would each make all these steps.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("steps", [2_000_000, pytest.param(10_000_000, marks=pytest.mark.long)])
def test_millions_of_steps_take_two_megabytes_and_are_exact_at_every_resolution(steps: int) -> None:
    past = Past(steps)
    history = past.remembered()
    assert history.count == steps
    assert history.nbytes < CEILING
    for at_most in (1, 10, 100, 1000, 10_000):
        assert_agrees(history, past, 0, steps - 1, at_most)
    for at_most in (10, 300, 10_000):
        assert_agrees(history, past, 1_234_567, 1_765_432, at_most)
        assert_agrees(history, past, steps - 9999, steps - 1, at_most)


def test_nbytes_counts_all_memory() -> None:
    past = Past(10 * CHUNK)
    tracemalloc.start()
    try:
        history = past.remembered()
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert history.nbytes < allocated < min(history.nbytes + 100_000, CEILING)
