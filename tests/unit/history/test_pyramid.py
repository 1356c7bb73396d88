from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.history.pyramid import STEPS, Pyramid, most_bytes
from fallline.history.run_history import RunHistory
from fallline.vocabulary.columns import from_records
from support.measurements import NAMES, assert_same, assert_summarises, is_dyadic, measured, slices_of
from support.spies import noting

RECORDS = measured(150_000)
LENGTHS = [1, 2, 15, 16, 17, 1023, 1024, 1025, 2047, 2048, 2049, 5000, 16_384, 16_400, 65_537, 149_999]


def remembered(steps: int, longest: int = 50_000, seed: int = 0) -> RunHistory:
    pyramid = RunHistory(NAMES)
    for part in slices_of(RECORDS.part(0, steps), seed, longest):
        pyramid.append(part)
    return pyramid


@pytest.fixture(scope="module")
def long_past() -> RunHistory:
    return remembered(150_000)


@contextmanager
def counted_reads() -> Iterator[list[int]]:
    """Return a growing list of the numbers of buckets that are read from rings."""
    reads: list[int] = []

    def note(_: object, spans: list[tuple[object, int, int]], __: object) -> None:
        reads.extend(stop - start for _, start, stop in spans)

    def note_one(pyramid: object, ring: object, start: int, stop: int, *rows: object) -> None:
        note(pyramid, [(ring, start, stop)], rows)

    with (
        patch.object(Pyramid, "_gathered", noting(note, Pyramid._gathered)),
        patch.object(Pyramid, "_columns", noting(note_one, Pyramid._columns)),
    ):
        yield reads


# ---------------------------------------------------------------------- exactness


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("at_most", [1, 7, 100, 1000, 10_000])
def test_a_run_of_any_length_is_read_exactly(steps: int, at_most: int) -> None:
    buckets = remembered(steps).range(0, steps - 1, at_most)
    assert len(buckets) <= at_most
    assert (buckets.first[0], buckets.last[-1]) == (0, steps - 1)
    assert_summarises(buckets, RECORDS)


@given(st.integers(0, 149_999), st.integers(0, 149_999), st.integers(1, 3000))
def test_any_range_is_read_exactly_in_whole_buckets(
    long_past: RunHistory, one: int, other: int, at_most: int
) -> None:
    first, last = sorted((one, other))
    buckets = long_past.range(first, last, at_most)
    assert len(buckets) <= at_most
    assert buckets.first[0] <= first <= buckets.last[0]
    assert buckets.first[-1] <= last <= buckets.last[-1]
    assert is_dyadic(buckets)[:-1].all()
    assert_summarises(buckets, RECORDS)


@given(st.integers(1, 6000), st.integers(0, 99), st.integers(1, 3000), st.integers(1, 200))
def test_results_do_not_depend_on_slices(steps: int, seed: int, longest: int, at_most: int) -> None:
    sliced, whole = remembered(steps, longest, seed), remembered(steps)
    for limit in (at_most, 10_000):
        assert_same(sliced.range(0, steps - 1, limit), whole.range(0, steps - 1, limit))


def test_reads_in_between_change_nothing() -> None:
    watched = RunHistory(NAMES)
    for part in slices_of(RECORDS.part(0, 20_000), seed=5, longest=300):
        watched.append(part)
        watched.range(part.first, part.stop - 1, 10)
    assert_same(watched.range(0, 19_999, 10_000), remembered(20_000).range(0, 19_999, 10_000))


def test_results_do_not_change_with_later_steps() -> None:
    pyramid = remembered(4000)
    buckets = pyramid.range(0, 3999, 10_000)
    for part in slices_of(RECORDS.part(4000, 9000), seed=1, longest=900):
        pyramid.append(part)
    assert_summarises(buckets, RECORDS)


def test_a_spike_anywhere_shows_at_every_resolution() -> None:
    calm = measured(70_000, names=("batch_loss",))
    for place in (0, 1023, 1024, 40_001, 69_999):
        values = np.zeros_like(calm.values)
        values[0, place] = 1e300
        pyramid = RunHistory(("batch_loss",))
        pyramid.append(type(calm)(0, calm.samples_seen, calm.seconds, calm.names, values))
        for at_most in (1, 30, 1000, 10_000):
            buckets = pyramid.range(0, 69_999, at_most)
            spiky = buckets.maximum[0] == 1e300
            assert spiky.sum() == 1
            assert buckets.first[spiky] <= place <= buckets.last[spiky]


@pytest.mark.parametrize("steps", [1024, 1041, 2048, 2100, 149_999])
@pytest.mark.parametrize("length", [1, 100, 880])
def test_few_of_the_first_or_last_steps_are_read_without_choosing_rings(steps: int, length: int) -> None:
    history = remembered(steps)
    for first in (0, steps - length):
        with patch.object(Pyramid, "range"):
            buckets = history.range(first, first + length - 1, length)
        assert_same(buckets, from_records(RECORDS.part(first, first + length)))


# ---------------------------------------------------------------------- resolution


@pytest.mark.parametrize("steps", LENGTHS)
def test_the_first_and_the_last_1024_steps_are_stored_singly(steps: int) -> None:
    pyramid = remembered(steps)
    ends = (0, min(steps, STEPS) - 1), (max(steps - STEPS, 0), steps - 1)
    first, last = (pyramid.range(*end, 10_000) for end in ends)
    assert (first.first == first.last).all()
    assert len(first) == min(steps, STEPS)
    # The last ones may end at the border of the buckets before them.
    single = last.part(np.flatnonzero(last.first == last.last))
    assert len(single) >= min(steps, STEPS) - steps // 256
    assert_same(single, from_records(RECORDS.part(int(single.first[0]), steps)))


def test_each_step_is_a_bucket_where_they_fit(long_past: RunHistory) -> None:
    assert len(long_past.range(100, 599, 500)) == 500
    assert len(long_past.range(149_500, 149_999, 500)) == 500
    assert len(long_past.range(100, 599, 499)) <= 499


@pytest.mark.parametrize("steps", [3000, 20_000, 149_999])
def test_the_whole_run_has_more_than_512_buckets(steps: int) -> None:
    buckets = remembered(steps).range(0, steps - 1, 10_000)
    assert (buckets.last - buckets.first + 1).max() <= -(-steps // 512) * 2
    assert len(remembered(steps).range(0, steps - 1, 1024)) >= 256


def test_resolution_is_finer_towards_both_ends(long_past: RunHistory) -> None:
    buckets = long_past.range(0, 149_999, 10_000)
    widths = buckets.last - buckets.first + 1
    widest = int(np.argmax(widths))
    assert (np.diff(widths[: widest + 1]) >= 0).all()
    assert (np.diff(widths[np.flatnonzero(widths == widths.max())[-1] :]) <= 0).all()
    # With sixteen of each width, a bucket is narrow beside its distance from the nearer end.
    distance = np.minimum(buckets.first, 150_000 - buckets.last)
    assert (widths <= np.maximum(distance / 7, 1)).all()


def test_the_start_is_exact_where_it_can_be(long_past: RunHistory) -> None:
    assert long_past.range(1001, 149_999, 200).first[0] == 1001
    assert long_past.range(149_501, 149_999, 100).first[0] == 149_501
    assert long_past.range(70_001, 149_999, 200).first[0] <= 70_001


# ---------------------------------------------------------------------- cost


@given(st.integers(0, 149_999), st.integers(0, 149_999), st.integers(1, 1000))
def test_a_range_reads_buckets_in_proportion_to_the_request(
    long_past: RunHistory, one: int, other: int, at_most: int
) -> None:
    first, last = sorted((one, other))
    with counted_reads() as reads:
        long_past.range(first, last, at_most)
    assert sum(reads) <= 8 * at_most + 400
    assert len(reads) <= 100


def test_memory_is_bounded() -> None:
    sizes = [remembered(steps, 150_000).nbytes for steps in (20_000, 40_000, 80_000)]
    growth = np.diff(sizes)
    # Each doubling adds one width at each end, 16 buckets of it, and nothing else.
    assert (growth <= 2 * 16 * (16 + len(NAMES) * 36)).all()


@pytest.mark.parametrize("exponent", [15, 17])
def test_the_memory_that_is_counted_for_it_is_hardly_more_than_it_takes(exponent: int) -> None:
    steps = 1 << exponent
    with patch("fallline.history.pyramid._LONG", steps):
        assert 0.9 * most_bytes(len(NAMES)) <= remembered(steps).nbytes <= most_bytes(len(NAMES))


def test_a_short_run_takes_little() -> None:
    assert remembered(10).nbytes < 64 * (len(NAMES) + 2) * 8 + 1
    assert remembered(500).nbytes < 60_000


# ---------------------------------------------------------------------- refused


def test_records_must_follow_each_other() -> None:
    pyramid = remembered(10)
    with pytest.raises(ValueError, match="record 10 must come next, not 11"):
        pyramid.append(RECORDS.part(11, 12))


def test_a_range_outside_the_past_is_empty() -> None:
    pyramid = remembered(10)
    assert len(pyramid.range(10, 20, 5)) == 0
    assert len(pyramid.range(7, 3, 5)) == 0
    assert len(RunHistory(NAMES).range(0, 0, 5)) == 0
    assert pyramid.range(8, 99, 5).last.tolist() == [8, 9]


def test_at_least_one_bucket_must_be_allowed() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        remembered(10).range(0, 9, 0)


@pytest.mark.parametrize("steps", [0, 1, 700, 1024, 1500, 2048, 9000, 70_001])
def test_a_history_restored_from_its_parts_continues_like_the_original(steps: int) -> None:
    records = measured(steps + 3000)
    original = RunHistory(NAMES)
    for part in slices_of(records.part(0, steps), seed=1, longest=900):
        original.append(part)
    parts = [(part.about, part.arrays()) for part in original.parts()]
    again = RunHistory(NAMES)
    again.restore(*original.about(), reversed(parts))
    for pyramid in (original, again):
        pyramid.append(records.part(steps, steps + 3000))
    assert original.nbytes == again.nbytes
    for at_most in (3, 64, 1000, 10_000):
        for first in (0, steps // 3, steps):
            assert_same(
                original.range(first, steps + 3000, at_most), again.range(first, steps + 3000, at_most)
            )


def test_parts_of_the_same_version_have_the_same_numbers_and_most_do_not_change() -> None:
    records = measured(60_000)
    pyramid = RunHistory(NAMES)
    pyramid.append(records.part(0, 50_000))
    before = {part.name: (part.version, part.arrays()) for part in pyramid.parts()}
    pyramid.append(records.part(50_000, 51_000))
    same = [part for part in pyramid.parts() if before.get(part.name, (None,))[0] == part.version]
    assert len(same) >= len(before) // 2
    for part in same:
        for name, array in part.arrays().items():
            np.testing.assert_array_equal(array, before[part.name][1][name])
