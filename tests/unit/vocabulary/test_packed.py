"""Packed columns hold the numbers of the encoding json, in fewer bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fallline.vocabulary.columns import Buckets, Records, coarsen, from_records
from fallline.vocabulary.packed import packed
from support.aliases import Array, Json
from support.watching import unpacked

NAMES = ("train_loss", "grad_l1/W1", "ratio/W1", "objective", "batch_loss")


def buckets(n: int, **rows: Array) -> Buckets:
    """Noisy steps; the objective is never recorded, and the loss only every third step from 8 on."""
    steps = np.arange(n)
    noise = 1 + (steps * 7919 % 101) / 97
    loss = np.where((steps < 8) | (steps % 3 == 0), noise / 3, np.nan)
    values = [loss, noise / 7, noise / 900, np.full(n, np.nan), noise]
    values = [rows.get(name, row) for name, row in zip(NAMES, values, strict=True)]
    return from_records(
        Records(0, (steps + 1) * 900, (steps * 1e-4).astype(np.float64), NAMES, np.stack(values))
    )


def numbers(columns: Json, name: str, statistic: str = "last") -> Array:
    return np.array(columns["series"][name][statistic], np.float64)


@pytest.mark.parametrize("at_most", [40, 9, 1])
def test_steps_losses_and_counts_are_exact_and_gradients_have_seven_digits(at_most: int) -> None:
    merged = coarsen(buckets(40), at_most)
    plain, short = merged.as_json(3), unpacked(packed(merged, 3), list(NAMES))
    for name in ("generation", "first", "last", "samples_seen", "seconds"):
        assert short[name] == plain[name]
    for name in NAMES:
        for statistic in ("min", "max", "mean", "last"):
            exact, compact = numbers(plain, name, statistic), numbers(short, name, statistic)
            if name in ("grad_l1/W1", "ratio/W1"):
                np.testing.assert_allclose(compact, exact, rtol=2**-24)
                assert (compact != exact).any(), "float32"
            else:
                np.testing.assert_array_equal(compact, exact)
    if at_most < 40:
        assert short["series"]["train_loss"]["count"] == plain["series"]["train_loss"]["count"]


@pytest.mark.parametrize("number", [1e39, 1e-40, -1e300])
def test_gradients_beyond_float32_are_float64(number: float) -> None:
    row = np.full(6, 0.25)
    row[3] = number
    for at_most in (6, 2):
        merged = coarsen(buckets(6, **{"grad_l1/W1": row}), at_most)
        columns = packed(merged, 0)
        assert NAMES.index("grad_l1/W1") in columns["f8"]
        assert NAMES.index("ratio/W1") in columns["f4"]
        short = unpacked(columns, list(NAMES))
        np.testing.assert_array_equal(numbers(short, "grad_l1/W1", "mean"), merged.mean[1])


def test_a_gradient_of_exactly_0_stays_exactly_0_and_a_missing_one_missing() -> None:
    row = np.array([0.0, 1e-30, np.nan, np.inf, 0.0])
    short = unpacked(packed(buckets(5, **{"grad_l1/W1": row}), 0), list(NAMES))
    values = short["series"]["grad_l1/W1"]["last"]
    assert values[0] == values[4] == 0.0
    assert values[1] > 0.0
    assert values[2:4] == [None, None]


def test_no_buckets_are_packed_too() -> None:
    short = unpacked(packed(Buckets.empty(NAMES), 2), list(NAMES))
    assert short["first"] == short["seconds"] == short["series"]["train_loss"]["mean"] == []


def test_a_series_without_a_value_takes_no_byte_and_a_single_step_one_number() -> None:
    without = buckets(6)
    less = buckets(6, batch_loss=np.full(6, np.nan))
    assert NAMES.index("objective") not in packed(without, 0)["f8"]
    bytes_of = [len(packed(each, 0)["bdata"]) for each in (without, less)]
    assert bytes_of[0] - bytes_of[1] == 8 * 6 * 4 // 3
    assert len(json.dumps(packed(without, 0))) < len(json.dumps(without.as_bdata(0))) / 4
