"""Outcomes of remedies that were taken, and the harm of a run beside the others."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from fallline.diagnosis.examine import Record
from fallline.diagnosis.view import Best, Losses
from fallline.engine.measures.probes import evaluate
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.outcomes import Patient, harm_of, outcomes_of
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.findings import Finding, Remedy, Why
from fallline.vocabulary.recipe import Recipe, RunRecipe
from support.aliases import Json
from support.doctor_cases import PLANTED
from support.examined import Examined, settle, until_answered
from support.lives import CLOCK, Life

EDGE = PLANTED["rate_at_edge"].recipe
NOTEBOOK = EXHIBITS["notebook"].recipe
FOUND = 300
"""Step by which the full batch of `EDGE` is found at the edge."""


def of_rule(one: Examined, rule: str, run: str = "run") -> Json:
    """Return the newest finding of a rule."""
    return [each for each in one.findings(run) if each["rule"] == rule][-1]


def take(one: Examined, run: str, remedy: Json, **more: Any) -> str:
    """Take a remedy of a run, and return the name of the run that lives with it."""
    command = {**remedy["command"], **more}
    what = command.pop("do")
    if what == "edit":
        command.pop("run")
        one.one.edit(run, EditRun.model_validate(command), one.clock.now)
        return run
    added: str = one.fork(**command)["name"]
    return added


def true_loss(one: Examined, run: str, step: int, split: str = "train") -> float:
    """Return the loss of a run at a step, by a replay of its recipe."""
    problem, state = one.one.problem, begin(one.one.problem)
    advance(problem, state, one.one.runs[run].recipe, step)
    return evaluate(problem, state.parameters)[f"{split}_loss"]


def at_the_edge() -> Examined:
    one = Examined(EDGE)
    one.step(FOUND)
    return one


# ---------------------------------------------------------------------- an edit


def test_an_edit_that_is_a_remedy_has_an_outcome_from_its_first_step_on() -> None:
    one = at_the_edge()
    finding = of_rule(one, "rate_at_edge")
    (remedy,) = finding["remedies"]
    assert (remedy["label"], finding["outcomes"]) == ("Halve the rate", [])
    take(one, "run", remedy)
    settle(one.one, one.clock)
    assert of_rule(one, "rate_at_edge")["outcomes"] == [], "nothing came of it yet"
    one.step(1)
    (outcome,) = of_rule(one, "rate_at_edge")["outcomes"]
    assert (outcome["run"], outcome["at_step"], outcome["step"]) == ("run", FOUND, FOUND + 1)
    assert outcome["lasts"]
    one.step(199)
    finding = of_rule(one, "rate_at_edge")
    (outcome,) = finding["outcomes"]
    assert (outcome["label"], outcome["series"], outcome["lasts"]) == ("Halve the rate", "train_loss", False)
    assert outcome["step"] == 500
    losses = [true_loss(one, "run", step) for step in (FOUND, 500)]
    assert [outcome["from"], outcome["to"]] == pytest.approx(losses, rel=1e-12)
    assert re.fullmatch(
        r"Halve the rate, taken at step 300: the train loss went from [\d.e−]+ to [\d.e−]+ at step 500\. "
        rf"The problem ended at step {finding['until_step']}\.",
        outcome["text"],
    )


@pytest.mark.parametrize("change", [{"learning_rate": 0.7}, {"learning_rate": 0.75, "l2": 0.01}])
def test_another_edit_is_no_remedy(change: Json) -> None:
    one = at_the_edge()
    command = of_rule(one, "rate_at_edge")["remedies"][0]["command"]
    assert command["learning_rate"] == 0.75
    one.one.edit("run", EditRun.model_validate(change), one.clock.now)
    one.step(50)
    assert of_rule(one, "rate_at_edge")["outcomes"] == []


def test_the_same_edit_before_the_finding_is_no_remedy() -> None:
    one = Examined(EDGE)
    one.step(100)
    one.one.edit("run", EditRun(learning_rate=0.75), one.clock.now)
    one.one.edit("run", EditRun(learning_rate=1.5), one.clock.now)
    one.step(300)
    finding = of_rule(one, "rate_at_edge")
    assert (finding["found_at"] > 100, finding["outcomes"]) == (True, [])


def test_a_method_with_its_own_settings_is_a_remedy() -> None:
    """The edit that is stored has Adam's defaults beside its name."""
    one = Examined(PLANTED["rate_too_small"].recipe)
    one.step(300)
    remedies = of_rule(one, "rate_too_small")["remedies"]
    (adam,) = [each for each in remedies if "optimizer" in each["command"]]
    take(one, "run", adam)
    one.step(50)
    (outcome,) = of_rule(one, "rate_too_small")["outcomes"]
    assert outcome["label"] == adam["label"]
    assert outcome["to"] < outcome["from"]


def test_what_came_of_it_ends_at_the_next_edit_that_changes_a_number() -> None:
    one = at_the_edge()
    take(one, "run", of_rule(one, "rate_at_edge")["remedies"][0])
    one.step(100)
    one.one.edit(
        "run", EditRun.model_validate({"stop": [{"when": "train_loss", "below": 1e-9}]}), one.clock.now
    )
    one.step(50)
    one.one.edit("run", EditRun(learning_rate=0.01), one.clock.now)
    one.step(50)
    (outcome,) = of_rule(one, "rate_at_edge")["outcomes"]
    assert (outcome["at_step"], outcome["step"]) == (300, 450)
    assert outcome["to"] == pytest.approx(true_loss(one, "run", 450), rel=1e-12)
    assert ", where the settings changed again." in outcome["text"]


# ---------------------------------------------------------------------- a fork


def test_a_fork_is_the_outcome_of_the_finding_that_proposed_it_and_of_its_own() -> None:
    one = Examined(NOTEBOOK)
    one.step(250)
    dead = of_rule(one, "dead_layer", "sgd")
    (redraw,) = [each for each in dead["remedies"] if "redraw" in each["command"]]
    assert redraw["loss"] > 0.0
    fork = take(one, "sgd", redraw, name="again")
    settle(one.one, one.clock)
    assert of_rule(one, "dead_layer", "sgd")["outcomes"] == []
    one.step(150)
    (elsewhere,) = of_rule(one, "dead_layer", "sgd")["outcomes"]
    at = redraw["command"]["at_step"]
    step = one.one.runs[fork].state.step
    assert (elsewhere["run"], elsewhere["at_step"], elsewhere["step"]) == ("again", at, step)
    assert not elsewhere["lasts"]
    assert elsewhere["to"] == pytest.approx(true_loss(one, fork, step), rel=1e-12)
    assert "taken at step 196 in Again: the train loss went from" in elsewhere["text"]
    assert re.search(r" SGD has [\d.e−]+ at step 400[.:]", elsewhere["text"])
    assert elsewhere["text"].endswith(" times worse. It does not have the problem.")
    (own,) = of_rule(one, "dead_layer", fork)["outcomes"]
    assert (own["run"], own["at_step"], own["lasts"]) == ("again", at, False)
    assert f"The problem ended at step {of_rule(one, 'dead_layer', fork)['until_step']}." in own["text"]


def test_a_rewind_is_the_outcome_of_a_finding_that_it_never_has() -> None:
    one = Examined(EXHIBITS["too-high"].recipe)
    one.step(100)
    finding = of_rule(one, "diverged", "rate-3")
    rewind = finding["remedies"][0]
    fork = take(one, "rate-3", rewind, name="lower")
    one.step(100)
    assert "diverged" not in [each["rule"] for each in one.findings(fork)]
    (outcome,) = of_rule(one, "diverged", "rate-3")["outcomes"]
    assert (outcome["run"], outcome["at_step"], outcome["lasts"]) == (
        "lower",
        rewind["command"]["at_step"],
        False,
    )
    assert outcome["text"].endswith("It does not have the problem.")
    assert "Too high has" not in outcome["text"], "a run that diverged is no measure"


def test_a_fork_with_another_change_is_no_outcome_and_a_removed_one_no_longer() -> None:
    one = Examined(EXHIBITS["too-high"].recipe)
    one.step(100)
    rewind = of_rule(one, "diverged", "rate-3")["remedies"][0]
    take(one, "rate-3", rewind, name="other", l2=0.1)
    one.step(20)
    assert of_rule(one, "diverged", "rate-3")["outcomes"] == []
    take(one, "rate-3", rewind, name="same")
    one.step(20)
    assert [each["run"] for each in of_rule(one, "diverged", "rate-3")["outcomes"]] == ["same"]
    one.one.remove_run("same", one.clock.now)
    assert of_rule(one, "diverged", "rate-3")["outcomes"] == []


def test_a_run_added_with_the_same_settings_is_an_outcome() -> None:
    one = Examined(NOTEBOOK)
    one.step(250)
    (rewind,) = [
        each for each in of_rule(one, "dead_layer", "sgd")["remedies"] if each["command"]["at_step"] == 0
    ]
    rate = rewind["command"]["learning_rate"]
    added = one.one.runs["sgd"].recipe.model_copy(update={"name": "added", "learning_rate": rate})
    one.one.add_run(added, named_by_client=True, now=one.clock.now)
    one.step(20)
    (outcome,) = of_rule(one, "dead_layer", "sgd")["outcomes"]
    assert (outcome["run"], outcome["at_step"], outcome["step"]) == ("added", 0, 20)


# ---------------------------------------------------------------------- a function of recipe and steps

TAKEN = Recipe.model_validate(
    {
        **EDGE.as_json(),
        "runs": [
            {"name": "run", "learning_rate": 1.5, "edits": [{"at_step": FOUND, "learning_rate": 0.75}]},
            {"name": "left", "learning_rate": 1.5},
            {
                "name": "fork",
                "learning_rate": 1.5,
                "origin": {"run": "left", "at_step": FOUND},
                "edits": [{"at_step": FOUND, "learning_rate": 0.75}],
            },
        ],
    }
)
"""A run that takes a remedy, one that does not, and a fork of this one that does."""


def answers(runs: dict[str, Run]) -> Json:
    """Return what the API says of the Doctor for each run, without costs."""
    names = ("findings", "findings_complete_to", "harm", "verdict", "step")
    states = {name: run.as_json(playing=False, moving=False) for name, run in runs.items()}
    return {name: {field: state[field] for field in names} for name, state in states.items()}


@cache
def expected() -> Json:
    one = Examined(TAKEN)
    one.step(450)
    return answers(one.one.runs)


def test_the_recipe_has_outcomes_in_the_run_and_in_the_fork() -> None:
    outcomes = {
        name: [
            (outcome["run"], outcome["at_step"]) for each in state["findings"] for outcome in each["outcomes"]
        ]
        for name, state in expected().items()
    }
    assert outcomes == {"run": [("run", FOUND)], "left": [("fork", FOUND)], "fork": [("fork", FOUND)]}
    assert all(state["harm"] >= 1.0 for state in expected().values())


@pytest.mark.parametrize("slice", [1, 7, 150])
def test_outcomes_and_harm_do_not_depend_on_slices(slice: int) -> None:
    one = Examined(TAKEN)
    one.step(450, slice)
    assert answers(one.one.runs) == expected()


@pytest.mark.parametrize("tick", [1e-4, 1e-3])
def test_outcomes_and_harm_do_not_depend_on_the_speed_of_the_machine(tick: float) -> None:
    one = Examined(TAKEN)
    one.clock.tick = tick
    one.step(450)
    assert answers(one.one.runs) == expected()


@pytest.mark.parametrize("keeps", [True, False])
def test_outcomes_and_harm_are_the_same_after_a_restart(keeps: bool) -> None:
    life = Life(**TAKEN.as_json())
    for steps in (301, 149):
        life.step(steps)
        settle(life.one, lambda: CLOCK.now)
        life.store_it(is_final=True)
        life.reopen(None if keeps else replace(life.stored, parts={}))
        settle(life.one, lambda: CLOCK.now)
    assert answers(life.one.runs) == expected()


def test_remedies_taken_live_have_the_outcomes_of_those_in_the_recipe() -> None:
    runs = [run.model_copy(update={"edits": []}) for run in TAKEN.runs[:2]]
    one = Examined(TAKEN.model_copy(update={"runs": runs}))
    one.step(FOUND)
    take(one, "run", of_rule(one, "rate_at_edge")["remedies"][0])
    body = AddRun(name="fork", fork_of="left", at_step=FOUND, learning_rate=0.75)
    until_answered(one.one, one.clock, lambda done: one.one.fork(body, one.clock.now, done))
    one.step(150)
    assert answers(one.one.runs) == expected()


def test_frames_and_events_carry_outcomes() -> None:
    one = at_the_edge()
    take(one, "run", of_rule(one, "rate_at_edge")["remedies"][0])
    one.step(200)
    outcomes = of_rule(one, "rate_at_edge")["outcomes"]
    (news,) = [each for each in one.one.runs["run"].header(playing=False)["findings"] if each["outcomes"]]
    assert news["outcomes"] == outcomes
    closings = [
        event["finding"]
        for event in one.events()
        if event["event"] == "finding" and event["finding"]["rule"] == "rate_at_edge"
    ]
    assert closings[-1]["until_step"] is not None
    assert [each["at_step"] for each in closings[-1]["outcomes"]] == [FOUND]


# ---------------------------------------------------------------------- words, harm


def finding(rule: str, *remedies: Remedy, until: int | None = None, mark: str = "odd") -> Finding:
    return Finding(
        f"{rule}@5",
        rule,
        "problem",
        {},
        5,
        10,
        "{run}",
        "e",
        mark,
        Why("so", "x"),
        remedies,
        until_step=until,
    )


def patient(name: str, record: Record, **recipe: Any) -> Patient:
    return Patient(RunRecipe.model_validate({"name": name, **recipe}), record)


def record(
    train: float, test: float | None = None, *, lowest: float = 1.0, lowest_test: float = 1.0
) -> Record:
    """Return a record whose losses lie at these levels."""
    best = Best(mean=lowest, test_mean=lowest_test)
    return Record(step=100, now=Losses(100, train, test), level=(train, test), best=best)


def test_a_remedy_that_ends_a_hundred_times_worse_and_stuck_says_so() -> None:
    clip = Remedy("Clip gradients", "a fork", {"do": "add_run", "at_step": 0, "clip_norm": 1.0})
    left = Examined({"runs": [{"name": "run"}]})
    parent = patient("run", replace(record(0.004), findings=(finding("spike", clip),)))
    stuck = replace(record(0.4), findings=(finding("stuck", mark="learned nothing"),))
    edited = replace(stuck, edited=replace(stuck.edited, losses=(Losses(0, 0.5, None),)))
    fork = patient(
        "clipped", edited, origin={"run": "run", "at_step": 0}, edits=[{"at_step": 0, "clip_norm": 1.0}]
    )
    (outcome,) = outcomes_of(parent, [fork], left.one.problem.train.count)["spike@5"]
    assert outcome.text == (
        "Clip gradients, taken at step 0 in Clipped: the train loss went from 0.500 to 0.400 at step 100. "
        "Run has 0.00400 at step 100: Clipped is 100 times worse. It has another problem: learned nothing."
    )


def test_overfitting_is_measured_by_the_test_loss() -> None:
    stop = [{"when": "test_loss", "above": 0.3}]
    rewind = Remedy("Rewind to the best test loss", "a fork", {"do": "add_run", "at_step": 0, "stop": stop})
    parent = patient("run", replace(record(0.1, 0.6), findings=(finding("overfitting", rewind),)))
    there = record(0.2, 0.3)
    fork = patient(
        "early",
        replace(there, edited=replace(there.edited, losses=(Losses(0, 0.9, 0.8),))),
        origin={"run": "run", "at_step": 0},
        edits=[{"at_step": 0, "stop": stop}],
    )
    (outcome,) = outcomes_of(parent, [fork], 100)["overfitting@5"]
    assert (outcome.series, outcome.before, outcome.now) == ("test_loss", 0.8, 0.3)
    assert "Run has 0.600 at step 100: Early is 2.00 times better." in outcome.text


def test_harm_is_the_loss_over_the_lowest_of_the_run_its_siblings_and_its_trials() -> None:
    own = patient("own", record(3.0, lowest=1.5))
    assert harm_of(own, [own], 1.0) == 2.0
    better = patient("better", record(0.5, lowest=0.3))
    assert harm_of(own, [own, better], 1.0) == pytest.approx(10.0)
    tried = Remedy("Halve", "from the next step on", {"do": "edit", "learning_rate": 0.1}, loss=0.1)
    with_trial = patient("trial", replace(record(0.5, lowest=0.5), findings=(finding("odd", tried),)))
    assert harm_of(own, [own, better, with_trial], 1.0) == pytest.approx(30.0)
    # below 0.05 of the baseline a lowest loss is too small to divide by
    assert harm_of(
        patient("low", record(1e-4, lowest=1e-9)), [own, patient("x", record(1.0, lowest=1e-9))], 1.0
    ) == (pytest.approx(1.002))


def test_the_test_loss_counts_as_well_and_no_harm_is_known_at_first_nor_after_divergence() -> None:
    overfits = patient("run", record(0.1, 0.9, lowest=0.1, lowest_test=0.3))
    assert harm_of(overfits, [overfits], 1.0) == pytest.approx(3.0)
    young = patient("young", replace(record(0.5), level=None))
    over = patient("over", replace(record(0.5), verdict="diverged"))
    assert [harm_of(each, [each], 1.0) for each in (young, over)] == [None, None]


def test_a_run_knows_the_runs_beside_it_also_a_new_one_and_none_that_left() -> None:
    recipe = {"data": {"samples": 60}, "runs": [{"name": "slow", "learning_rate": 1e-4}]}
    one = Examined(recipe)
    one.step(60)
    alone = one.one.runs["slow"].header(playing=False)["harm"]
    one.one.add_run(RunRecipe(name="fast", learning_rate=0.05), named_by_client=True, now=one.clock.now)
    one.step(60)
    beside = one.one.runs["slow"].header(playing=False)["harm"]
    assert alone == pytest.approx(1.0, abs=0.2)
    assert beside > 2.0
    one.one.remove_run("fast", one.clock.now)
    assert one.one.runs["slow"].header(playing=False)["harm"] < 1.2
