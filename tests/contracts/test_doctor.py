"""Every rule of the Doctor on a run with its problem, and on healthy runs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fallline.diagnosis.rules import RULES
from fallline.engine.inspection.sheet import sheet_of
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.vocabulary.commands import EditRun
from fallline.vocabulary.exhibits import EXHIBITS
from support.aliases import Json
from support.doctor_cases import PLANTED, healthy_recipes
from support.examined import Examined
from support.quoted import is_line, line_text

SLICE = 25

RECENT = 200
"""Steps that lie between two evaluation points of a long run."""


def assert_quoted(one: Examined, name: str, finding: Json) -> None:
    """The code of a finding is a line that the step inspector shows; of plain descent not its name alone."""
    run, code = one.one.runs[name], finding["why"]["code"]
    lines = sheet_of(one.one.problem, run.state, run.recipe).lines
    assert is_line(code, lines), code
    if run.settings.optimizer == "sgd":
        assert code in {line_text(line) for line in lines}


def test_every_rule_has_a_planted_case() -> None:
    assert {rule.name for rule in RULES} == {*PLANTED, "unscaled_inputs"}, (
        "add a run to tests/support/doctor_cases.py"
    )


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_problem_is_reported_within_200_steps_and_no_other(rule: str) -> None:
    case = PLANTED[rule]
    one = Examined(case.recipe)
    for _ in range(0, case.shows + 200, SLICE):
        one.step(SLICE)
        findings = [each for each in one.open(case.run) if each["rule"] == rule]
        if findings:
            break
    assert findings, one.findings(case.run)
    assert set(one.problem_rules(case.run)) <= {rule}
    assert findings[0]["found_at"] <= case.shows + 200
    assert findings[0]["since_step"] <= findings[0]["found_at"]
    assert len(findings[0]["remedies"]) <= 2
    assert_quoted(one, case.run, findings[0])
    assert "{" not in findings[0]["title"] + findings[0]["evidence"]
    scores = re.findall(r"(.{6})(?:R²|accuracy)", findings[0]["evidence"], re.IGNORECASE)
    assert all(before.lower() == "train " for before in scores), "the samples are named"


@pytest.mark.timeout(400)  # a thousand examinations
def test_a_noise_floor_is_reported_without_recent_evaluation_points() -> None:
    """In a long run evaluation points are farther apart than the single steps reach."""
    one = Examined(PLANTED["noise_floor"].recipe, Kernels(COMPILED))
    step = 2**17 + RECENT + 20
    one.step(step)
    (run,) = one.one.runs.values()
    losses = run.window(step - RECENT, None, RECENT).select(["train_loss"]).mean
    assert np.isnan(losses).all()
    assert "noise_floor" in [each["rule"] for each in one.open()]


def test_a_healthy_run_is_not_at_a_noise_floor() -> None:
    """Both stay open for a while: "no longer falls" was beside "fell 41 %" for hundreds of steps."""
    data = {"name": "log_linear", "samples": 300, "standardize": "both", "seed": 1}
    layers = [{"units": 4, "activation": "relu"}] * 2
    network = {"layers": layers, "weights": "he_normal", "biases": "zeros", "seed": 3}
    one = Examined({"data": data, "network": network, "runs": [{"learning_rate": 0.1, "batch_size": 1}]})
    open_rules = []
    for _ in range(0, 1600, SLICE):
        one.step(SLICE)
        open_rules.append({each["rule"] for each in one.open()} & {"healthy", "noise_floor"})
    assert {"noise_floor"} in open_rules
    assert {"healthy"} in open_rules
    assert {"healthy", "noise_floor"} not in open_rules


@pytest.mark.parametrize("step", [50, 70, 94])
def test_a_run_whose_loss_stopped_is_not_healthy(step: int) -> None:
    """The run with the low rate of the exhibit "How high may the rate be?" is at its minimum from step 20 on."""
    one = Examined(EXHIBITS["too-high"].recipe)
    one.step(step, 10)
    assert "healthy" not in [each["rule"] for each in one.open("rate-1")]


def test_a_test_loss_that_falls_less_is_not_said_to_follow() -> None:
    data = {
        "name": "log_linear",
        "samples": 60,
        "noise": 0.3,
        "test_fraction": 0.5,
        "standardize": "both",
        "seed": 1,
    }
    layers = [{"units": 16, "activation": "tanh"}] * 2
    network = {"layers": layers, "weights": "xavier_normal", "biases": "zeros", "seed": 1}
    one = Examined({"data": data, "network": network, "runs": [{"learning_rate": 0.1}]})
    one.step(100, 50)
    (finding,) = (each for each in one.open() if each["rule"] == "healthy")
    (run,) = one.one.runs.values()
    losses = run.window(0, 100, 200).select(["train_loss", "test_loss"]).mean
    ends = [(row[:12].mean(), row[-12:].mean()) for row in np.array(losses)]
    train, test = (100 * (1 - last / first) for first, last in ends)
    assert finding["evidence"] == (
        f"Train loss fell {train:.0f} % in the last 100 steps, the test loss {test:.1f} %, to {ends[1][1]:.2f}."
    )


def test_a_dead_layer_silences_the_wasteful_batch() -> None:
    """A run that learns nothing does as well with any batch, but that is no advice."""
    one = Examined(EXHIBITS["notebook"].recipe)
    one.step(50, SLICE)
    one.one.edit("gd", EditRun(learning_rate=2), one.clock.now)
    open_rules = []
    for _ in range(8):
        one.step(SLICE)
        open_rules.append({each["rule"] for each in one.open("gd")})
    assert "dead_layer" in open_rules[-1]
    assert all("wasteful_batch" not in each for each in open_rules)


def test_the_rest_of_a_layer_learns_only_with_a_gradient() -> None:
    """At Adam's rate of 3 the only live unit is active only where the classes are separated to the last digit."""
    data = {"name": "two_gaussians", "samples": 100, "features": 2, "seed": 2}
    layers = [{"units": 4, "activation": "relu"}] * 2
    network = {"layers": layers, "weights": "he_normal", "seed": 2}
    run = {"name": "run", "optimizer": "adam", "learning_rate": 3}
    one = Examined({"data": data, "network": network, "runs": [run]})
    answers = []
    for _ in range(20):
        one.step(4)
        findings = one.open()
        one.step(1)  # its record has the gradient of the state that was examined
        buckets = one.one.runs["run"].window(one.one.runs["run"].state.step - 1, None, 1)
        for each in findings:
            if each["rule"] == "dead_units":
                size = buckets.mean[buckets.names.index(f"grad_l1/W{each['subject']['layer']}")][-1]
                learns = each["evidence"].endswith("The rest still learn.")
                assert learns == (size != 0.0), each["evidence"]
                answers.append(learns)
    assert set(answers) == {True, False}


def test_inputs_of_very_different_size_are_reported(wide_and_narrow: str) -> None:
    for standardize, ill in (("none", ["unscaled_inputs"]), ("inputs", [])):
        data = {"name": wide_and_narrow, "samples": 60, "standardize": standardize}
        one = Examined({"data": data, "runs": [{"name": "run", "learning_rate": 1e-7}]})
        one.step(SLICE)
        assert one.problem_rules() == ill
        for each in one.open():
            assert_quoted(one, "run", each)


def test_healthy_runs_raise_almost_no_alarms() -> None:
    recipes = list(healthy_recipes())
    assert len(recipes) == 200
    # A stride of eleven, coprime to the layout of the recipes, meets all data sets, optimizers and networks.
    for recipe in recipes[::11]:
        one = Examined(recipe)
        one.step(600, 50)
        (run,) = one.one.runs.values()
        assert run.latest(evaluated=True)["train_loss"]["value"] < 0.9 * one.one.problem.baseline["train"]
        assert one.problem_rules() == [], recipe
