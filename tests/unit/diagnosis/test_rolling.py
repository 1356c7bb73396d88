"""Short forms of NumPy's functions have its numbers to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.lib.stride_tricks import sliding_window_view

from fallline.diagnosis.rolling import mean, median, rolling
from fallline.vocabulary.columns import Floats

NUMBERS = st.floats(-1e300, 1e300) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0])
SERIES = arrays(np.float64, st.integers(1, 240), elements=NUMBERS)


@given(SERIES)
def test_means_and_medians_are_numpys(values: Floats) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(mean(values), values.mean())
        np.testing.assert_array_equal(median(values), np.median(values))


@given(SERIES, st.data())
def test_windows_are_numpys_and_so_are_their_means_and_medians(values: Floats, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, len(values)))
    ours, theirs = rolling(values, width), sliding_window_view(values, width)
    np.testing.assert_array_equal(ours, theirs)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(mean(ours), theirs.mean(axis=1))
        np.testing.assert_array_equal(median(ours), np.median(theirs, axis=1))


def test_windows_of_a_row_of_a_table_are_a_view() -> None:
    table = np.arange(60.0).reshape(3, 20)
    windows = rolling(table[1, 5:], 4)
    np.testing.assert_array_equal(windows, sliding_window_view(table[1, 5:], 4))
    assert np.shares_memory(windows, table)
