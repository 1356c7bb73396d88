"""A gradient that is kept for the next slice: only the same problem, parameters and key recall it."""

from __future__ import annotations

import numpy as np

from fallline.engine.state import begin
from support.problems import small_problem


def test_a_kept_gradient_is_recalled_where_nothing_has_changed() -> None:
    problem, another = small_problem(), small_problem()
    state, values = begin(problem), np.arange(3.0)
    assert state.recall_ahead(problem, ("key",)) is None
    state.keep_ahead(problem, ("key",), values)
    values[:] = -1.0  # the kernel computes the next ones in this array
    recalled = state.recall_ahead(problem, ("key",))
    assert recalled is not None
    assert recalled.tolist() == [0.0, 1.0, 2.0]
    assert state.recall_ahead(problem, ("another key",)) is None
    assert state.recall_ahead(another, ("key",)) is None
    state.parameters[0] += 1.0
    assert state.recall_ahead(problem, ("key",)) is None


def test_a_checkpoint_has_no_kept_gradient() -> None:
    problem = small_problem()
    state = begin(problem)
    state.keep_ahead(problem, (), np.zeros(1))
    assert state.copy().recall_ahead(problem, ()) is None


def test_a_copy_for_the_next_step_shares_the_kept_gradient_and_no_other_array() -> None:
    problem = small_problem()
    state = begin(problem)
    state.slots["momentum"] = np.ones(2)
    state.keep_ahead(problem, (), np.arange(2.0))
    copy = state.copy_with_ahead()
    recalled = copy.recall_ahead(problem, ())
    assert recalled is not None
    assert recalled.tolist() == [0.0, 1.0]
    copy.parameters[:] = 7.0
    copy.slots["momentum"][:] = 7.0
    assert copy.recall_ahead(problem, ()) is None
    assert state.recall_ahead(problem, ()) is not None
    assert state.slots["momentum"].tolist() == [1.0, 1.0]
