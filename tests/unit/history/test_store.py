"""Any slices, copies and restores give the buckets that merging single steps gives, to the bit."""

from copy import deepcopy

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fallline.history.run_history import RunHistory
from fallline.vocabulary.columns import Buckets, Records, from_records, widen
from support.measurements import assert_same

NAMES = (
    "batch_loss",
    "grad_l1/W1",
    "grad_mean/W1",
    "large",
    "late",
    "evaluated",
    "rare",
    "none",
    "infinite",
    "zero",
)
SIZES = {"W1": 16}  # a power of two, so that quotients of means are exact
STEPS = 20_000


def recorded(seed: int) -> Records:
    random = np.random.default_rng(seed)
    change, steps = random.integers(0, STEPS, 3)[:, np.newaxis], np.arange(STEPS)
    values = random.standard_normal((len(NAMES), STEPS)) * 10.0 ** random.integers(-8, 8, (len(NAMES), STEPS))
    values[0, random.integers(0, STEPS, 3)] = np.nan
    values[2] = values[1] / SIZES["W1"]
    values[3] = np.where(steps > change[0], 1.5, np.clip(values[3], -1.7, 1.7) * 1e308)
    values[4] = np.where(steps < change[1], 2.0, values[4])
    values[5, (steps > 1_024) & (random.random(STEPS) < 0.98)] = np.nan
    values[6, random.random(STEPS) < 0.9999] = np.nan
    values[7] = np.nan
    values[8, random.random(STEPS) < 0.3] = np.inf
    values[9] = np.where(steps < change[2], 0.0, -0.0)
    return Records(0, np.cumsum(random.integers(1, 9, STEPS)), np.cumsum(random.random(STEPS)), NAMES, values)


RECORDS = [recorded(seed) for seed in range(4)]


def expect_merged_steps(buckets: Buckets, records: Records) -> None:
    """Compare each whole bucket with the merge of its halves, of their halves, and so on."""
    for at, (first, last) in enumerate(zip(buckets.first.tolist(), buckets.last.tolist(), strict=True)):
        whole = widen(from_records(records.part(first, last + 1)), 1 << (last - first).bit_length())
        if len(whole) == 1:
            assert_same(buckets.part(slice(at, at + 1)), whole)


@given(
    st.sampled_from(RECORDS),
    st.lists(
        st.integers(1, 40) | st.sampled_from([15, 16, 17, 512, 1024]) | st.integers(1, 5_000), max_size=12
    ),
    st.lists(st.sampled_from(["", "copied", "restored"]), min_size=12, max_size=12),
    st.data(),
)
def test_any_history_is_that_of_merged_steps(
    records: Records, slices: list[int], events: list[str], data: st.DataObject
) -> None:
    history = RunHistory(NAMES, SIZES)
    for length, event in zip(slices, events, strict=False):
        history.append(records.part(history.count, history.count + length))
        if event == "copied":
            original, history = history, deepcopy(history)
            original.append(records.part(history.count, history.count + 100))
        if event == "restored":
            about, parts = history.about(), [(part.about, part.arrays()) for part in history.parts()]
            history = RunHistory(NAMES, SIZES)
            history.restore(*about, parts)
    first = data.draw(st.integers(0, history.count))
    for at_most in (3, 60, 3_000):
        buckets = history.range(first, history.count - 1, at_most)
        assert len(buckets) <= at_most
        expect_merged_steps(buckets.part(slice(0, None, max(len(buckets) // 60, 1))), records)
