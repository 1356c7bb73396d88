"""Mini-batches that diverge are named once their loss grows, from where it turned, and others never."""

from __future__ import annotations

from typing import Any

import pytest

from doctor.numbers import replay
from doctor.oracle import will_diverge
from doctor.recipes import FAMILIES
from fallline.runs.doctor import view
from fallline.vocabulary.commands import EditRun
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.examined import Examined

STEPS = 400


def recipe(data: Json, units: list[int], activation: str, seed: int, **run: Any) -> Recipe:
    layers = [{"units": each, "activation": activation} for each in units]
    weights = "he" if activation == "relu" else "xavier"
    network = {"layers": layers, "weights": weights, "biases": "zeros", "seed": seed}
    data = {"samples": 200, "standardize": "both", "seed": seed, **data}
    return Recipe.model_validate(
        {"data": data, "network": network, "runs": [{"name": "run", "seed": seed, **run}]}
    )


LINEAR: Json = {"name": "linear", "features": 3, "noise": 0.3}
SINE: Json = {"name": "sine", "features": 2}
MOMENTUM: Json = {"optimizer": "momentum", "learning_rate": 0.1, "batch_size": 2}

DIVERGE: dict[str, Recipe] = {
    "single samples of relu": recipe({"name": "log_linear"}, [8], "relu", 2, learning_rate=0.2, batch_size=1),
    "the trough comes after a peak": recipe(SINE, [12, 12], "relu", 1, learning_rate=0.2, batch_size=1),
    "from the start": recipe(LINEAR, [12, 12], "relu", 1, learning_rate=1.0, batch_size=16),
    "momentum": recipe(LINEAR, [8], "relu", 1, **MOMENTUM),
    "in one step": recipe(LINEAR, [8, 8], "tanh", 1, learning_rate=1.0, batch_size=16),
}
"""They diverge after 2 to 41 steps from where the loss turns."""

STAY: dict[str, Recipe] = {
    "up to 3 times the start": recipe({"name": "log_linear"}, [12, 12], "relu", 1, **MOMENTUM),
    "and down again": recipe({"name": "log_linear"}, [12, 12], "relu", 2, **MOMENTUM),
    "of tanh": recipe(LINEAR, [8, 8], "tanh", 2, **MOMENTUM),
}
"""Their loss grew so far and so steadily that an earlier rule expected them to diverge."""


def forecasts(one: Examined) -> list[Json]:
    return [each for each in one.findings() if each["rule"] == "will_diverge"]


@pytest.mark.parametrize("name", DIVERGE)
@pytest.mark.parametrize("slice", [1, STEPS])
def test_they_are_named_once_the_loss_grows_and_from_where_it_turned(name: str, slice: int) -> None:
    (fault,) = will_diverge(replay(DIVERGE[name], STEPS))
    one = Examined(DIVERGE[name])
    one.step(STEPS, slice)
    (finding,) = forecasts(one)
    assert (finding["since_step"], finding["severity"]) == (fault.since, "problem")
    assert finding["found_at"] <= fault.shows, "at the latest at the step at which the loss has doubled"
    diverged_at = one.one.runs["run"].state.diverged_at
    assert f"Its next steps, made on a copy, diverge at step {diverged_at:,}." in finding["first_evidence"]


@pytest.mark.parametrize("number", [21, 25, 29, 33, 37])
def test_of_a_flat_loss_the_last_step_that_is_as_low_is_the_onset(number: int) -> None:
    """The loss has converged before the rate becomes too high, so its steps differ by rounding only."""
    one = FAMILIES["will_diverge"](number)
    (fault,) = will_diverge(replay(one.recipe, one.steps))
    (edit,) = one.recipe.runs[0].edits
    assert fault.since > edit.at_step
    examined = Examined(one.recipe)
    examined.step(one.steps)
    assert [each["since_step"] for each in forecasts(examined)] == [fault.since]


@pytest.mark.parametrize("name", STAY)
def test_others_are_not(name: str) -> None:
    one = Examined(STAY[name])
    one.step(STEPS)
    assert not one.one.runs["run"].diverged
    assert forecasts(one) == []


def test_a_parabola_whose_batches_differ_too_much_comes_back_from_far_out() -> None:
    """It rose three times in a row at 30 times its start, which was taken for a divergence in 114 steps."""
    data: Json = {"name": "linear", "samples": 140, "noise": 0.1, "standardize": "both", "seed": 86116}
    network: Json = {"layers": [], "weights": "normal", "biases": "normal", "seed": 86116}
    run: Json = {"name": "run", "optimizer": "momentum", "learning_rate": 0.153, "batch_size": 4}
    one = Examined(Recipe.model_validate({"data": data, "network": network, "runs": [run]}))
    one.step(600)
    assert not one.one.runs["run"].diverged
    assert forecasts(one) == []


def test_a_remedy_that_is_taken_ends_the_forecast() -> None:
    one = Examined(DIVERGE["single samples of relu"])
    while not forecasts(one):
        one.step(1)
    (remedy, *_) = forecasts(one)[0]["remedies"]
    change = {name: value for name, value in remedy["command"].items() if name not in ("do", "run")}
    one.one.edit("run", EditRun.model_validate(change), one.clock.now)
    one.step(40)
    assert not one.one.runs["run"].diverged
    assert [each["until_step"] is None for each in forecasts(one)] == [False]


def test_where_these_steps_cost_too_much_growth_alone_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "TRIAL_SECONDS", 0.0)
    one = Examined(STAY["up to 3 times the start"])
    one.step(STEPS)
    (finding,) = forecasts(one)
    assert "at this pace" in finding["first_evidence"]


def test_looking_ahead_changes_no_run() -> None:
    whole = DIVERGE["momentum"]
    one, alone = Examined(whole), Examined(whole)
    one.step(20, 1)
    alone.one.runs["run"].advance(20, alone.clock)
    assert forecasts(one)
    assert one.one.runs["run"].state.fingerprint() == alone.one.runs["run"].state.fingerprint()
