"""The self-check passes on every network, and fails for a wrong character in backward."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fallline.engine import network
from fallline.engine.kernels import numpy_kernels, passes
from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY, Kernels
from fallline.engine.measures.trust import balance, differences
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.losses import LOSSES
from fallline.engine.problem import build_problem
from fallline.runs.checks.recipe import check_recipe
from fallline.runs.instruments.self_check import self_check
from fallline.runs.run import Run
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock
from support.gradient_check import planted
from support.problems import data_for

CLOCK = Clock(tick=1e-5)


def run_of(body: dict[str, Any], steps: int, kernel: Kernel = NUMPY) -> Run:
    recipe = check_recipe(Recipe.model_validate(body))
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    run = Run(problem, recipe.runs[-1], Kernels(), kernel)
    run.advance(steps, CLOCK)
    return run


def verdicts(run: Run) -> dict[str, bool | None]:
    return {check["name"]: check["passed"] for check in self_check(run.to_check())["checks"]}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_activation_and_loss_passes(activation: str, loss: str) -> None:
    layers = [{"units": 4, "activation": activation}, {"units": 3, "activation": activation}]
    body = {
        "data": {"name": data_for(loss), "samples": 60},
        "network": {"layers": layers},
        "loss": loss,
        "runs": [{"learning_rate": 0.01, "batch_size": 7, "optimizer": "adam"}],
    }
    results = verdicts(run_of(body, 40))
    assert results == {
        "gradient": True,
        "balance": True if activation in ("relu", "leaky_relu", "identity") else None,
        "batches": True,
        "replay": True,
    }


@pytest.mark.parametrize("steps", [0, 1, 400])
def test_the_notebooks_runs_pass_from_their_first_step_to_after_a_layer_has_died(steps: int) -> None:
    body = EXHIBITS["notebook"].recipe.as_json()
    results = verdicts(run_of(body, steps))
    assert results["replay"] is (True if steps else None)
    assert (results["gradient"], results["balance"], results["batches"]) == (True, True, True)


def test_samples_at_a_kink_are_skipped() -> None:
    """At zero biases, samples that switch off the first layer are at the kinks of the second."""
    run = run_of({"network": {"biases": "zeros", "seed": 3}, "data": {"samples": 100}}, 0)
    checks = {check["name"]: check for check in self_check(run.to_check())["checks"]}
    assert checks["gradient"]["passed"]
    assert "at a kink" in checks["gradient"]["says"]


@pytest.mark.parametrize("place", [0, 5, 48])
def test_one_wrong_entry_is_found_and_named(place: int) -> None:
    run = run_of(Recipe().as_json(), 3)
    subject = run.to_check()
    parameters = subject.state.parameters
    gradient = np.concatenate(
        [value.ravel() for value in network_gradient(subject.problem, parameters).values()]
    )
    gradient[place] += 1e-4 * np.abs(gradient).max()
    difference = differences(subject.problem, parameters, gradient)
    assert not difference.passed
    layout = subject.problem.layout
    named = next(
        name
        for name, start in reversed(list(zip(layout.names, layout.offsets, strict=True)))
        if start <= place
    )
    assert difference.where.startswith(f"{named}[")


def test_the_balance_names_the_unit_that_is_most_out_of_it() -> None:
    subject = run_of(Recipe().as_json(), 3).to_check()
    problem, parameters = subject.problem, subject.state.parameters
    gradient = network_gradient(problem, parameters)
    weights = problem.named(parameters)
    exact = balance(problem, parameters, np.concatenate([value.ravel() for value in gradient.values()]))
    assert exact is not None
    assert exact.passed
    gradient["W1"][:, 2] += 1.0
    gradient["W2"][:, 1] += 3.0
    products = {name: weights[name] * gradient[name] for name in weights}
    errors = {
        f"unit {unit} of layer {layer}": abs(into - products[f"W{layer + 1}"][unit].sum())
        for layer in (1, 2)
        for unit, into in enumerate(products[f"W{layer}"].sum(axis=0) + products[f"b{layer}"][0])
    }
    flat = np.concatenate([value.ravel() for value in gradient.values()])
    wrong = balance(problem, parameters, flat)
    assert wrong is not None
    assert not wrong.passed
    assert wrong.where == max(errors, key=errors.__getitem__)
    assert wrong.error == pytest.approx(max(errors.values()))


def network_gradient(problem: Any, parameters: Any) -> dict[str, Any]:
    named = problem.named(parameters)
    passed = network.forward(named, problem.activations, problem.train.X)
    dy_pred = problem.loss.gradient(passed.y_pred, problem.train.y)
    gradients = network.backward(named, problem.activations, passed, dy_pred)
    return {name: gradients[name] for name in problem.layout.names}


def test_a_replay_that_differs_is_reported() -> None:
    run = run_of(Recipe().as_json(), 50)
    subject = run.to_check()
    subject.state.parameters[7] = np.nextafter(subject.state.parameters[7], 9.0)
    replay = self_check(subject)["checks"][-1]
    assert replay["passed"] is False
    assert "differs:" in replay["says"]
    assert self_check(replace(subject, is_rounded=True))["checks"][-1]["passed"] is None


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("self._blocks[place + 1][:-1],", "self._blocks[place + 1][1:],"),
        ("layer.slope(layer.z, layer.outputs, layer.z)", "layer.slope(layer.z, layer.z, layer.z)"),
        ("np.multiply(above, layer.z, above)", "np.multiply(above, above, above)"),
        ("delta = self._dy\n", "delta =-self._dy\n"),
    ],
)
def test_a_slip_in_backward_turns_it_red(right: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is planted in the kernel that trains, not in a copy of its formulas."""
    layers = [{"units": 4, "activation": "tanh"}, {"units": 4, "activation": "tanh"}]
    run = run_of({"network": {"layers": layers}, "data": {"samples": 50}}, 5)
    assert verdicts(run)["gradient"] is True
    monkeypatch.setattr(numpy_kernels, "ColumnPass", planted(passes, right, wrong).ColumnPass)
    assert verdicts(run)["gradient"] is False
