"""The compiled merge of buckets gives the bits of NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.engine.kernels.compiled_buckets import carried_out
from fallline.engine.kernels.compiled_history import append, compiled_scan
from fallline.history import pyramid, run_history
from fallline.history.run_history import RunHistory
from fallline.vocabulary import columns
from fallline.vocabulary.columns import Buckets, Floats, Records, from_records, join, widen
from fallline.vocabulary.merge_plans import coarsened

NAMES = tuple(f"series {number}" for number in range(7))


def values(seed: int, steps: int, scale: float = 1.0) -> Floats:
    """Rows with and without gaps, a constant, and one that is almost always missing."""
    random = np.random.default_rng(seed)
    rows = scale * np.clip(random.standard_normal((len(NAMES), steps)), -1.5, 1.5)
    rows[1, random.random(steps) < 0.7] = np.nan
    rows[2, random.random(steps) < 0.02] = np.nan
    rows[3] = 0.1
    rows[4, 1:] = np.nan
    rows[5, ::2] = rows[5, 1::2] if steps % 2 == 0 else 1.0
    return rows


def records(seed: int, steps: int, first: int = 0, scale: float = 1.0) -> Records:
    numbers = np.arange(first, first + steps)
    return Records(first, 3 * numbers, numbers.astype(np.float64), NAMES, values(seed, steps, scale))


def expect_same(one: Buckets, other: Buckets) -> None:
    assert one.names == other.names
    for name in columns._COLUMNS:
        left, right = getattr(one, name), getattr(other, name)
        assert left.dtype == right.dtype, name
        assert np.array_equal(left, right, equal_nan=left.dtype.kind == "f"), name


def test_columns_that_nobody_may_write_are_merged_too() -> None:
    whole = from_records(records(0, 64))
    for name in columns._COLUMNS:
        getattr(whole, name).flags.writeable = False
    plan = coarsened(tuple(whole.first.tolist()), tuple(whole.last.tolist()), 5)
    expect_same(carried_out(plan, whole), columns._carried_out_by_numpy(plan, whole))


@pytest.mark.parametrize("at_most", [1, 2, 3, 8, 30])
@pytest.mark.parametrize("seed", range(8))
def test_a_plan_of_merges_has_the_bits_of_numpys(seed: int, at_most: int) -> None:
    random = np.random.default_rng(seed)
    first, parts = int(random.integers(5_000)), []
    for _ in range(5):
        steps = int(random.integers(1, 200))
        scale = 1e308 if random.random() < 0.2 else 1.0
        whole = from_records(records(seed, steps, first, scale))
        parts.append(widen(whole, 1 << int(random.integers(6))))
        first += steps
    whole = join(*parts)
    plan = coarsened(tuple(whole.first.tolist()), tuple(whole.last.tolist()), at_most)
    assert len(plan.lefts) == len(whole) - len(plan.kept) > 0
    expect_same(carried_out(plan, whole), columns._carried_out_by_numpy(plan, whole))


@pytest.mark.parametrize("seed", range(4))
def test_a_history_is_the_same_whoever_appends(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def history() -> RunHistory:
        random, one = np.random.default_rng(seed), RunHistory(NAMES)
        for steps in random.integers(1, (40, 700, 9_000)[seed % 3], 30).tolist():
            scale = 1e308 if random.random() < 0.1 else 1.0
            one.append(records(steps, steps, one.count, scale))
        return one

    monkeypatch.setattr(pyramid, "_APPEND", pyramid._APPEND[:1])
    monkeypatch.setattr(run_history, "_SCAN", run_history._SCAN[:1])
    by_numpy = history()
    pyramid.append_by(append)
    run_history.scan_by(compiled_scan(run_history.scan))
    compiled = history()
    assert by_numpy.latest() == compiled.latest()
    for one, other in zip(by_numpy.parts(), compiled.parts(), strict=True):
        assert (one.name, one.version, one.about) == (other.name, other.version, other.about)
        columns = other.arrays()
        for name, column in one.arrays().items():
            np.testing.assert_array_equal(column, columns[name], err_msg=f"{one.name} {name}", strict=True)
