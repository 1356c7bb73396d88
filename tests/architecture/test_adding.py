"""Tests of `support.adding`, which watches every other test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def added(values: Any, module: str) -> Any:
    """Return the built-in sum of the values, called from a module of that name."""
    names = {"__name__": module, "values": values}
    exec("total = sum(value for value in values)", names)
    return names["total"]


@pytest.mark.parametrize(
    "values", [[0.1] * 10, [1, 0.5], list(np.full(3, 0.1))], ids=["floats", "mixed", "NumPy"]
)
def test_floats_that_the_program_adds_with_the_built_in_sum_fail_the_test(values: list[float]) -> None:
    with pytest.raises(AssertionError, match=r"fallline.planted adds floats with the built-in sum"):
        added(values, "fallline.planted")


def test_others_may_add_floats_with_it() -> None:
    assert added([0.5, 0.25], "fallline_of_others") == 0.75


def test_the_program_may_add_whole_numbers_and_arrays_with_it() -> None:
    assert added([1, 2, 3], "fallline.planted") == 6
    assert added([np.ones(2), np.ones(2)], "fallline.planted").tolist() == [2.0, 2.0]
