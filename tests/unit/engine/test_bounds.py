"""Allocations of a slice: buffers once, little for the largest network, constant in the steps."""

import tracemalloc

import pytest

from fallline.engine.kernels.numpy_kernels import ROWS, Tape
from fallline.engine.problem import Problem, build_problem, layout_of
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import DataSettings, RunRecipe
from support.problems import default_problem, network

LARGEST = (5, 310, 310, 1)
"""98,581 parameters: the maximum of a recipe."""


def peak(problem: Problem, run: RunRecipe, steps: int) -> int:
    """Peak memory of a slice in bytes, without its records."""
    state = begin(problem)
    advance(problem, state, run, 1)
    state.step = 1_000_000
    tracemalloc.start()
    records = advance(problem, state, run, steps)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most - records.values.nbytes


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_recording_the_largest_network_takes_megabytes(optimizer: str) -> None:
    layers = network((LARGEST[1], "tanh"), (LARGEST[2], "tanh"), weights="xavier")
    problem = build_problem(DataSettings(samples=200), layers, "mse")
    run = RunRecipe(name="r", optimizer=optimizer, learning_rate=1e-4, batch_size=32)
    assert problem.layout.count == layout_of(LARGEST).count
    assert peak(problem, run, 3) < 25e6


def test_more_steps_need_no_more_memory() -> None:
    problem, run = default_problem(), RunRecipe(name="gd")
    assert peak(problem, run, 640) < 1.1 * peak(problem, run, 64)


@pytest.mark.parametrize(("sizes", "rows"), [((5, 4, 4, 1), ROWS), ((2, 64, 64, 1), 14), (LARGEST, 1)])
def test_the_tape_holds_fewer_rows_of_larger_networks(sizes: tuple[int, ...], rows: int) -> None:
    assert Tape(layout_of(sizes)).capacity == rows


def test_the_tape_is_no_longer_than_its_slice() -> None:
    assert Tape(layout_of((5, 4, 4, 1)), 3).capacity == 3
