import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.vocabulary.columns import ceil, floor, pieces


@pytest.mark.parametrize(("step", "before", "after"), [(0, 0, 0), (7, 0, 8), (8, 8, 8), (9, 8, 16)])
def test_a_step_lies_between_two_multiples(step: int, before: int, after: int) -> None:
    assert (floor(step, 8), ceil(step, 8)) == (before, after)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 9))
def test_the_number_of_pieces_equals_that_of_greedy_cutting(start: int, length: int, exponent: int) -> None:
    stop, count, step = start + length, 0, start
    while step < stop:
        width = 1 << exponent
        while step % width or step + width > stop:
            width //= 2
        step, count = step + width, count + 1
    assert pieces(start, stop, 1 << exponent) == count
