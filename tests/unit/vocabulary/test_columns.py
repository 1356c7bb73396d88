import base64
import csv
import io
import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fallline.vocabulary import columns
from fallline.vocabulary.columns import (
    Buckets,
    Records,
    coarsen,
    from_records,
    join,
    recorded_every_step,
    widen,
)
from support.aliases import Array
from support.measurements import NAMES, assert_same, assert_summarises, is_dyadic, measured, slices_of
from support.spies import noting

numbers = st.floats(-1e300, 1e300) | st.just(math.nan) | st.just(math.inf)
tables = arrays.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 40)), elements=numbers)


def recorded(values: Array, first: int = 0) -> Records:
    steps = values.shape[1]
    names = ("batch_loss", "train_loss", "ratio/W1")[: len(values)]
    return Records(first, np.arange(1, steps + 1), np.arange(steps) / 8, names, values)


def one_series(*values: float, first: int = 0) -> Records:
    return recorded(np.array([values], dtype=np.float64), first)


# ---------------------------------------------------------------------- merging


@given(tables, st.integers(0, 100), st.integers(1, 50))
def test_coarser_buckets_summarise_their_steps_exactly(values: Array, first: int, at_most: int) -> None:
    records = recorded(values, first)
    buckets = coarsen(from_records(records), at_most)
    assert len(buckets) <= at_most
    assert (buckets.first[0], buckets.last[-1]) == (first, records.stop - 1)
    with np.errstate(over="ignore"):
        finite = np.where(np.isfinite(values), values, np.nan)
        records = recorded(finite, first)
        assert_summarises(buckets, records)


@given(tables, st.integers(0, 100), st.integers(1, 50))
def test_the_mean_lies_between_minimum_and_maximum(values: Array, first: int, at_most: int) -> None:
    buckets = coarsen(from_records(recorded(values, first)), at_most)
    finite = buckets.count > 0
    assert (buckets.minimum[finite] <= buckets.mean[finite]).all()
    assert (buckets.mean[finite] <= buckets.maximum[finite]).all()
    assert np.isnan(buckets.mean[~finite]).all()


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 6))
def test_merging_does_not_depend_on_how_the_steps_were_sliced(first: int, seed: int, exponent: int) -> None:
    records, width = measured(700).part(first, 700), 1 << exponent
    pieces = [widen(from_records(part), width) for part in slices_of(records, seed, 90)]
    assert_same(widen(join(*pieces), 64), widen(from_records(records), 64))


@given(st.integers(0, 300), st.integers(0, 9), st.integers(0, 9))
def test_widening_twice_is_widening_once(first: int, one: int, other: int) -> None:
    steps = from_records(measured(1000).part(first, 1000))
    assert_same(widen(widen(steps, 1 << one), 1 << other), widen(steps, 1 << max(one, other)))


@given(st.integers(1, 99), st.integers(1, 99))
def test_joining_is_associative(one: int, other: int) -> None:
    begin, end = sorted((one, other))
    records = measured(100)
    a, b, c = (
        coarsen(from_records(records.part(*ends)), 7) if ends[0] < ends[1] else Buckets.empty(NAMES)
        for ends in ((0, begin), (begin, end), (end, 100))
    )
    assert_same(join(join(a, b), c), join(a, join(b, c)))
    assert_same(join(join(a, b), c), join(a, b, c))


@given(st.integers(0, 4000), st.integers(1, 3000), st.integers(24, 200))
def test_buckets_are_whole_and_aligned_where_the_number_allows(first: int, steps: int, at_most: int) -> None:
    buckets = coarsen(from_records(one_series(*range(steps), first=first)), at_most)
    assert is_dyadic(buckets).all()


def test_buckets_are_as_fine_as_the_number_allows() -> None:
    steps = from_records(one_series(*range(1000)))
    assert len(coarsen(steps, 500)) == 500
    assert len(coarsen(steps, 499)) == 250
    assert len(coarsen(steps, 1000)) == 1000


def test_a_ragged_end_stays_in_smaller_buckets() -> None:
    buckets = coarsen(from_records(one_series(*range(11), first=3)), 5)
    assert buckets.first.tolist() == [3, 4, 8, 12]
    assert buckets.last.tolist() == [3, 7, 11, 13]


def test_only_the_newest_bucket_is_cut_short_where_whole_ones_are_too_many() -> None:
    buckets = coarsen(from_records(one_series(*range(1023))), 3)
    assert buckets.first.tolist() == [0, 512]
    assert buckets.last.tolist() == [511, 1022]


def test_both_ends_are_cut_short_before_everything_becomes_one_bucket() -> None:
    buckets = coarsen(from_records(one_series(*range(100), first=5)), 4)
    assert buckets.first.tolist() == [5, 32, 64, 96]
    assert buckets.last.tolist() == [31, 63, 95, 104]


def test_one_bucket_can_always_hold_everything() -> None:
    buckets = coarsen(from_records(one_series(1.0, math.nan, 4.0, first=3)), 1)
    assert (buckets.first.tolist(), buckets.last.tolist()) == ([3], [5])
    assert buckets.mean.tolist() == [[2.5]]
    assert buckets.count.tolist() == [[2]]


def test_buckets_cut_short_grow_whole_again_with_what_follows() -> None:
    records = measured(64)
    cut = join(coarsen(from_records(records.part(0, 23)), 1), coarsen(from_records(records.part(23, 64)), 1))
    assert_summarises(coarsen(cut, 1), records)


def test_a_spike_is_never_lost() -> None:
    values = np.zeros((1, 100_000))
    values[0, 77_777] = 1e9
    buckets = coarsen(from_records(recorded(values)), 10)
    assert buckets.maximum.max() == 1e9
    assert buckets.first[buckets.maximum[0] == 1e9] <= 77_777 <= buckets.last[buckets.maximum[0] == 1e9]


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1.7e308, 5e-324, -0.7])
def test_the_mean_of_equal_values_is_that_value(value: float) -> None:
    steps = from_records(one_series(value, value, math.nan, value, value, value, value))
    assert coarsen(steps, 1).mean.tolist() == [[value]]


def test_the_mean_of_equal_means_is_that_mean() -> None:
    mean = 0.21254401110279142  # a third of it and two thirds of it do not make it up
    assert coarsen(from_records(one_series(0.0, 2 * mean, mean, math.nan)), 1).mean.tolist() == [[mean]]


def test_rounding_does_not_move_the_mean_below_the_minimum() -> None:
    largest = math.nextafter(2.0, 0.0)
    smallest = math.nextafter(largest, 0.0)
    buckets = coarsen(from_records(one_series(*[smallest] * 8, largest, *[math.nan] * 7)), 1)
    assert buckets.mean.tolist() == [[smallest]]


def test_the_largest_numbers_do_not_overflow() -> None:
    largest = float(np.finfo(np.float64).max)
    assert coarsen(from_records(one_series(largest, -largest)), 1).mean.tolist() == [[0.0]]
    buckets = coarsen(from_records(one_series(largest, -largest, largest, math.nan)), 1)
    assert buckets.mean[0, 0] == pytest.approx(largest / 3)


def test_a_value_that_is_not_finite_counts_as_missing() -> None:
    buckets = coarsen(from_records(one_series(math.inf, 2.0, -math.inf, math.nan)), 1)
    assert (buckets.minimum[0, 0], buckets.maximum[0, 0], buckets.final[0, 0], buckets.count[0, 0]) == (
        2,
        2,
        2,
        1,
    )


def test_a_merged_piece_does_not_keep_the_steps_in_memory() -> None:
    buckets = coarsen(from_records(measured(4096)), 16)
    for column in (
        buckets.first,
        buckets.last,
        buckets.samples_seen,
        buckets.seconds,
        buckets.final,
        buckets.mean,
    ):
        owner = column if column.base is None else column.base
        assert owner.size <= len(NAMES) * 16


def test_merging_does_not_change_its_input() -> None:
    steps = from_records(measured(100))
    before = [column.copy() for column in (steps.first, steps.final, steps.mean, steps.count)]
    coarsen(coarsen(steps, 40), 3)
    for column, was in zip((steps.first, steps.final, steps.mean, steps.count), before, strict=True):
        np.testing.assert_array_equal(column, was)


def test_pieces_with_a_gap_between_them_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="step 2 must come next, not 3"):
        join(from_records(one_series(1, 2)), from_records(one_series(1, first=3)))


def test_pieces_of_different_series_cannot_be_joined() -> None:
    two = from_records(recorded(np.zeros((2, 1)), first=1))
    with pytest.raises(ValueError, match="different series"):
        join(from_records(one_series(1)), two)


def test_zero_buckets_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        coarsen(from_records(one_series(1, 2)), 0)


def test_empty_buckets_stay_empty() -> None:
    nothing = Buckets.empty(NAMES)
    assert len(coarsen(nothing, 1)) == 0
    assert nothing.as_json(0)["series"]["batch_loss"]["mean"] == []
    assert nothing.as_bdata(0)["first"] == {"dtype": "i4", "bdata": ""}


# ---------------------------------------------------------------------- records


def test_records_accept_their_seconds_later() -> None:
    timed = one_series(1, 2).with_seconds(np.array([0.5, 1.0]))
    assert timed.seconds.tolist() == [0.5, 1.0]
    assert coarsen(from_records(timed), 1).seconds.tolist() == [1.0]


def test_a_part_of_records_is_selected_by_record_numbers() -> None:
    records = one_series(5, 6, 7, first=10)
    assert (records.part(11, 99).first, records.part(11, 99).values.tolist()) == (11, [[6, 7]])
    assert (records.part(0, 11).first, records.part(0, 11).values.tolist()) == (10, [[5]])
    assert len(records.part(20, 30)) == 0


# ---------------------------------------------------------------------- forms


def test_json_has_null_where_there_is_no_finite_value() -> None:
    buckets = from_records(recorded(np.array([[1.5, 2.5], [math.nan, 3.0]])))
    columns = buckets.as_json(4)
    assert columns["generation"] == 4
    assert columns["first"] == columns["last"] == [0, 1]
    assert columns["samples_seen"] == [1, 2]
    assert columns["seconds"] == [0.0, 0.125]
    assert columns["series"]["batch_loss"] == {name: [1.5, 2.5] for name in ("min", "max", "mean", "last")}
    assert columns["series"]["train_loss"]["last"] == [None, 3.0]
    assert columns["series"]["train_loss"]["count"] == [0, 1]


@given(tables, st.integers(1, 20))
def test_json_never_holds_nan_or_infinity(values: Array, at_most: int) -> None:
    text = json.dumps(coarsen(from_records(recorded(values)), at_most).as_json(0), allow_nan=False)
    assert set(json.loads(text)) == {"generation", "first", "last", "samples_seen", "seconds", "series"}


def test_only_series_of_some_steps_have_a_count() -> None:
    columns = from_records(measured(5)).as_json(0)
    assert [name for name, series in columns["series"].items() if "count" in series] == ["train_loss"]
    chosen = from_records(measured(5)).as_bdata(0, every_step=frozenset({"train_loss"}))
    assert "count" not in chosen["series"]["train_loss"]
    assert "count" in chosen["series"]["batch_loss"]


def test_evaluated_series_are_recognised_by_their_names() -> None:
    names = ("batch_loss", "grad_l1/W1", "train_loss", "test_r2", "train_accuracy")
    assert recorded_every_step(names) == {"batch_loss", "grad_l1/W1"}


def plotlys(column: Array) -> dict[str, str]:
    packed: dict[str, str] = go.Figure(go.Scatter(y=column)).to_dict()["data"][0]["y"]
    return packed


def test_bdata_equals_what_plotly_writes() -> None:
    buckets = coarsen(from_records(measured(500)), 40)
    columns = buckets.as_bdata(2)
    assert columns["generation"] == 2
    assert columns["encoding"] == "bdata"
    assert columns["first"] == plotlys(buckets.first.astype(np.int32))
    assert columns["seconds"] == plotlys(buckets.seconds)
    for row, name in enumerate(buckets.names):
        series = columns["series"][name]
        assert series["min"] == plotlys(buckets.minimum[row])
        assert series["last"] == plotlys(buckets.final[row])


def test_steps_too_large_for_int32_are_sent_as_float64() -> None:
    first = 2**31 - 2
    columns = from_records(one_series(1, 2, 3, first=first)).as_bdata(0)
    assert columns["first"]["dtype"] == "f8"
    assert np.frombuffer(base64.b64decode(columns["first"]["bdata"]), "<f8").tolist() == [
        first,
        first + 1,
        first + 2,
    ]
    assert columns["samples_seen"]["dtype"] == "i4"


def test_csv_is_a_table_with_an_empty_cell_where_a_value_is_missing() -> None:
    buckets = from_records(recorded(np.array([[1.5, 0.1], [math.nan, 3.0]])))
    header, first, second = list(csv.reader(io.StringIO(buckets.as_csv())))
    assert header[:2] == ["first", "last"]
    assert header[2:6] == ["batch_loss.min", "batch_loss.max", "batch_loss.mean", "batch_loss.last"]
    assert header[-3:] == ["train_loss.count", "samples_seen", "seconds"]
    assert first == ["0", "0", *["1.5"] * 4, "", "", "", "", "0", "1", "0.0"]
    assert second == ["1", "1", *["0.1"] * 4, *["3.0"] * 4, "1", "2", "0.125"]


def test_series_are_selected_in_the_requested_order() -> None:
    buckets = from_records(measured(5)).select(["train_loss", "batch_loss"])
    assert buckets.names == ("train_loss", "batch_loss")
    assert list(buckets.as_json(0)["series"]) == ["train_loss", "batch_loss"]
    np.testing.assert_array_equal(buckets.mean[1], from_records(measured(5)).mean[0])
    with pytest.raises(KeyError):
        buckets.select(["no such series"])


@pytest.mark.parametrize("at_most", [3, 8, 20])
def test_series_are_merged_once_however_many_widths_are_tried(
    at_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs on the event loop, 30 times a second, with such ragged ends."""
    steps = from_records(one_series(*range(2000), first=100_003))
    ragged = join(*(coarsen(steps.part(slice(at, at + 667)), 14) for at in (0, 667, 1334)))
    merges: list[int] = []
    monkeypatch.setattr(
        columns, "_carried_out", noting(lambda plan, _: merges.append(len(plan.lefts)), columns._carried_out)
    )
    buckets = coarsen(ragged, at_most)
    # Each merge makes one bucket of two.
    assert merges == [len(ragged) - len(buckets)]
