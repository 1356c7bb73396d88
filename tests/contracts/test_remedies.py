"""Every remedy that the Doctor offers, acted on in a run that has what it is offered for: it helps, and is undone."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from fallline.diagnosis.rules import RULES
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe
from support.doctor_cases import PLANTED, Planted
from support.examined import Examined

Json = dict[str, Any]

pytestmark = pytest.mark.usefixtures("wide_and_narrow")

SLICE = 25
SOON, AFTER = 800, {"dead_layer": 2_000}
"""Steps after which a remedy has to have helped; more where it begins anew."""

LESS = 0.9
"""Of the loss without it, where what was found is still so."""


def _net(units: int, activation: str, weights: str | Json, layers: int = 2) -> Json:
    told = [{"units": units, "activation": activation}] * layers
    return {"layers": told, "weights": weights, "biases": "zeros", "seed": 1}


def _planted(data: Json, network: Json, **run: Any) -> Planted:
    told = {"samples": 300, "standardize": "both", "seed": 1, **data}
    return Planted(
        Recipe.model_validate({"data": told, "network": network, "runs": [{"name": "run", **run}]}), 400
    )


CASES = {
    **PLANTED,
    # Three of those can not be helped: dead from the start, nothing but noise, no hidden layer.
    "dead_layer": Planted(EXHIBITS["notebook"].recipe, 196, "sgd"),
    "predicts_the_mean": _planted(
        {"name": "circle", "features": 2},
        _net(8, "tanh", {"name": "normal", "scale": 0.1}),
        learning_rate=0.1,
    ),
    "plateau": _planted(
        {"name": "two_spirals", "features": 2}, _net(8, "tanh", "xavier_normal"), learning_rate=0.03
    ),
    # And one cuts its gradients already.
    "exploding_gradients": _planted(
        {"name": "log_linear"},
        _net(16, "leaky_relu", {"name": "normal", "scale": 1}, layers=8),
        learning_rate=1e-9,
    ),
    "unscaled_inputs": _planted(
        {"name": "wide_and_narrow", "standardize": "none"}, _net(4, "tanh", "lecun", 1), learning_rate=1e-7
    ),
}


def found(rule: str) -> tuple[Examined, Run, Json]:
    """An experiment at the step at which the rule is told, and what it says."""
    case = CASES[rule]
    one = Examined(case.recipe)
    for _ in range(0, case.shows + 300, SLICE):
        one.step(SLICE)
        for each in one.open(case.run):
            if each["rule"] == rule:
                return one, one.one.runs[case.run], each
    raise AssertionError(f"{rule} is not told")


def act(one: Examined, run: Run, command: Json) -> Run:
    """As the page does: returns the run that it is about from then on."""
    told = {key: value for key, value in command.items() if key not in ("do", "run")}
    if command["do"] == "edit":
        one.one.edit(run.name, EditRun.model_validate(told), one.clock.now)
        return run
    answers: list[Json] = []
    one.one.fork(AddRun.model_validate({**told, "name": "remedied"}), one.clock.now, answers.append)
    while not answers:
        one.one.work(0.005, one.clock(), one.clock)
    return one.one.runs["remedied"]


def loss(run: Run, rule: str) -> float:
    """What the fault spoils: of overfitting that is the test loss."""
    name = "test_loss" if rule == "overfitting" else "train_loss"
    told: float = run.latest(evaluated=True)[name]["value"]
    return told


def is_told(run: Run, rule: str) -> bool:
    return any(each.rule == rule for each in run.case.record.open)


ONE = (
    "dead_units",
    "symmetric_units",
    "saturated_units",
    "vanishing_gradients",
    "rate_at_edge",
    "unscaled_inputs",
    "wasteful_batch",
)
"""The rules that offer one remedy; the others offer two, and being healthy none."""

OFFERED = {rule: 0 if rule == "healthy" else 1 if rule in ONE else 2 for rule in CASES}
REMEDIES = [(rule, place) for rule, many in OFFERED.items() for place in range(many)]


@pytest.mark.parametrize("rule", CASES)
def test_so_many_remedies_are_offered(rule: str) -> None:
    assert len(found(rule)[2]["remedies"]) == OFFERED[rule]


def test_no_rule_is_left_out() -> None:
    assert {rule.name for rule in RULES} == set(CASES)


@cache
def left_alone(rule: str) -> tuple[float, bool]:
    """The loss of the run without any remedy, and whether what was found is over by itself: neither told any more, nor
    did the run diverge.
    """
    one, run, _ = found(rule)
    one.step(AFTER.get(rule, SOON), 100)
    return loss(run, rule), not (run.diverged or is_told(run, rule))


@pytest.mark.parametrize(("rule", "place"), REMEDIES)
def test_a_remedy_helps(rule: str, place: int) -> None:
    one, run, finding = found(rule)
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
        assert not is_over or having < LESS * without, "it was not over by itself"


@pytest.mark.parametrize(("rule", "place"), REMEDIES)
def test_a_remedy_is_undone(rule: str, place: int) -> None:
    one, run, finding = found(rule)
    before = run.settings
    state = run.state.fingerprint()
    command = finding["remedies"][place]["command"]
    remedied = act(one, run, command)
    if remedied is run:
        assert run.settings != before
        told = before.as_json()
        old = {key: told.get(key) for key in command if key not in ("do", "run")}
        one.one.edit(run.name, EditRun.model_validate(old), one.clock.now)
    else:
        one.one.remove_run(remedied.name, one.clock.now)
        assert [each.name for each in one.one.runs.values()] == [
            each.name for each in CASES[rule].recipe.runs
        ]
    assert run.settings == before
    assert run.state.fingerprint() == state


def test_every_rule_that_names_something_ill_offers_something_that_helps() -> None:
    """But healthy, all do."""
    with_one = {rule for rule, _ in REMEDIES}
    assert with_one == {rule.name for rule in RULES} - {"healthy"}
    assert np.all([len(found(rule)[2]["remedies"]) <= 2 for rule in with_one])


@pytest.mark.parametrize("step", [197, 198, 300, 400, 900])
def test_a_layer_that_is_revived_lives_on_from_whichever_step_it_is_told_at(step: int) -> None:
    one = Examined(CASES["dead_layer"].recipe)
    one.step(step)
    dead = one.one.runs["sgd"]
    (finding,) = (each for each in one.open(dead.name) if each["rule"] == "dead_layer")
    revived = act(one, dead, finding["remedies"][0]["command"])
    one.step(3_000, 100)
    assert not is_told(revived, "dead_layer")
    assert loss(revived, "dead_layer") < 0.5 * loss(dead, "dead_layer")
