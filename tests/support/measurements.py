"""Synthetic measurements, and expected buckets computed without merging."""

from itertools import pairwise

import numpy as np

from fallline.vocabulary.columns import Buckets, Records

EVERY_STEP = ("batch_loss", "grad_l1/W1", "grad_mean/W1")
EVALUATED = ("train_loss",)
NAMES = EVERY_STEP + EVALUATED


def notebook_names() -> tuple[str, ...]:
    """The 29 series of the notebook's network with a test split."""
    measures = ("grad_l1", "grad_l2", "grad_mean", "ratio")
    parameters = ("W1", "b1", "W2", "b2", "W3", "b3")
    evaluated = ("train_loss", "test_loss", "train_r2", "test_r2")
    return ("batch_loss", *(f"{measure}/{name}" for name in parameters for measure in measures), *evaluated)


NOTEBOOK_SIZES = {"W1": 20, "b1": 4, "W2": 16, "b2": 4, "W3": 4, "b3": 1}


def measured(steps: int, seed: int = 0, gaps: float = 0.3, names: tuple[str, ...] = NAMES) -> Records:
    """Records 0 ... steps - 1 with spikes of many magnitudes and some gaps."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(len(names), steps)) * 10.0 ** rng.integers(-8, 8, size=(len(names), steps))
    for row, name in enumerate(names):
        if name.startswith(("train_", "test_")):
            values[row, rng.random(steps) < 0.9] = np.nan
        elif name.startswith("ratio") or name == "batch_loss":
            values[row, rng.random(steps) < gaps] = np.nan
        elif name.startswith("grad_mean/"):
            parameter = name.removeprefix("grad_mean/")
            values[row] = values[names.index(f"grad_l1/{parameter}")] / NOTEBOOK_SIZES[parameter]
    samples_seen = np.cumsum(rng.integers(1, 900, size=steps))
    return Records(0, samples_seen, np.cumsum(rng.random(steps)), names, values)


def slices_of(records: Records, seed: int, longest: int) -> list[Records]:
    """The records in slices of random lengths."""
    rng = np.random.default_rng(seed)
    cuts = [records.first]
    while cuts[-1] < records.stop:
        cuts.append(min(cuts[-1] + int(rng.integers(1, longest + 1)), records.stop))
    return [records.part(start, stop) for start, stop in pairwise(cuts)]


def assert_summarises(buckets: Buckets, records: Records) -> None:
    """Check that every bucket summarises its records, and that there is no gap."""
    assert (buckets.first[1:] == buckets.last[:-1] + 1).all()
    assert (buckets.last >= buckets.first).all()
    assert (buckets.samples_seen == records.samples_seen[buckets.last - records.first]).all()
    assert (buckets.seconds == records.seconds[buckets.last - records.first]).all()
    inside = slice(int(buckets.first[0]) - records.first, int(buckets.last[-1]) + 1 - records.first)
    starts = buckets.first - buckets.first[0]
    for row, name in enumerate(buckets.names):
        series = records.values[records.names.index(name), inside]
        _assert_series(buckets, row, series, starts)


def _assert_series(buckets: Buckets, row: int, series: np.ndarray, starts: np.ndarray) -> None:
    finite = np.isfinite(series)
    values = np.where(finite, series, np.nan)
    np.testing.assert_array_equal(buckets.minimum[row], np.fmin.reduceat(values, starts))
    np.testing.assert_array_equal(buckets.maximum[row], np.fmax.reduceat(values, starts))
    count = np.add.reduceat(finite.astype(np.int64), starts)
    np.testing.assert_array_equal(buckets.count[row], count)
    place = np.maximum.reduceat(np.where(finite, np.arange(len(series)), -1), starts)
    np.testing.assert_array_equal(buckets.final[row], np.where(count > 0, values[place], np.nan))
    total = np.add.reduceat(np.where(finite, series, 0.0), starts)
    scale = np.add.reduceat(np.where(finite, np.abs(series), 0.0), starts)
    with np.errstate(invalid="ignore"):
        mean, tolerance = total / count, 1e-12 * scale / count
    assert (np.isnan(mean) == np.isnan(buckets.mean[row])).all()
    assert (np.isnan(mean) | (np.abs(buckets.mean[row] - mean) <= tolerance)).all()


def assert_same(one: Buckets, other: Buckets) -> None:
    """Check that both are equal bit for bit."""
    assert one.names == other.names
    for name in ("first", "last", "samples_seen", "seconds", "minimum", "maximum", "mean", "final", "count"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def is_dyadic(buckets: Buckets) -> np.ndarray:
    """Return a mask of the buckets [k w, (k + 1) w) with w a power of two."""
    widths = buckets.last - buckets.first + 1
    mask: np.ndarray = (widths & (widths - 1) == 0) & (buckets.first % widths == 0)
    return mask
