"""An added run that nobody named is named by what differs, as on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fallline.runs.checks.run import forked_recipe
from fallline.runs.naming import MOST_LETTERS, fork_label, new_label
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.recipe import RunRecipe
from support.examined import Examined

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/run_names.json").read_text())


def label_of(case: dict[str, Any]) -> str | None:
    parent = RunRecipe(name="parent", label=case["parent"], **case["settings"])
    request = AddRun(name="run-3", fork_of="parent", **case["change"])
    fork = forked_recipe(parent, 0, request)
    return fork_label(
        parent, parent.settings, fork, request.model_fields_set, {"GD", "SGD", case["parent"]}, 900
    )


@pytest.mark.parametrize("case", GOLDEN["forks"], ids=lambda case: case["label"])
def test_a_fork_is_its_parent_and_what_changed(case: dict[str, Any]) -> None:
    assert label_of(case) == case["label"]


@pytest.mark.parametrize("case", GOLDEN["new"], ids=lambda case: case["label"])
def test_a_new_run_is_its_method_or_what_differs(case: dict[str, Any]) -> None:
    others = {name: RunRecipe(batch_size=size).settings for name, size in (("GD", None), ("SGD", 1))}
    assert new_label(RunRecipe(**case["settings"]).settings, others, 900) == case["label"]


def test_a_label_that_would_be_too_long_is_not_given() -> None:
    case = {"parent": "x" * MOST_LETTERS, "settings": {}, "change": {"learning_rate": 0.5}}
    assert label_of(case) is None


def test_an_added_run_without_a_name_has_a_label_that_the_doctor_uses() -> None:
    """It was "Run 3" on the page and in the Doctor's sentences."""
    one = Examined({})
    one.step(30)
    adam = {"optimizer": "adam", "batch_size": 8, "learning_rate": 0.005}
    first = one.fork(fork_of="gd", at_step=10, **adam)
    assert (first["name"], first["label"]) == ("run-3", "GD, Adam, batch 8")
    assert one.fork(fork_of="gd", at_step=10, learning_rate=50)["label"] == "GD, rate 50"
    one.step(10)
    assert one.findings("run-4")[0]["title"].startswith("GD, rate 50")
    again = one.fork(fork_of="run-3", redraw={"layers": [1, 2, 3], "weights": "he"})
    assert again["label"] == "GD, batch 8, He"
    assert one.one.add_run(RunRecipe(optimizer="momentum"), False, one.clock.now)["label"] == "Momentum"


@pytest.mark.parametrize(("given", "label"), [({"name": "cool"}, None), ({"label": "Cool"}, "Cool")])
def test_a_name_or_a_label_that_a_client_gave_stays(given: dict[str, str], label: str | None) -> None:
    one = Examined({})
    assert one.fork(fork_of="gd", learning_rate=0.5, **given)["label"] == label
    new = RunRecipe.model_validate({**given, "name": "other", "learning_rate": 0.5})
    assert one.one.add_run(new, True, one.clock.now)["label"] == label


def test_a_fork_from_before_its_parents_edit_names_the_method_of_then() -> None:
    one = Examined({})
    one.step(30)
    one.one.edit("sgd", EditRun(batch_size=None, label="GD"), one.clock.now)
    one.step(10)
    assert one.fork(fork_of="sgd", at_step=20, learning_rate=0.5)["label"] == "SGD, rate 0.5"
    assert one.fork(fork_of="sgd", at_step=40, learning_rate=0.5)["label"] == "GD, rate 0.5"
    at_once = one.fork(fork_of="run-4", batch_size=8)
    assert at_once["label"] == "GD, batch 8", "the parent's edit at that step is left out"


def test_the_lane_of_a_fork_is_that_of_its_own_method() -> None:
    """It had the lane of its parent's method at step 0: a star, or the diamond of mini-batches."""
    one = Examined({})
    one.step(30)
    one.fork(fork_of="gd", at_step=10, optimizer="adam", batch_size=8)
    one.step(10)
    one.fork(fork_of="run-3", batch_size=4)
    one.fork(fork_of="sgd", batch_size=16)
    one.step(10)
    one.one.edit("run-5", EditRun(optimizer="rmsprop"), one.clock.now)
    assert [each.lane for each in one.one.figure_view().runs] == ["a", "b", "e", "g", "c"]
