import numpy as np
import pytest

from fallline.history.pyramid import BucketRing, StepRing
from fallline.vocabulary.columns import Buckets, from_records, widen
from support.measurements import NAMES, assert_same, measured, slices_of

RECORDS = measured(300)


def test_a_full_ring_of_steps_drops_its_oldest() -> None:
    ring = StepRing(NAMES, 0, 100)
    for part in slices_of(RECORDS, seed=1, longest=33):
        ring.add(part)
        assert (ring.start, ring.stop) == (max(part.stop - 100, 0), part.stop)
        assert_same(ring.read(ring.start, ring.stop), from_records(RECORDS.part(ring.start, ring.stop)))


def test_a_ring_accepts_more_steps_at_once_than_its_size() -> None:
    ring = StepRing(NAMES, 10, 100)
    ring.add(RECORDS.part(10, 300))
    assert (ring.start, ring.stop) == (200, 300)
    assert_same(ring.read(205, 299), from_records(RECORDS.part(205, 299)))


def test_a_full_ring_of_buckets_drops_its_oldest() -> None:
    buckets = widen(from_records(RECORDS.part(0, 296)), 8)
    ring = BucketRing(buckets.part(slice(0, 3)), 8, 10)
    for start, stop in ((3, 4), (4, 9), (9, 37)):
        ring.add(buckets.part(slice(start, stop)))
        assert (ring.start, ring.stop) == (max(stop - 10, 0), stop)
        assert_same(ring.read(ring.start, stop), buckets.part(slice(ring.start, stop)))


def test_a_ring_of_buckets_begins_with_its_first_bucket() -> None:
    buckets = widen(from_records(RECORDS.part(0, 296)), 8)
    ring = BucketRing(buckets.part(slice(20, 30)), 8, 10)
    assert (ring.start, ring.stop) == (20, 30)
    assert_same(ring.read(20, 30), buckets.part(slice(20, 30)))


def test_a_ring_of_buckets_grows_with_its_content() -> None:
    buckets = widen(from_records(RECORDS.part(0, 296)), 2)
    ring, full = (
        BucketRing(buckets.part(slice(0, 10)), 2, 1024),
        BucketRing(buckets.part(slice(0, 10)), 2, 10),
    )
    for start, stop in ((10, 100), (100, 148)):
        assert ring.nbytes < full.nbytes / 10 * 300, "the arrays have room for less than two blocks more"
        ring.add(buckets.part(slice(start, stop)))
        assert_same(ring.read(0, stop), buckets.part(slice(0, stop)))
    restored = BucketRing(buckets.part(slice(0, 10)), 2, 1024, expected=148)
    before = restored.nbytes
    restored.add(buckets.part(slice(10, 148)))
    assert restored.nbytes == before == ring.nbytes
    assert_same(restored.read(0, 148), ring.read(0, 148))


def test_an_empty_ring_has_no_buckets() -> None:
    ring = BucketRing(Buckets.empty(NAMES), 16, 4)
    assert (ring.start, ring.stop) == (0, 0)
    assert StepRing(NAMES, 5, 4).nbytes == 0


@pytest.mark.parametrize("width", [2, 255, 256, 65_535, 65_536, 2**32])
def test_counts_up_to_the_width_fit(width: int) -> None:
    one = from_records(RECORDS.part(0, 1))
    counted = Buckets(
        one.first, one.last, one.samples_seen, one.seconds, one.names,
        one.minimum, one.maximum, one.mean, one.final, np.full((len(NAMES), 1), width, np.int64),
    )  # fmt: skip
    assert (BucketRing(counted, width, 4).read(0, 1).count == width).all()
