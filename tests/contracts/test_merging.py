"""The compiled merge of buckets gives the bits of NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.engine.kernels.compiled_buckets import merged
from fallline.history.run_history import RunHistory
from fallline.vocabulary import columns
from fallline.vocabulary.columns import Buckets, Floats, Records, from_records, join, widen

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


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("steps", [2, 6, 64, 1_022])
def test_a_merge_has_the_bits_of_numpys(seed: int, steps: int) -> None:
    whole = from_records(records(seed, steps))
    while len(whole) > 1:
        even = len(whole) // 2 * 2
        sides = whole.part(slice(0, even, 2)), whole.part(slice(1, even, 2))
        copies = tuple(each.part(np.arange(len(each))) for each in sides)
        expected = columns._merge_by_numpy(*sides)
        for left, right in (sides, copies, (sides[0], copies[1])):
            found = merged(left, right)
            assert found is not None
            expect_same(found, expected)
        whole = expected


def test_columns_that_nobody_may_write_are_merged_too() -> None:
    whole = from_records(records(0, 64))
    for name in columns._COLUMNS:
        getattr(whole, name).flags.writeable = False
    sides = whole.part(slice(0, None, 2)), whole.part(slice(1, None, 2))
    found = merged(*sides)
    assert found is not None
    expect_same(found, columns._merge_by_numpy(*sides))


def test_buckets_of_unlike_counts_have_the_bits_of_numpys() -> None:
    pieces = [from_records(records(seed, 64, 64 * seed)) for seed in range(4)]
    coarse = [widen(piece, width) for piece, width in zip(pieces, (1, 8, 64, 2), strict=True)]
    for left in coarse:
        for right in coarse:
            size = min(len(left), len(right))
            sides = left.part(slice(0, size)), right.part(slice(0, size))
            found = merged(*sides)
            assert found is not None
            expect_same(found, columns._merge_by_numpy(*sides))


def test_where_a_difference_overflows_numpy_merges() -> None:
    whole = from_records(records(1, 64, scale=1e308))
    left, right = whole.part(slice(0, None, 2)), whole.part(slice(1, None, 2))
    assert merged(left, right) is None
    assert np.isfinite(columns._merge_by_numpy(left, right).mean[0]).all()


def test_a_history_is_the_same_whoever_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    def history() -> tuple[Buckets, Buckets, Buckets]:
        one = RunHistory(NAMES)
        at = 0
        for steps in (7, 300, 1_000, 4_096, 16, 5_000, 3):
            one.append(records(at, steps, at, scale=1e308 if at == 307 else 1.0))
            at += steps
        return one.range(0, at - 1, 100), one.range(2_000, 9_000, 1_000), join(one.range(0, 99, 100))

    monkeypatch.setattr(columns, "_FASTER", [])
    by_numpy = history()
    calls = []

    def counted(left: Buckets, right: Buckets) -> Buckets | None:
        calls.append(merged(left, right))
        return calls[-1]

    columns.merge_by(counted)
    for found, expected in zip(history(), by_numpy, strict=True):
        expect_same(found, expected)
    assert any(each is None for each in calls)
    assert sum(each is not None for each in calls) > 20
