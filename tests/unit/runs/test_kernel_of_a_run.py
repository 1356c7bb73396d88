"""A run keeps its first kernel until a reset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.compiled_losses import LOSS_CODES
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.builds import builds
from fallline.runs.experiment import Experiment
from fallline.vocabulary.journal import TO_ROUNDING, TO_THE_BIT
from fallline.vocabulary.recipe import Recipe, RunRecipe

SMALL: dict[str, Any] = {"data": {"samples": 60}}


def kernels_of(experiment: Experiment) -> dict[str, str]:
    return {run["name"]: run["kernel"] for run in experiment.state()["runs"]}


def test_a_run_keeps_its_kernel_until_it_is_reset() -> None:
    kernels = Kernels(why="it is being compiled", builds=builds())
    experiment = Experiment("x", Recipe.model_validate(SMALL), kernels)
    kernels.use(COMPILED)
    assert experiment.state()["kernel"] == "numpy"
    experiment.add_run(RunRecipe(name="new"), True, 0.0)
    experiment.reset("sgd", 0.0)
    assert kernels_of(experiment) == {"gd": "numpy", "sgd": "compiled", "new": "compiled"}
    assert experiment.state()["kernel"] == "compiled, numpy"
    experiment.reset(None, 0.0)
    assert experiment.state()["kernel"] == "compiled"
    messages = [item.message for item in experiment.take_outgoing() if hasattr(item, "message")]
    resets = [
        (event["run"], event["kernel"], event["replay"]) for event in messages if event["event"] == "reset"
    ]
    assert resets[0] == ("sgd", "compiled", TO_ROUNDING)
    assert resets[1:] == [
        ("gd", "compiled", TO_ROUNDING),
        ("sgd", "compiled", TO_THE_BIT),
        ("new", "compiled", TO_THE_BIT),
    ]


def test_numpy_serves_experiments_without_compiled_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernels = Kernels(COMPILED, builds=builds())
    classes: dict[str, Any] = {"data": {"name": "moons", "samples": 60}}
    softmax, huber = {**classes, "loss": "softmax_cross_entropy"}, {"loss": "huber"}
    monkeypatch.delitem(LOSS_CODES, "huber")
    made_by: dict[str, list[dict[str, Any]]] = {"numpy": [huber], "compiled": [{}, classes, softmax]}
    for name, recipe in [(name, recipe) for name, recipes in made_by.items() for recipe in recipes]:
        state = Experiment("x", Recipe.model_validate({**SMALL, **recipe}), kernels).state()
        assert {state["kernel"], state["next_kernel"], *state["provenance"]["kernels"].values()} == {name}


def test_the_state_names_the_builds() -> None:
    kernels = Kernels(builds={"numpy": "2.4.6"})
    experiment = Experiment("x", Recipe.model_validate(SMALL), kernels)
    assert experiment.state()["provenance"] == {
        "kernels": {"gd": "numpy", "sgd": "numpy"},
        "builds": {"numpy": "2.4.6"},
    }
    assert "provenance" not in experiment.recipe.as_json()


def test_steps_are_made_by_the_kernel_of_the_run() -> None:
    slices = []

    class Counted:
        name = "counted"

        def supports(self, problem: Any) -> bool:
            return True

        def run(self, problem: Any, state: Any, slice: Any) -> int:
            slices.append(slice.steps)
            return COMPILED.run(problem, state, slice)

        def losses(self, problem: Any, *plane: Any) -> Any:
            return COMPILED.losses(problem, *plane)

    experiment = Experiment("x", Recipe.model_validate(SMALL), Kernels(Counted()))
    experiment.run("sgd").advance(50, lambda: 0.0)
    assert sum(slices) == 50
    assert experiment.run("sgd").state.step == 50
    assert np.isfinite(experiment.run("sgd").state.parameters).all()
