"""Ten million steps of the notebook's network: the ceiling of memory, and exactness over all of them."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from fallline.history import RunHistory
from fallline.vocabulary.columns import Records
from support.measurements import NOTEBOOK_SIZES, notebook_names

STEPS = 10_000_000
CHUNK = 500_000
NAMES = notebook_names()
# Every series is the same column times a factor, and the mean gradients that divided by the size: both keep the order.
FACTORS = np.array([2.0 ** (row - 14) for row in range(len(NAMES))])
DIVISORS = np.ones(len(NAMES))
for parameter, size in NOTEBOOK_SIZES.items():
    FACTORS[NAMES.index(f"grad_mean/{parameter}")] = FACTORS[NAMES.index(f"grad_l1/{parameter}")]
    DIVISORS[NAMES.index(f"grad_mean/{parameter}")] = size
EVALUATED = np.array([name.startswith(("train_", "test_")) for name in NAMES])


ALL = np.ones(len(NAMES), np.bool_)


def scaled(series: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The series of these rows, made of the one or two columns that all are made of."""
    return series * FACTORS[rows, None] / DIVISORS[rows, None]


class Past:
    """One series of every step and one with gaps; the others are multiples."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.every = rng.standard_normal(STEPS)
        self.every[rng.integers(0, STEPS, 200)] *= 1e12
        self.every[rng.integers(0, STEPS, 200)] = np.nan
        self.evaluated = np.where(rng.random(STEPS) < 0.01, self.every, np.nan)
        self.evaluated[:1024] = self.every[:1024]

    def chunks(self) -> Iterator[Records]:
        """All records in chunks of the size that a fast run makes in a second."""
        for first in range(0, STEPS, CHUNK):
            cut = slice(first, first + CHUNK)
            values = scaled(np.where(EVALUATED[:, None], self.evaluated[cut], self.every[cut]), ALL)
            samples_seen = np.arange(first + 1, first + CHUNK + 1, dtype=np.int64)
            yield Records(first, samples_seen, samples_seen * 1e-6, NAMES, values)


@pytest.fixture(scope="module")
def past() -> Past:
    return Past()


@pytest.fixture(scope="module")
def history(past: Past) -> RunHistory:
    history = RunHistory(NAMES, NOTEBOOK_SIZES)
    for records in past.chunks():
        history.append(records)
    return history


def test_ten_million_steps_of_29_series_take_less_than_two_megabytes(history: RunHistory) -> None:
    assert history.count == STEPS
    assert history.nbytes < 2_000_000


def test_nothing_is_held_beside_what_is_counted(past: Past) -> None:
    tracemalloc.start()
    try:
        history = RunHistory(NAMES, NOTEBOOK_SIZES)
        for records, _ in zip(past.chunks(), range(2), strict=False):
            history.append(records)
        del records
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2_000_000
    assert history.nbytes < held < history.nbytes + 100_000


@pytest.mark.parametrize("at_most", [1, 10, 100, 800, 1000, 2500, 10_000])
@pytest.mark.parametrize(("first", "last"), [(0, STEPS - 1), (1_234_567, 8_765_432), (9_990_001, STEPS - 1)])
def test_every_resolution_agrees_with_all_ten_million(
    past: Past, history: RunHistory, first: int, last: int, at_most: int
) -> None:
    told = history.range(first, last, at_most)
    assert len(told) <= at_most
    assert told.first[0] <= first <= told.last[0]
    assert told.first[-1] <= last <= told.last[-1]
    inside = slice(int(told.first[0]), int(told.last[-1]) + 1)
    starts = told.first - told.first[0]
    for series, rows in ((past.every[inside], ~EVALUATED), (past.evaluated[inside], EVALUATED)):
        finite = np.isfinite(series)
        count = np.add.reduceat(finite.astype(np.int64), starts)
        np.testing.assert_array_equal(told.minimum[rows], scaled(np.fmin.reduceat(series, starts), rows))
        np.testing.assert_array_equal(told.maximum[rows], scaled(np.fmax.reduceat(series, starts), rows))
        np.testing.assert_array_equal(told.count[rows], np.broadcast_to(count, told.count[rows].shape))
        place = np.maximum.reduceat(np.where(finite, np.arange(len(series)), -1), starts)
        final = np.where(count > 0, series[place], np.nan)
        np.testing.assert_array_equal(told.final[rows], scaled(final, rows))
        mean = np.add.reduceat(np.where(finite, series, 0.0), starts) / np.where(count > 0, count, np.nan)
        weight = np.add.reduceat(np.where(finite, np.abs(series), 0.0), starts) / np.maximum(count, 1)
        assert (np.isnan(told.mean[rows]) == np.isnan(mean)).all()
        error = np.abs(told.mean[rows] - scaled(mean, rows))
        assert (np.isnan(mean) | (error <= 1e-10 * scaled(weight, rows))).all()
