"""Binary columns hold the numbers of the encoding json, each aligned to its size."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.vocabulary.binary import binary, opening
from fallline.vocabulary.columns import Buckets, Records, coarsen, from_records
from fallline.vocabulary.packed import packed
from support.aliases import Json
from support.watching import read_binary, unpacked

NAMES = ("train_loss", "grad_l1/W1", "ratio/W1", "objective", "batch_loss")
STATISTICS = ("min", "max", "mean", "last")
OWN = ("first", "last", "samples_seen", "seconds")


def read(buckets: Buckets, names: tuple[str, ...] | None = None) -> Json:
    """Return the columns, after a text and the columns of another run."""
    text, data = binary(buckets, 3, names, start=16)
    message = opening(text) + bytes(16) + data
    assert len(message) % 8 == len(data) % 8 == 0
    assert all(type(number) is int for each in described(text) for number in (each["at"], each["n"]))
    return read_binary(message)


def described(text: str) -> list[Json]:
    """Return what the text says of each column, in the order of places."""
    columns = json.loads(text)
    every = [columns[name] for name in OWN]
    every += [each for statistics in columns["series"].values() for each in statistics.values()]
    return sorted(every, key=lambda each: each["at"])


def steps(
    n: int, first: int = 0, times: float = 1e-4, rows: Mapping[str, Sequence[float]] = MappingProxyType({})
) -> Buckets:
    """Noisy steps; the objective is never recorded, and the loss only at every third step from 8 on."""
    k = np.arange(first, first + n)
    noise = 1 + (k * 7919 % 101) / 97
    loss = np.where((k < 8) | (k % 3 == 0), noise / 3, np.nan)
    values = [loss, noise / 7, noise / 900, np.full(n, np.nan), noise]
    values = [np.array(rows.get(name, row)) for name, row in zip(NAMES, values, strict=True)]
    return from_records(Records(first, (k + 1) * 900, (k + 1) * np.float64(times), NAMES, np.stack(values)))


def plain(columns: Json) -> Json:
    """Return arrays as lists, with None for NaN, as the encoding json has them."""

    def listed(column: list[float | None] | np.ndarray) -> list[float | None]:
        return [None if number is None or np.isnan(number) else float(number) for number in column]

    series = {
        name: {statistic: listed(column) for statistic, column in statistics.items()}
        for name, statistics in columns["series"].items()
    }
    return {name: listed(columns[name]) for name in OWN} | {
        "generation": columns["generation"],
        "series": series,
    }


def assert_same_numbers(buckets: Buckets) -> None:
    """Compare with the other encodings: all digits of JSON but for float32, all numbers of packed columns."""
    mine, exact = plain(read(buckets)), plain(buckets.as_json(3))
    compact = plain(unpacked(packed(buckets, 3), list(buckets.names)))
    is_wide = exact["first"] != exact["last"]
    for name in ("generation", "first", "last", "samples_seen"):
        assert mine[name] == exact[name] == compact[name]
    np.testing.assert_allclose(mine["seconds"], exact["seconds"], rtol=2**-24)
    for name, statistics in exact["series"].items():
        given = mine["series"].pop(name, None)
        assert (given is None) == all(value is None for value in statistics["last"])
        if given is None:
            continue
        for statistic in STATISTICS:
            assert given[statistic] == compact["series"][name][statistic]
            one, other = (np.array(each[statistic], np.float64) for each in (given, statistics))
            np.testing.assert_allclose(one, other, rtol=2**-24 if name.startswith(("grad_", "ratio/")) else 0)
        assert given.get("count") == (statistics.get("count") if is_wide else None)
    assert not mine["series"], "series that nobody requested"


@pytest.mark.parametrize("at_most", [40, 9, 1])
@pytest.mark.parametrize("first", [0, 2**32 - 20])
def test_the_numbers_are_those_of_the_other_encodings(at_most: int, first: int) -> None:
    assert_same_numbers(coarsen(steps(40, first), at_most))


NUMBERS = st.one_of(
    st.floats(width=64, allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1e39, -1e39, 1e-40, 3.4028235e38, 1.17549435e-38, 0.1]),
)


@given(st.data(), st.integers(1, 24), st.integers(1, 24), st.integers(0, 2**33))
def test_any_numbers_are_those_of_the_other_encodings(
    data: st.DataObject, n: int, at_most: int, first: int
) -> None:
    rows = {name: data.draw(st.lists(NUMBERS, min_size=n, max_size=n)) for name in NAMES}
    assert_same_numbers(coarsen(steps(n, first, rows=rows), at_most))


@given(st.integers(0, 9), st.integers(1, 9), st.sets(st.sampled_from(NAMES)), st.sampled_from([0, 2**32]))
def test_each_column_is_aligned_and_none_overlaps_another(
    n: int, at_most: int, missing: set[str], first: int
) -> None:
    buckets = coarsen(steps(n, first, rows={name: [np.nan] * n for name in missing}), at_most)
    text, data = binary(buckets, 3, start=16)
    places = described(text)
    for each in places:
        assert each["at"] % int(each["dtype"][1]) == 0
        assert each["n"] == len(buckets)
    ends = [each["at"] + each["n"] * int(each["dtype"][1]) for each in places]
    for (one, other), end in zip(pairwise(places), ends, strict=False):
        assert one == other or end <= other["at"]
    assert places[0]["at"] == 16
    assert max(ends) <= 16 + len(data) < max(ends) + 8, "no bytes beside the columns"


@pytest.mark.parametrize("length", range(9))
def test_columns_start_at_a_multiple_of_8_whatever_the_length_of_the_text(length: int) -> None:
    text = '"' + "é" + "x" * length + '"'
    message = opening(text) + b"columns"
    assert (len(message) - len(b"columns")) % 8 == 0
    assert read_binary(message) == json.loads(text)


def test_equal_columns_of_single_steps_are_the_same_bytes() -> None:
    columns = json.loads(binary(steps(6), 0)[0])
    assert columns["first"] == columns["last"]
    for statistics in columns["series"].values():
        assert list(statistics) == list(STATISTICS)
        assert len({each["at"] for each in statistics.values()}) == 1
    wide = json.loads(binary(coarsen(steps(6), 3), 0)[0])
    assert len({each["at"] for each in wide["series"]["batch_loss"].values()}) == 4


def test_brief_columns_of_single_steps_list_only_the_last_value() -> None:
    whole, brief = (
        json.loads(binary(steps(6), 0, is_brief=is_brief)[0])["series"] for is_brief in (False, True)
    )
    assert brief == {name: {"last": statistics["last"]} for name, statistics in whole.items()}
    wide = coarsen(steps(6), 3)
    assert binary(wide, 0, is_brief=True) == binary(wide, 0)


def test_the_dtypes_are_the_smallest_that_keep_the_numbers() -> None:
    def dtypes(buckets: Buckets) -> list[str]:
        columns = json.loads(binary(buckets, 0)[0])
        series = (columns["series"][name]["mean"] for name in ("batch_loss", "grad_l1/W1"))
        return [each["dtype"] for each in (columns["first"], columns["seconds"], *series)]

    assert dtypes(steps(6)) == ["u4", "f4", "f8", "f4"]
    assert dtypes(steps(6, first=2**32 // 900)) == ["f8", "f4", "f8", "f4"]
    assert dtypes(steps(6, times=1e-40)) == ["u4", "f8", "f8", "f4"]
    assert dtypes(steps(6, rows={"grad_l1/W1": [1, 2, 1e-40, 0, 1, 1]})) == ["u4", "f4", "f8", "f8"]
    assert dtypes(steps(6, rows={"grad_l1/W1": [1, 2, 0, np.nan, 1, 1]})) == ["u4", "f4", "f8", "f4"]


def test_series_are_those_of_the_request_and_no_buckets_are_empty_columns() -> None:
    assert list(read(steps(6), ("ratio/W1", "batch_loss"))["series"]) == ["ratio/W1", "batch_loss"]
    empty = read(Buckets.empty(NAMES))
    assert empty["series"] == {}
    assert [len(empty[name]) for name in OWN] == [0, 0, 0, 0]
