import numpy as np
import pytest

from fallline.history.run_history import MOST_STEPS, PIECE, Unpublished
from support.measurements import assert_summarises, measured, slices_of


@pytest.mark.parametrize("count", [1, 100, MOST_STEPS, MOST_STEPS + 1, 9_000])
@pytest.mark.parametrize("at_most", [1, 40, PIECE])
def test_what_waits_is_taken_once_in_few_buckets(count: int, at_most: int) -> None:
    records = measured(count)
    waiting = Unpublished()
    assert waiting.take() is None
    for part in slices_of(records, seed=5, longest=700):
        waiting.add(part)
    assert not waiting.is_empty
    buckets = waiting.take(at_most)
    assert buckets is not None
    assert len(buckets) <= at_most
    assert (buckets.first[0], buckets.last[-1]) == (0, count - 1)
    assert_summarises(buckets, records)
    assert waiting.take() is None
    assert waiting.nbytes == 0


def test_few_steps_are_taken_one_by_one() -> None:
    records = measured(PIECE)
    waiting = Unpublished()
    for part in slices_of(records, seed=5, longest=30):
        waiting.add(part)
    buckets = waiting.take()
    assert buckets is not None
    np.testing.assert_array_equal(buckets.final, records.values)


def test_it_stays_small_while_nobody_takes_it() -> None:
    records = measured(20_000)
    waiting, most = Unpublished(), 0
    for part in slices_of(records, seed=5, longest=700):
        waiting.add(part)
        most = max(most, waiting.nbytes)
    assert most <= (MOST_STEPS + 5 * PIECE) * 8 * (len(records.names) + 2)


def test_records_follow_those_before() -> None:
    records = measured(30)
    waiting = Unpublished()
    waiting.add(records.part(0, 10))
    with pytest.raises(ValueError, match="record 10 must come next, not 20"):
        waiting.add(records.part(20, 30))
