"""The change as a line: units, and steps away from the parabola's lowest point."""

from __future__ import annotations

import pytest

from fallline.engine.problem import build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.instruments.line import alpha
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, RunRecipe

LINEAR = build_problem(
    DataSettings(name="linear", samples=60, features=3, noise=0.3, seed=1),
    NetworkSettings(layers=[], seed=2),
    "mse",
)


@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_slopes_and_parabola_are_in_units_of_the_change(rate: float) -> None:
    """The loss of a linear regression is a parabola, so the fit is exact."""
    measured = alpha(LINEAR, begin(LINEAR), RunRecipe(learning_rate=rate))["train"]
    w0, w1, w2 = measured["parabola"]
    assert measured["losses"] == pytest.approx([w0, w0 + w1 + w2], rel=1e-10)
    assert measured["slopes"] == pytest.approx([w1, w1 + 2 * w2], rel=1e-8)
    assert measured["lowest"] == pytest.approx(1 / (measured["alpha"] + 1), rel=1e-10)


def test_below_minus_1_the_lowest_point_lies_behind() -> None:
    """With momentum a step may follow earlier samples, away from the lowest point of its own."""
    run = RunRecipe(optimizer="momentum", momentum=0.9, learning_rate=0.05, batch_size=1)
    state, below = begin(LINEAR), 0
    for _ in range(40):
        measured = alpha(LINEAR, state, run)["batch"]
        start, _ = measured["slopes"]
        assert (measured["alpha"] < -1.0) == (measured["lowest"] < 0.0) == (start > 0.0)
        below += measured["alpha"] < -1.0
        advance(LINEAR, state, run, 1)
    assert 0 < below < 40
