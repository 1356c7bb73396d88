"""Stop conditions stop a run at the same step for all slices, equal to a check of every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels.numpy_kernels import NUMPY, Kernels
from fallline.engine.measures.probes import evaluate, units
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Event
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.errors import Conflict, InvalidRequest
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.clocks import Clock

CLOCK = Clock(tick=0.001)
DIES = EXHIBITS["notebook"].recipe
"""Layer 2 of its SGD run dies before step 200."""

LEARNS = Recipe.model_validate(
    {
        "data": {"name": "linear", "samples": 120, "test_fraction": 0.25, "standardize": "both"},
        "network": {"layers": [{"units": 6, "activation": "tanh"}], "weights": "xavier"},
        "runs": [{"name": "sgd", "learning_rate": 0.03, "batch_size": 8}],
    }
)


def set_up(recipe: Recipe, *conditions: dict[str, Any], **more: Any) -> tuple[Problem, Run]:
    filled = check_recipe(recipe)
    (plain,) = [run for run in filled.runs if run.name == "sgd"]
    run = plain.model_dump(exclude={"stop"}) | {"stop": list(conditions)} | more
    shared = check_recipe(Recipe.model_validate({**filled.as_json(), "runs": [run]}))
    problem = build_problem(shared.data, shared.network, shared.loss)
    return problem, Run(problem, shared.runs[0], Kernels(), NUMPY)


def stepped(problem: Problem, run: Run, most: int) -> Iterator[TrainingState]:
    state = begin(problem)
    for _ in range(most):
        advance(problem, state, run.recipe, 1)
        yield state


def first(problem: Problem, run: Run, met: Callable[[TrainingState], bool], most: int = 1000) -> int:
    """Return the first step that meets it, by a check of every step."""
    return next(state.step for state in stepped(problem, run, most) if met(state))


def sliced(run: Run, lengths: list[int], most: int = 1000) -> int:
    while not run.is_over and run.state.step < most:
        for length in lengths:
            if not run.is_over:
                run.advance(min(length, most - run.state.step), CLOCK)
    return run.state.step


SLICES = [[1], [7, 64], [1000]]


@pytest.mark.parametrize(
    ("name", "bound", "value"),
    [
        ("test_r2", "above", 0.8),
        ("train_loss", "below", 0.2),
        ("test_loss", "below", 0.3),
        ("train_r2", "above", 0.7),
    ],
)
def test_a_series_beyond_its_bound_stops_the_run_at_that_very_step(
    name: str, bound: str, value: float
) -> None:
    problem, run = set_up(LEARNS, {"when": name, bound: value})

    def beyond(state: TrainingState) -> bool:
        actual = evaluate(problem, state.parameters)[name]
        return actual > value if bound == "above" else actual < value

    expected = first(problem, run, beyond)
    assert 3 < expected < 1000
    for lengths in SLICES:
        _, run = set_up(LEARNS, {"when": name, bound: value})
        assert sliced(run, lengths) == expected
        assert run.finished is not None
        assert run.finished.when == name
        assert run.history.latest()["train_loss"][0] == expected - 1


@pytest.mark.parametrize("l2", [0.0, 1e-9])
def test_a_layer_that_dies_stops_the_run_at_that_very_step(l2: float) -> None:
    penalty = {"l2": l2} if l2 else {}
    problem, run = set_up(DIES, {"when": "layer_dies"}, **penalty)
    expected = first(problem, run, lambda state: all(units(problem, state.parameters)[1].dead))
    assert 100 < expected < 300
    for lengths in SLICES:
        assert sliced(set_up(DIES, {"when": "layer_dies"}, **penalty)[1], lengths) == expected


def test_a_loss_that_stalls_stops_the_run_when_patience_is_over() -> None:
    condition = {"when": "loss_stalls", "steps": 40, "below": 0.1}
    problem, run = set_up(LEARNS, condition, learning_rate=0.005)
    least, since = np.inf, 0

    def stalls(state: TrainingState) -> bool:
        nonlocal least, since
        loss = evaluate(problem, state.parameters)["train_loss"]
        if loss < 0.9 * least:
            least, since = loss, state.step
        return state.step - since >= 40

    expected = first(problem, run, stalls)
    assert 60 < expected < 1000
    for lengths in SLICES:
        assert sliced(set_up(LEARNS, condition, learning_rate=0.005)[1], lengths) == expected


def test_the_earliest_of_several_conditions_stops_it() -> None:
    _, one = set_up(DIES, {"when": "layer_dies"})
    died = sliced(one, [1000])
    stalls: Json = {"when": "loss_stalls", "steps": 900}
    below: Json = {"when": "train_loss", "below": 1e-9}
    dies: Json = {"when": "layer_dies"}
    for conditions in ([stalls, dies], [dies, below]):
        _, run = set_up(DIES, *conditions)
        assert sliced(run, [1000]) == died
        assert run.finished is not None
        assert run.finished.when == "layer_dies"
    _, run = set_up(DIES, {"when": "layer_dies"}, {"when": "train_loss", "below": 1e6})
    assert sliced(run, [1000]) == 1


def test_a_condition_already_met_when_it_was_set_does_not_stop_the_run() -> None:
    _, run = set_up(DIES, {"when": "layer_dies"})
    died = sliced(run, [1000])
    run.edit(EditRun.model_validate({"stop": [{"when": "layer_dies"}], "redraw": {"layers": [1, 2, 3]}}))
    assert not run.is_over
    run.advance(1, CLOCK)
    assert (run.state.step, run.finished) == (died + 1, None)
    _, same = set_up(DIES, {"when": "layer_dies"})
    sliced(same, [1000])
    same.edit(EditRun.model_validate({"stop": [{"when": "layer_dies"}]}))
    same.advance(50, CLOCK)
    assert same.state.step == died + 1, "it is still dead"


def experiment(*conditions: dict[str, Any]) -> Experiment:
    recipe = DIES.as_json()
    recipe["runs"][1]["stop"] = list(conditions)
    return Experiment("x", Recipe.model_validate(recipe))


def step(one: Experiment, steps: int) -> list[dict[str, Any]]:
    """Step all runs; return the events."""
    answers: list[dict[str, Any]] = []
    one.step(CLOCK.now, answers.append, steps=steps)
    while not answers:
        one.work(0.005, CLOCK.now, time.perf_counter)
    return [item.message for item in one.take_outgoing() if isinstance(item, Event)]


def test_a_finished_run_is_reported_once_stays_and_the_others_continue() -> None:
    one = experiment({"when": "layer_dies"})
    finished = [event for event in step(one, 400) if event["event"] == "finished"]
    sgd, gd = one.runs["sgd"], one.runs["gd"]
    assert [(event["run"], event["step"], event["condition"]) for event in finished] == [
        ("sgd", sgd.state.step, {"when": "layer_dies"})
    ]
    assert gd.state.step > sgd.state.step
    state = {run["name"]: run for run in one.state()["runs"]}
    assert (state["sgd"]["status"], state["gd"]["status"]) == ("finished", "paused")
    assert state["sgd"]["finished_by"] == {"when": "layer_dies"}
    with pytest.raises(Conflict, match="run sgd has finished"):
        one.step(CLOCK.now, lambda state: None, steps=1, run="sgd")


def test_other_conditions_continue_the_run_and_a_fork_may_stop_elsewhere() -> None:
    one = experiment({"when": "layer_dies"})
    step(one, 400)
    died = one.runs["sgd"].state.step
    request = AddRun.model_validate(
        {"name": "cured", "fork_of": "sgd", "at_step": died, "redraw": {"layers": [1, 2, 3]}}
    )
    one.fork(request, CLOCK.now, lambda state: None)
    earlier = {"name": "again", "fork_of": "sgd", "at_step": 50}
    one.fork(AddRun.model_validate(earlier), CLOCK.now, lambda state: None)
    while "again" not in one.runs:
        one.work(0.005, CLOCK.now, time.perf_counter)
    one.edit("sgd", EditRun.model_validate({"stop": []}), CLOCK.now)
    step(one, 400)
    assert one.runs["sgd"].state.step > died
    assert one.runs["cured"].state.step > died
    assert one.runs["again"].state.step == died
    assert one.runs["again"].finished is not None


@pytest.mark.parametrize(
    ("condition", "pointer"),
    [
        ({"when": "test_accuracy", "above": 0.9}, "/runs/0/stop/0/when"),
        ({"when": "test_r2", "above": 0.9}, "/runs/0/stop/0/when"),
    ],
)
def test_a_condition_on_an_unknown_series_is_refused(condition: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_recipe(Recipe.model_validate({"runs": [{"stop": [condition]}]}))
    assert [error.pointer for error in refused.value.errors] == [pointer]


@pytest.mark.parametrize(
    "condition",
    [
        {"when": "train_loss"},
        {"when": "train_loss", "above": 1, "below": 0},
        {"when": "train_loss", "below": 0.1, "steps": 3},
        {"when": "layer_dies", "steps": 3},
        {"when": "loss_stalls", "above": 1},
        {"when": "loss_stalls", "below": 1.0},
        {"when": "never"},
    ],
    ids=str,
)
def test_an_empty_condition_is_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"stop|needs|takes|when"):
        Recipe.model_validate({"runs": [{"stop": [condition]}]})
