"""Answers as JSON text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.web.answers import piecewise, text_of

PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_piece_by_piece_says_the_same(value: Any) -> None:
    assert piecewise(value) == text_of(value)
    assert json.loads(text_of(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [1.0, float("nan")]}])
def test_nan_never_leaves(value: Any) -> None:
    for encode in (text_of, piecewise):
        with pytest.raises(ValueError):
            encode(value)
