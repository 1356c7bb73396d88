"""Runs that rest are evaluated for answers: once for each step, and one in each slice where that takes long."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.engine.measures.probes import evaluate
from fallline.runs import run as runs
from fallline.runs.experiment import Experiment
from fallline.runs.run import Run
from fallline.vocabulary.commands import EditRun
from fallline.vocabulary.errors import FalllineError
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock
from support.spies import noting

CLOCK = Clock()
NAMES = [f"run-{number}" for number in range(4)]


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """One entry for each evaluation."""
    problems: list[Any] = []
    monkeypatch.setattr(runs, "evaluate", noting(lambda problem, _: problems.append(problem), evaluate))
    return problems


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """An experiment whose evaluations count as long."""
    monkeypatch.setattr(runs, "LONG_EVALUATION", 0.0)
    recipe = {"data": {"samples": 20}, "runs": [{"name": name, "batch_size": 4} for name in NAMES]}
    return Experiment("x", Recipe.model_validate(recipe))


def work(one: Experiment) -> None:
    one.work(0.005, CLOCK(), CLOCK)


def expect_evaluated(one: Experiment, state: dict[str, Any]) -> None:
    for summary in state["runs"]:
        run = one.run(summary["name"])
        losses = evaluate(one.problem, run.state.parameters)
        assert summary["latest"]["train_loss"] == {"step": run.state.step, "value": losses["train_loss"]}
        assert summary["step"] == run.state.step


def play(one: Experiment, steps: int = 3) -> None:
    one.play(None, "steps", CLOCK.now)
    while min(run.state.step for run in one.runs.values()) < steps:
        work(one)


def test_all_runs_share_the_evaluation_of_their_start(one: Experiment, evaluations: list[Any]) -> None:
    expect_evaluated(one, one.state())
    one.reset(None, CLOCK.now)
    expect_evaluated(one, one.state())
    assert len(evaluations) == 1


def test_a_run_that_rests_is_evaluated_once(one: Experiment, evaluations: list[Any]) -> None:
    play(one)
    one.pause(CLOCK.now)
    evaluations.clear()
    for _ in range(3):
        expect_evaluated(one, one.state())
    assert len(evaluations) == len(NAMES)


def test_the_answer_waits_while_one_run_is_evaluated_in_each_slice(
    one: Experiment, evaluations: list[Any]
) -> None:
    play(one)
    one.pause(CLOCK.now)
    answers: list[dict[str, Any]] = []
    evaluations.clear()
    one.when_evaluated(one.state, answers.append)
    counts = []
    while not answers:
        assert one.wake_at(CLOCK.now) == CLOCK.now
        assert one.only_replays
        before = len(evaluations)
        work(one)
        counts.append(len(evaluations) - before)
    assert counts == [1] * len(NAMES)
    expect_evaluated(one, answers[0])
    one.when_evaluated(one.state, answers.append)
    assert answers[1] == answers[0]


@pytest.mark.parametrize("end", ["arrives", "pause"])
def test_a_step_job_is_answered_once_its_runs_are_evaluated(
    end: str, one: Experiment, evaluations: list[Any]
) -> None:
    answers: list[Any] = []
    one.step(CLOCK.now, answers.append, steps=5 if end == "arrives" else 1_000_000)
    work(one)
    while end == "arrives" and any(run.state.step < 5 for run in one.runs.values()):
        work(one)
    if end == "pause":
        one.pause(CLOCK.now)
    steps = {name: run.state.step for name, run in one.runs.items()}
    assert not answers
    slices = 0
    while not answers:
        before = len(evaluations)
        work(one)
        one.edit(NAMES[0], EditRun(learning_rate=0.001 + 0.0001 * slices), CLOCK.now)
        slices += 1
        assert len(evaluations) - before <= 1
        assert slices < 10
    assert {name: run.state.step for name, run in one.runs.items()} == steps
    expect_evaluated(one, answers[0])
    assert not one.moving


def test_who_plays_on_is_not_evaluated(one: Experiment, evaluations: list[Any]) -> None:
    answers: list[Any] = []
    one.step(CLOCK.now, answers.append, steps=1_000_000)
    work(one)
    evaluations.clear()
    one.play(None, "steps", CLOCK.now)
    assert [run["status"] for run in answers[0]["runs"]] == ["playing"] * len(NAMES)
    one.when_evaluated(one.state, answers.append)
    assert len(answers) == 2
    assert not evaluations


def test_a_deleted_experiment_answers_its_step_job_with_the_state(one: Experiment) -> None:
    answers: list[dict[str, Any] | FalllineError] = []
    one.step(CLOCK.now, answers.append, steps=1_000_000)
    work(one)
    one.close(CLOCK.now)
    assert isinstance(answers[0], dict)
    expect_evaluated(one, answers[0])


def test_a_new_run_of_a_large_network_is_expected_to_be_slow() -> None:
    """Its first round, too, must end between two runs."""
    layers = [{"units": 100, "activation": "tanh"}] * 2
    recipe = {"data": {"samples": 3_000}, "network": {"layers": layers}, "runs": [{"name": "a"}]}
    large: Run = Experiment("x", Recipe.model_validate(recipe)).run("a")
    assert large.step_seconds > 0.002
    assert large.lacks_evaluation
    assert not Experiment("x", Recipe.model_validate({})).run("gd").lacks_evaluation
