"""An examination of a state has the numbers of the separate measures, from one pass."""

from __future__ import annotations

import math
from dataclasses import astuple
from itertools import chain

import numpy as np
import pytest

from fallline.engine.measures.noise import noise_of
from fallline.engine.measures.probes import Examination, evaluate, examination_of, units
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.network import backward, forward
from fallline.engine.problem import Problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import RunRecipe
from support.aliases import Array
from support.problems import classes_problem, small_problem

RUN = RunRecipe(name="r", learning_rate=0.05, batch_size=7)


def problems() -> dict[str, Problem]:
    """Return networks of every activation, loss, depth and number of outputs."""
    networks = {name: small_problem((5, name), (4, name), test_fraction=0.25) for name in ACTIVATIONS}
    networks["no hidden layer"] = classes_problem("softmax_cross_entropy", 3, test_fraction=0.25)
    networks["mixed"] = small_problem(
        (6, "relu"), (3, "tanh"), (2, "sigmoid"), (3, "relu"), test_fraction=0.2
    )
    networks["no test split"] = small_problem((4, "tanh"))
    networks["one sample"] = small_problem((3, "relu"), (2, "tanh"), samples=1)
    networks["two samples"] = small_problem((3, "relu"), samples=2)
    networks["one unit"] = small_problem((1, "sigmoid"), test_fraction=0.25)
    networks["huber"] = small_problem((4, "gelu"), test_fraction=0.25, loss="huber")
    networks["two classes"] = classes_problem("binary_cross_entropy", 2, (4, "relu"), test_fraction=0.25)
    networks["four classes"] = classes_problem(
        "softmax_cross_entropy", 4, (5, "tanh"), (4, "relu"), test_fraction=0.25
    )
    return networks


PROBLEMS = problems()


def parameters_of(problem: Problem, steps: int) -> Array:
    state = begin(problem)
    advance(problem, state, RUN, steps)
    return state.parameters


def single_gradients(problem: Problem, parameters: Array) -> list[dict[str, Array]]:
    """Return each training sample's gradient, from a backward pass of its own."""
    named, gradients = problem.named(parameters), []
    for row in problem.train_rows:
        passed = forward(named, problem.activations, problem.X[row : row + 1])
        gradients.append(
            backward(
                named,
                problem.activations,
                passed,
                problem.loss.gradient(passed.y_pred, problem.y[row : row + 1]),
            )
        )
    return gradients


def check(problem: Problem, parameters: Array) -> Examination:
    """Compare an examination with the separate measures."""
    ours, values = examination_of(problem, parameters), evaluate(problem, parameters)
    assert ours.loss == pytest.approx(values["train_loss"], rel=1e-12, nan_ok=True)
    assert ours.test_loss == pytest.approx(values.get("test_loss", math.nan), rel=1e-12, nan_ok=True)
    assert ours.score == pytest.approx(
        values[f"train_{problem.score.name}"], rel=1e-12, abs=1e-12, nan_ok=True
    )
    *hidden, _ = units(problem, parameters)
    assert len(ours.layers) == len(hidden)
    for layer, expected in zip(ours.layers, hidden, strict=True):
        assert list(layer.dead) == expected.dead
        assert (
            None if layer.saturated_share is None else list(layer.saturated_share)
        ) == expected.saturated_share
        assert [list(group) for group in layer.alike] == expected.alike
    whole = noise_of(problem, parameters).whole
    # where gradients cancel, or all samples agree, only rounding is left of one or the other
    cancelled = 1e-28 * whole.trace_covariance + 1e-300
    assert ours.mean_squared == pytest.approx(whole.mean_squared, rel=1e-10, abs=cancelled)
    agreed = 1e-12 * problem.train.count * max(whole.mean_squared, 1e-300)
    assert ours.trace == pytest.approx(whole.trace_covariance, rel=1e-10, abs=agreed)
    return ours


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("steps", [0, 40])
def test_it_has_the_numbers_of_the_separate_measures(name: str, steps: int) -> None:
    problem = PROBLEMS[name]
    check(problem, parameters_of(problem, steps))


@pytest.mark.parametrize("name", PROBLEMS)
def test_sizes_are_root_mean_squares_of_single_gradients_entries(name: str) -> None:
    problem = PROBLEMS[name]
    parameters = parameters_of(problem, 5)
    ours, singles = examination_of(problem, parameters), single_gradients(problem, parameters)
    for layer in range(1, len(problem.activations) + 1):
        biases = np.stack([each[f"b{layer}"].ravel() for each in singles])
        weights = np.stack([each[f"W{layer}"].ravel() for each in singles])
        both = np.hstack([weights, biases])
        assert ours.sizes[layer - 1] == pytest.approx(math.sqrt((both**2).mean()), rel=1e-9)
        assert ours.bias_sizes[layer - 1] == pytest.approx(math.sqrt((biases**2).mean()), rel=1e-9)


def test_it_changes_nothing() -> None:
    for problem in PROBLEMS.values():
        parameters = parameters_of(problem, 3)
        before, columns = parameters.copy(), problem.train.columns.copy()
        examination_of(problem, parameters)
        assert parameters.tobytes() == before.tobytes()
        assert problem.train.columns.tobytes() == columns.tobytes()


def test_dead_units_have_their_places() -> None:
    problem = PROBLEMS["mixed"]
    parameters = begin(problem).parameters
    named = problem.named(parameters)
    named["b1"][0, [1, 4]] = -1e3
    named["b4"][0] = -1e3
    ours = check(problem, parameters)
    assert ours.layers[0].dead == (False, True, False, False, True, False)
    assert ours.layers[3].dead == (True, True, True)
    assert ours.sizes[:3] == (0.0, 0.0, 0.0), "nothing comes through a dead layer"
    assert ours.sizes[4] > 0.0


def test_equal_units_have_their_groups() -> None:
    problem = PROBLEMS["tanh"]
    parameters = begin(problem).parameters
    named = problem.named(parameters)
    for unit, like in ((3, 1), (4, 0)):
        for array in (named["W1"].T, named["b1"].T, named["W2"]):
            array[unit] = array[like]
    ours = check(problem, parameters)
    assert ours.layers[0].alike == ((0, 4), (1, 3))
    assert check(problem, np.zeros(problem.layout.count)).layers[1].alike == ((0, 1, 2, 3),)


def test_saturated_units_have_their_shares() -> None:
    problem = PROBLEMS["mixed"]
    parameters = begin(problem).parameters
    named = problem.named(parameters)
    named["W2"][:, 0], named["b2"][0, 0] = 0.0, -3.0
    named["W2"][:, 1], named["b2"][0, 1] = 0.0, 1.0
    ours = check(problem, parameters)
    assert ours.layers[0].saturated_share is None
    assert ours.layers[1].saturated_share is not None
    assert ours.layers[1].saturated_share[:2] == (1.0, 0.0)


def test_one_sample_has_no_scatter() -> None:
    problem = PROBLEMS["one sample"]
    ours = check(problem, parameters_of(problem, 0))
    assert ours.mean_squared > 0.0
    assert ours.trace <= 1e-12 * ours.mean_squared


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200, 1e308])
@pytest.mark.parametrize("where", ["first", "last", "all"])
def test_parameters_that_are_not_finite_do_not_raise(name: str, value: float, where: str) -> None:
    problem = PROBLEMS[name]
    parameters = begin(problem).parameters
    parameters[{"first": slice(1), "last": slice(-1, None), "all": slice(None)}[where]] = value
    ours = examination_of(problem, parameters)
    assert len(ours.layers) == len(problem.activations) - 1
    for each in chain(astuple(ours)[:3], [ours.trace, ours.mean_squared], ours.sizes, ours.bias_sizes):
        assert isinstance(each, float)
