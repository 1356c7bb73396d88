"""Values to look at take half of the bytes, unless they are too large for that."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from fallline.vocabulary.encoding import drawn_column


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0.1, -2.5, 3e38], "f4"),
        ([0.1, -1e39], "f8"),
        ([np.nan, np.inf, 1.0], "f4"),
        ([], "f4"),
    ],
)
def test_a_drawn_column_keeps_every_value_that_can_be_drawn(values: list[float], dtype: str) -> None:
    packed = drawn_column(np.array(values))
    assert packed["dtype"] == dtype
    numbers = np.frombuffer(base64.b64decode(packed["bdata"]), f"<{dtype}")
    np.testing.assert_allclose(numbers, values, rtol=1e-6)
