"""Every remedy of the Doctor helps a run with its problem, and can be undone."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from fallline.diagnosis.remedies import LOWER
from fallline.diagnosis.rules import RULES
from fallline.diagnosis.words import number, plain, setting
from fallline.runs.doctor.doctor import Doctor
from fallline.runs.doctor.view import CHECKS, Trials
from fallline.runs.run import Run
from fallline.vocabulary.commands import EditRun
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.clocks import Clock
from support.doctor_cases import PLANTED, Planted
from support.examined import Examined, take_whole

pytestmark = pytest.mark.usefixtures("wide_and_narrow")

SLICE = 25
SOON, AFTER = 800, {"dead_layer": 2_000, "wasteful_batch": 600}
"""Steps within which a remedy must help; more for a new start, fewer where the problem ends by itself."""

LESS = 0.9
"""Share of the loss without it, while the problem lasts."""


def _net(units: int, activation: str, weights: str | Json, layers: int = 2) -> Json:
    layer = [{"units": units, "activation": activation}] * layers
    return {"layers": layer, "weights": weights, "biases": "zeros", "seed": 1}


def _planted(data: Json, network: Json, **run: Any) -> Planted:
    settings = {"samples": 300, "standardize": "both", "seed": 1, **data}
    return Planted(
        Recipe.model_validate({"data": settings, "network": network, "runs": [{"name": "run", **run}]}), 400
    )


CASES = {
    **PLANTED,
    # Four of them have no remedy: dead from the start, few dead units, only noise, no hidden layer.
    "dead_units": _planted(
        {"name": "sine", "features": 2}, {**_net(6, "relu", "xavier_normal", 1), "seed": 3}, learning_rate=1.2
    ),
    "dead_layer": Planted(EXHIBITS["notebook"].recipe, 196, "sgd"),
    "predicts_the_mean": _planted(
        {"name": "circle", "features": 2},
        _net(8, "tanh", {"name": "normal", "scale": 0.1}),
        learning_rate=0.1,
    ),
    "plateau": _planted(
        {"name": "two_spirals", "features": 2}, _net(8, "tanh", "xavier_normal"), learning_rate=0.03
    ),
    # One clips its gradients already.
    "exploding_gradients": _planted(
        {"name": "log_linear"},
        _net(16, "leaky_relu", {"name": "normal", "scale": 1}, layers=8),
        learning_rate=1e-9,
    ),
    "unscaled_inputs": _planted(
        {"name": "wide_and_narrow", "standardize": "none"}, _net(4, "tanh", "lecun", 1), learning_rate=1e-7
    ),
}


def opened(rule: str) -> tuple[Examined, Run, Json]:
    """Return an experiment at the step at which the finding opens, and the finding."""
    case = CASES[rule]
    one = Examined(case.recipe)
    for _ in range(0, case.shows + 300, SLICE):
        one.step(SLICE)
        for each in one.open(case.run):
            if each["rule"] == rule:
                return one, one.one.runs[case.run], each
    raise AssertionError(f"{rule} opens no finding")


def act(one: Examined, run: Run, command: Json) -> Run:
    """Do the command as the page does; return the run that it concerns."""
    fields = {key: value for key, value in command.items() if key not in ("do", "run")}
    if command["do"] == "edit":
        one.one.edit(run.name, EditRun.model_validate(fields), one.clock.now)
        return run
    one.fork(**{**fields, "name": "remedied"})
    return one.one.runs["remedied"]


def loss(run: Run, rule: str) -> float:
    """Return the loss that the problem raises: for overfitting the test loss, for a spike the highest one."""
    if rule == "spike":
        last = run.state.step - 1
        return float(np.nanmax(run.window(last - SOON // 2, None, 2 * SOON).select(["train_loss"]).mean))
    name = "test_loss" if rule == "overfitting" else "train_loss"
    value: float = run.latest(evaluated=True)[name]["value"]
    return value


def is_told(run: Run, rule: str) -> bool:
    return any(each.rule == rule for each in run.case.shown(run.state.step).open)


ONE = (
    "symmetric_units",
    "saturated_units",
    "vanishing_gradients",
    "rate_at_edge",
    "unscaled_inputs",
    "wasteful_batch",
)
"""The rules that offer one remedy. The others offer two, and `healthy` none."""

OFFERED = {rule: 0 if rule == "healthy" else 1 if rule in ONE else 2 for rule in CASES}
REMEDIES = [(rule, place) for rule, many in OFFERED.items() for place in range(many)]


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_offers_its_number_of_remedies(rule: str) -> None:
    assert len(opened(rule)[2]["remedies"]) == OFFERED[rule]


def test_no_rule_is_left_out() -> None:
    assert {rule.name for rule in RULES} == set(CASES), "add a run to tests/support/doctor_cases.py"


@cache
def left_alone(rule: str) -> tuple[float, bool]:
    """Return the loss without a remedy, and whether the problem ended by itself."""
    one, run, _ = opened(rule)
    one.step(AFTER.get(rule, SOON), 100)
    return loss(run, rule), not (run.diverged or is_told(run, rule))


@pytest.mark.parametrize(("rule", "place"), REMEDIES)
def test_a_remedy_helps(rule: str, place: int) -> None:
    one, run, finding = opened(rule)
    began = loss(run, rule)
    remedied = act(one, run, finding["remedies"][place]["command"])
    one.step(AFTER.get(rule, SOON), 100)
    (without, is_over), having = left_alone(rule), loss(remedied, rule)
    assert not remedied.diverged
    if rule == "rate_too_small" and is_told(remedied, rule):
        assert began - having > 2.5 * (began - without), "three times as fast is still slow"
    elif is_told(remedied, rule):
        assert having < LESS * without
    else:
        assert having < 1.05 * without
        assert not is_over or having < LESS * without, "it did not end by itself"


@pytest.mark.parametrize(("rule", "place"), REMEDIES)
def test_a_remedy_is_undone(rule: str, place: int) -> None:
    one, run, finding = opened(rule)
    before = run.settings
    state = run.state.fingerprint()
    command = finding["remedies"][place]["command"]
    remedied = act(one, run, command)
    if remedied is run:
        assert run.settings != before
        before_json = before.as_json()
        old = {key: before_json.get(key) for key in command if key not in ("do", "run")}
        one.one.edit(run.name, EditRun.model_validate(old), one.clock.now)
    else:
        one.one.remove_run(remedied.name, one.clock.now)
        assert [each.name for each in one.one.runs.values()] == [
            each.name for each in CASES[rule].recipe.runs
        ]
    assert run.settings == before
    assert run.state.fingerprint() == state


def test_every_rule_with_a_problem_offers_a_remedy() -> None:
    """Every rule but `healthy` does."""
    with_one = {rule for rule, _ in REMEDIES}
    assert with_one == {rule.name for rule in RULES} - {"healthy"}, "the run of each must end with a remedy"
    assert np.all([len(opened(rule)[2]["remedies"]) <= 2 for rule in with_one])


@pytest.mark.parametrize("step", [197, 198, 300, 400, 900])
def test_a_revived_layer_stays_alive_from_any_step(step: int) -> None:
    one = Examined(CASES["dead_layer"].recipe)
    one.step(step)
    dead = one.one.runs["sgd"]
    (finding,) = (each for each in one.open(dead.name) if each["rule"] == "dead_layer")
    revived = act(one, dead, finding["remedies"][0]["command"])
    one.step(3_000, 100)
    assert not is_told(revived, "dead_layer")
    assert loss(revived, "dead_layer") < 0.5 * loss(dead, "dead_layer")


def _wild(network: Json, **run: Any) -> Recipe:
    return Recipe.model_validate({"network": network, "runs": [{"name": "run", **run}]})


def _deep(count: int, activation: str) -> Json:
    return {"layers": [{"units": 64, "activation": activation}] * count}


WILD = {
    **{
        f"notebook, seed {seed}, batch {batch}": (
            _wild({"seed": seed}, learning_rate=5, batch_size=batch),
            300,
        )
        for seed in range(6)
        for batch in (None, 1)
    },
    "6 x 64 relu": (_wild(_deep(6, "relu"), learning_rate=1e-3), 40),
    "4 x 64 tanh": (_wild(_deep(4, "tanh"), learning_rate=3), 60),
    "adam at a million": (_wild({}, optimizer="adam", learning_rate=1e6), 300),
    "momentum": (_wild({}, optimizer="momentum", momentum=0.99, learning_rate=1), 300),
}
"""Runs whose first rate is far too high, and the number of steps to follow them."""


@pytest.mark.parametrize("name", WILD)
def test_remedies_for_a_rate_too_high_from_the_start_hold(name: str) -> None:
    recipe, steps = WILD[name]
    one = Examined(recipe)
    one.step(steps, SLICE)
    (finding,) = (each for each in one.open() if each["rule"] in ("diverged", "dead_layer"))
    assert finding["remedies"]
    for remedy in finding["remedies"]:
        assert re.search(r"; tried for \d+ steps$", remedy["hint"])
        run = act(one, one.one.runs["run"], remedy["command"])
        assert run.state.step == remedy["command"]["at_step"]
        began = one.one.problem.initial_loss
        one.step(steps, SLICE)
        assert not run.diverged, remedy
        assert not is_told(run, "dead_layer"), remedy
        assert loss(run, finding["rule"]) < 0.5 * began, remedy
        one.one.remove_run(run.name, one.clock.now)


def test_gradients_are_clipped_only_where_a_trial_helps() -> None:
    """At a rate of 5 the notebook's run bounces far above the baseline."""
    one = Examined(WILD["notebook, seed 0, batch None"][0])
    one.step(SLICE)
    (finding,) = one.open()
    assert not [
        each
        for each in finding["remedies"]
        if set(each["command"]) & {"clip_norm", "redraw"} == {"clip_norm"}
    ]


def test_a_trial_makes_exactly_the_steps_of_the_fork() -> None:
    one = Examined(WILD["notebook, seed 0, batch 1"][0])
    one.step(SLICE)
    run, problem = one.one.runs["run"], one.one.problem
    command = {"do": "add_run", "at_step": 0, "learning_rate": 0.05}
    trial = Trials(problem, run, run.state.step, run.state.step, take_whole)(command)
    assert trial is not None
    fork = act(one, run, {**command, "fork_of": "run"})
    losses = []
    for _ in range(CHECKS):
        one.one.runs["remedied"].advance(trial.steps // CHECKS, float)
        losses.append(loss(fork, "diverged"))
    assert trial.after == np.mean(losses[CHECKS // 2 :])


@pytest.mark.parametrize("rule", ["vanishing_gradients", "overfitting", "symmetric_units"])
def test_a_finding_without_a_lower_rate_among_its_remedies_says_whether_one_helps(rule: str) -> None:
    one, run, finding = opened(rule)
    rate, step = run.settings.learning_rate, finding["found_at"]
    lower = plain(rate / LOWER)
    trial = r"in (\d+) trial steps the (test )?loss comes to (\S+) at (\S+), and to (\S+) at (\S+)\."
    said = re.fullmatch(
        f"A lower rate from step {step} on (helps|does not help): {trial}", finding["lower_rate"]
    )
    assert said is not None, finding["lower_rate"]
    verdict, steps, of_test, *numbers = said.groups()
    assert (of_test is not None, numbers[1::2]) == (rule == "overfitting", [setting(lower), setting(rate)])
    losses = []
    for place, fork_rate in enumerate((lower, rate)):
        one.fork(name=f"fork-{place}", fork_of=run.name, at_step=step, learning_rate=fork_rate)
        fork = one.one.runs[f"fork-{place}"]
        seen = []
        for _ in range(CHECKS):
            fork.advance(int(steps) // CHECKS, float)
            seen.append(loss(fork, rule))
        losses.append(float(np.mean(seen[CHECKS // 2 :])))
    assert numbers[::2] == [number(each) for each in losses]
    assert (verdict == "helps") == (losses[0] < 0.95 * losses[1])


@pytest.mark.parametrize("rule", ["dead_layer", "diverged", "healthy"])
def test_a_lower_rate_among_the_remedies_and_a_note_need_no_word_on_it(rule: str) -> None:
    assert opened(rule)[2]["lower_rate"] == ""


def test_a_trial_does_not_change_the_run() -> None:
    one = Examined(EXHIBITS["notebook"].recipe)
    one.step(300)
    run = one.one.runs["sgd"]
    before = run.state.fingerprint(), run.recipe, len(run.checkpoints)
    Trials(one.one.problem, run, 300, 300, take_whole)({"do": "edit", "learning_rate": 100.0})
    assert (run.state.fingerprint(), run.recipe, len(run.checkpoints)) == before


WIDE = {"layers": [{"units": 120, "activation": "relu"}] * 4}


def test_a_remedy_too_long_to_try_says_so() -> None:
    one = Examined(_wild(WIDE, learning_rate=10))
    one.step(1)
    (finding,) = one.open()
    (remedy,) = finding["remedies"]
    assert remedy["hint"].endswith("; not tried: a trial would take too long")


def _examined(run: Run, doctor: Doctor, clock: Clock) -> bool:
    """Make the examinations of a run at full speed; return whether none is left over."""
    while doctor.is_behind(run):
        is_made, _ = doctor.examine(run, clock, limited=True)
        if not is_made:
            return False
    return True


def test_at_full_speed_a_finding_waits_until_its_trials_are_paid_for() -> None:
    one = Examined(WILD["notebook, seed 0, batch None"][0])
    run, doctor = one.one.runs["run"], Doctor(one.one.problem)
    run.advance(SLICE, float)
    assert not _examined(run, doctor, one.clock)
    assert not run.case.shown(run.state.step).findings
    assert run.case.needed > 0.0
    run.case.budget.earn(100.0)
    earned = run.case.budget.left
    assert _examined(run, doctor, one.clock)
    (finding,) = run.case.shown(run.state.step).open
    assert finding.rule == "diverged"
    assert ["; tried for " in remedy.hint for remedy in finding.remedies] == [True, True]
    assert run.case.budget.left < earned


def test_a_finding_whose_trials_take_too_long_opens_with_untried_remedies() -> None:
    one = Examined(_wild(WIDE, learning_rate=10))
    run = one.one.runs["run"]
    run.advance(SLICE, float)
    run.case.budget.earn(100.0)  # for the change that did it
    assert _examined(run, Doctor(one.one.problem), one.clock)
    (finding,) = run.case.shown(run.state.step).open
    assert finding.rule == "diverged"
    assert [remedy.hint.split("; ")[-1] for remedy in finding.remedies] == [
        "not tried: a trial would take too long"
    ]


def test_longer_steps_are_offered_only_where_they_help() -> None:
    """At Adam's rate of 1 most units are dead, and the rest predict the majority."""
    data = {
        "name": "moons",
        "samples": 200,
        "features": 2,
        "noise": 0.3,
        "test_fraction": 0.5,
        "seed": 1,
    }
    network = {"layers": [{"units": 32, "activation": "relu"}] * 2}
    run = {"name": "run", "optimizer": "adam", "learning_rate": 1, "batch_size": 16}
    one = Examined({"data": data, "network": network, "runs": [run]})
    one.step(2_000, 100)
    # it was stuck, and predicts the majority since
    findings = {each["rule"]: each for each in one.findings()}
    labels = {
        rule: [each["label"] for each in findings[rule]["remedies"]]
        for rule in ("stuck", "predicts_the_mean")
    }
    assert labels == {
        "stuck": ["Rewind to the best step, rate 0.01", "Fork, He init, rate 0.01"],
        "predicts_the_mean": ["Fork, He init, rate 0.001"],
    }
    assert [findings[rule]["until_step"] is None for rule in labels] == [False, True]
    fork = act(one, one.one.runs["run"], findings["stuck"]["remedies"][1]["command"])
    one.step(500, 100)
    assert loss(fork, "stuck") < 0.5 * loss(one.one.runs["run"], "stuck")


NO_TEXT = ("do", "run", "fork_of", "at_step", "redraw")
NAMES = {
    "learning_rate": "rate",
    "batch_size": "batch",
    "clip_norm": "clip",
    "optimizer": "adam",
    "l2": "l2",
}


@pytest.mark.parametrize(("rule", "place"), REMEDIES)
def test_a_remedy_changes_something_and_names_all_that_it_changes(rule: str, place: int) -> None:
    _, run, finding = opened(rule)
    remedy = finding["remedies"][place]
    command, label, hint = remedy["command"], remedy["label"].lower(), remedy["hint"].lower()
    present = run.settings.as_json()
    if command["do"] == "edit":
        assert all(value != present.get(name) for name, value in command.items() if name not in NO_TEXT)
    for name in set(command) - set(NO_TEXT):
        assert NAMES.get(name, name) in label, name
        assert NAMES.get(name, name) in hint, name
    if "redraw" in command:
        assert command["redraw"]["weights"] in label
        assert command["redraw"]["weights"] in hint
    assert finding["remedies"].count(remedy) == 1
    assert not run.case.failed


def test_no_remedy_repeats_the_fork_that_the_run_is() -> None:
    """A run at a rate of 5 is forked by its remedies; none of the forks gets itself as a remedy."""
    one = Examined(WILD["notebook, seed 0, batch None"][0])
    run, problem = one.one.runs["run"], one.one.problem
    command = {"do": "add_run", "at_step": 0, "learning_rate": 2.0}
    assert not Trials(problem, run, run.state.step, run.state.step, take_whole).repeats(command)
    fork = act(one, run, {**command, "fork_of": "run"})
    one.step(SLICE)
    (finding,) = (each for each in one.open(fork.name) if each["rule"] in ("diverged", "dead_layer"))
    trials = Trials(problem, fork, fork.state.step, fork.state.step, take_whole)
    assert trials.repeats(command)
    assert all(not trials.repeats(each["command"]) for each in finding["remedies"])


def test_nothing_in_force_is_a_remedy() -> None:
    recipe = _wild({"weights": "he_normal"}, learning_rate=0.1, batch_size=32, clip_norm=1.0)
    one = Examined(recipe)
    one.step(10)
    trials = Trials(one.one.problem, one.one.runs["run"], 10, 10, take_whole)
    drawn = {"layers": [1, 2, 3], "weights": "he"}
    for changes in ({"learning_rate": 0.1}, {"batch_size": 32}, {"clip_norm": 1.0}, {"optimizer": "sgd"}):
        assert trials.repeats({"do": "edit", **changes}), changes
        assert trials.repeats({"do": "add_run", "at_step": 3, **changes}), changes
    assert trials.repeats({"do": "add_run", "at_step": 3, "redraw": drawn})
    assert not trials.repeats({"do": "add_run", "at_step": 3, "redraw": {**drawn, "weights": "xavier"}})
    assert not trials.repeats({"do": "edit", "batch_size": 16})
    assert not trials.repeats({"do": "edit", "batch_size": None})


def test_a_fork_names_the_edit_that_it_takes_back() -> None:
    recipe = _wild(
        {},
        learning_rate=0.1,
        edits=[{"at_step": 20, "learning_rate": 0.05, "l2": 1e-3}, {"at_step": 40, "learning_rate": 50}],
    )
    one = Examined(recipe)
    one.step(60)
    (finding,) = (each for each in one.open() if each["rule"] in ("diverged", "dead_layer"))
    rewind = next(each for each in finding["remedies"] if each["label"].startswith("Rewind"))
    assert (rewind["label"], rewind["command"]["at_step"]) == ("Rewind to step 40, rate 0.05", 40)
    view_edits = Trials(one.one.problem, one.one.runs["run"], 60, 60, take_whole)
    assert view_edits.settings_before(20).l2 == 0.0
    assert view_edits.settings_before(21).l2 == 1e-3


@pytest.mark.parametrize("rule", ["overfitting", "worse_than_before", "stuck"])
def test_a_rewind_to_the_best_goes_to_the_lowest_loss_so_far(rule: str) -> None:
    _, run, finding = opened(rule)
    series = "test_loss" if rule == "overfitting" else "train_loss"
    losses = run.window(0, finding["found_at"] - 1, 2_000).select([series]).mean[0]
    (rewind,) = (each for each in finding["remedies"] if each["label"].startswith("Rewind to the best"))
    assert rewind["command"]["at_step"] == int(np.nanargmin(losses))
