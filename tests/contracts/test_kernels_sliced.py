"""The compiled kernel's numbers do not depend on slices, to the bit.

The look-ahead of a slice saves the next one work, and must equal that slice's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from fallline.engine.kernels import compiled
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.probes import evaluate
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Order
from support.aliases import Json
from support.problems import classes_problem, edit, joined, same_bits, series, small_problem

STEPS = 1100
"""More steps than are all evaluated, so that passes end between evaluations."""


@cache
def problem_of(name: str) -> Problem:
    if name == "narrow":
        return small_problem((4, "relu"), (4, "relu"), samples=900, features=5)
    if name == "classes":
        return classes_problem("softmax_cross_entropy", 4, (5, "tanh"), samples=80, test_fraction=0.25)
    return small_problem((40, "tanh"), (24, "relu"), samples=80, test_fraction=0.25)


def sliced(problem: Problem, run: RunRecipe, length: int) -> tuple[TrainingState, Records]:
    """Make all steps, `length` at a time."""
    state, steps = begin(problem), range(0, STEPS, length)
    pieces = [advance(problem, state, run, min(length, STEPS - step), COMPILED) for step in steps]
    return state, joined(pieces)


FEW = [("narrow", 1), ("narrow", 32), ("narrow", None), ("wide", 7), ("wide", None), ("classes", 45)]
MANY = [(name, size) for name in ("narrow", "wide", "classes") for size in (1, 7, 32, 45, None)]
MORE = [pytest.param(*each, marks=pytest.mark.long) for each in MANY if each not in FEW]


@pytest.mark.parametrize(("name", "batch_size"), [*FEW, *MORE])
def test_numbers_do_not_depend_on_how_steps_are_cut(name: str, batch_size: int | None) -> None:
    problem = problem_of(name)
    run = RunRecipe(name="r", batch_size=batch_size, learning_rate=1e-3, optimizer="adam")
    whole, expected = sliced(problem, run, STEPS)
    for length in (1, 7, 1000):
        state, records = sliced(problem, run, length)
        assert state.fingerprint() == whole.fingerprint(), length
        assert same_bits(records.values, expected.values), length


@pytest.mark.parametrize("kernel", [COMPILED, NUMPY], ids=["compiled", "numpy"])
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_a_path_has_the_parameters_that_each_step_begins_with(batch_size: int | None, kernel: Kernel) -> None:
    problem = problem_of("narrow")
    changes = [edit(70, optimizer="adam"), edit(80, redraw={"layers": [1], "weights": "he_normal"})]
    run = RunRecipe(name="r", batch_size=batch_size, learning_rate=1e-3, edits=changes)
    state, one_by_one = begin(problem), begin(problem)
    path = np.full((100, problem.layout.count), np.nan)
    advance(problem, state, run, 100, kernel, path)
    for step in range(100):
        assert same_bits(path[step], one_by_one.parameters), step
        advance(problem, one_by_one, run, 1, kernel)
    assert state.fingerprint() == one_by_one.fingerprint()


@pytest.mark.parametrize("kernel", [COMPILED, NUMPY], ids=["compiled", "numpy"])
def test_the_path_of_a_run_that_diverges_has_its_steps(kernel: Kernel) -> None:
    problem = small_problem((4, "leaky_relu"), (3, "leaky_relu"))
    run, state, again = RunRecipe(name="r", learning_rate=1.0), begin(problem), begin(problem)
    path = np.full((300, problem.layout.count), np.nan)
    made = len(advance(problem, state, run, 300, kernel, path))
    assert 0 < made < 300
    for step in range(made):
        assert same_bits(path[step], again.parameters), step
        advance(problem, again, run, 1, kernel)


@pytest.mark.parametrize("units", [4, 4_096])
def test_what_is_kept_of_many_settings_is_bounded(units: int) -> None:
    """A person may edit for ever: each edit makes settings of its own, with numbers for each parameter."""
    problem, prepared = small_problem((units, "relu")), []
    for number in range(3 * compiled.MOST_DESCENTS):
        run = RunRecipe(name="r", learning_rate=1e-3 / (1 + number), layer_rates=[1.0, 0.5])
        advance(problem, begin(problem), run, 1, COMPILED)
        prepared.append(len(compiled._prepared(problem).descents))
    assert max(prepared) == (compiled.MOST_DESCENTS if units == 4 else 0)


@pytest.mark.parametrize("order", ["shuffle", "replacement"])
@pytest.mark.parametrize("batch_size", [32, 45])
@pytest.mark.parametrize("name", ["wide", "classes"])
def test_a_pass_ends_with_the_loss_and_the_score_over_all_samples(
    name: str, batch_size: int, order: Order
) -> None:
    """Covers every pass: the next batch belongs to it, and its remaining samples are evaluated.

    With replacement a pass lacks samples, so all of them are evaluated.
    """
    problem = problem_of(name)
    run = RunRecipe(name="r", batch_size=batch_size, learning_rate=1e-3, order=order)
    _, records = sliced(problem, run, STEPS)
    state = begin(problem)
    for step in (0, 2, 200, 1024, 1026):
        advance(problem, state, run, step - state.step, COMPILED)
        for name, expected in evaluate(problem, state.parameters).items():
            assert series(records, name)[step] == pytest.approx(expected, rel=1e-12)


MOVED: dict[str, Callable[[TrainingState], object]] = {
    "other parameters": lambda state: np.multiply(state.parameters, 1.5, out=state.parameters),
    "another place in the pass": lambda state: setattr(state, "samples_seen", state.samples_seen + 7),
    "a step that is evaluated": lambda state: setattr(state, "step", state.step + 1),
}
ASKED: dict[str, Json] = {
    "another batch size": {"batch_size": 8},
    "another order": {"order": "sequential"},
    "drawn batches": {"order": "replacement"},
    "other batches": {"seed": 5},
    "all samples": {"batch_size": None},
}


@pytest.mark.parametrize("change", [*MOVED, *ASKED, "another problem"])
def test_the_look_ahead_is_used_only_for_the_same_step_and_settings(change: str) -> None:
    problem = problem_of("wide")
    run = RunRecipe(name="r", batch_size=7, learning_rate=0.01)
    state = begin(problem)
    state.step = 1495
    advance(problem, state, run, 10, COMPILED)
    if change in MOVED:
        MOVED[change](state)
    if change == "another problem":
        problem = small_problem((40, "tanh"), (24, "relu"), samples=80, test_fraction=0.25, seed=2)
    later, unseen = run.model_copy(update=ASKED.get(change, {})), state.copy()
    assert state.ahead is not None
    assert unseen.ahead is None
    expected, actual = (advance(problem, each, later, 3, COMPILED) for each in (unseen, state))
    assert same_bits(actual.values, expected.values)
    assert state.fingerprint() == unseen.fingerprint()


def test_the_look_ahead_of_an_undone_step_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of one step looks ahead, finds that the step diverges, and stays where another call looked ahead from."""
    problem = small_problem((4, "leaky_relu"), (3, "leaky_relu"))
    run, state = RunRecipe(name="r", batch_size=7, learning_rate=1.0), begin(problem)
    advance(problem, state, run, STEPS, COMPILED)
    last = state.diverged_at
    assert last
    monkeypatch.setattr(compiled, "SAMPLES_AHEAD", 1)
    monkeypatch.setattr(compiled, "FEWEST_STEPS", last)
    stopped = begin(problem)
    advance(problem, stopped, run, last + 1, COMPILED)
    assert (stopped.step, stopped.diverged_at) == (last, last)
    cured = run.model_copy(update={"edits": [edit(last, clip_norm=1e-3)]})
    unseen = stopped.copy()
    expected, actual = (advance(problem, each, cured, 1, COMPILED) for each in (unseen, stopped))
    assert same_bits(actual.values, expected.values)
    assert stopped.fingerprint() == unseen.fingerprint()
