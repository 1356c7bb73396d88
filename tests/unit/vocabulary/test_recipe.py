"""What a recipe is: defaults, names, and the fold of edits into settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit, RunSettings

NOTEBOOK = json.loads("""
{"data":    {"name": "log_linear", "samples": 900, "features": 5, "noise": 0, "test_fraction": 0,
             "standardize": "none", "seed": 0},
 "network": {"layers": [{"units": 4, "activation": "relu"}, {"units": 4, "activation": "relu"}],
             "output": "identity", "weights": "normal", "biases": "normal", "seed": 0},
 "loss":    "mse",
 "runs":    [{"name": "gd",  "optimizer": "sgd", "learning_rate": 0.1,  "batch_size": null, "order": "shuffle",
              "seed": 0, "edits": []},
             {"name": "sgd", "optimizer": "sgd", "learning_rate": 0.01, "batch_size": 1, "order": "shuffle",
              "seed": 0, "edits": []}]}
""")


def names(*runs: dict[str, Any]) -> list[str]:
    return [run.name for run in Recipe.model_validate({"runs": list(runs)}).runs]


def test_nothing_said_is_the_notebooks_recipe() -> None:
    assert Recipe.model_validate({}).as_json() == NOTEBOOK


def test_a_recipe_written_out_reads_back_as_itself() -> None:
    recipe = Recipe.model_validate(
        {
            "network": {"weights": {"name": "normal", "scale": 0.1}},
            "runs": [{"label": "Mine", "edits": [{"at_step": 3, "batch_size": None}]}],
        }
    )
    assert Recipe.model_validate(recipe.as_json()) == recipe
    assert recipe.as_json()["runs"][0]["edits"] == [{"at_step": 3, "batch_size": None}]


def test_the_nameless_are_called_after_their_place_or_by_the_next_free_number() -> None:
    assert names({}, {}, {"name": "x"}, {}) == ["run-1", "run-2", "x", "run-4"]
    assert names({"name": "run-2"}, {}) == ["run-2", "run-3"]


def test_fields_of_a_run_left_out_are_those_of_gd() -> None:
    (run,) = Recipe.model_validate({"runs": [{"name": "a"}]}).runs
    assert run == RunRecipe(
        name="a", optimizer="sgd", learning_rate=0.1, batch_size=None, order="shuffle", seed=0
    )


EDITED = RunRecipe(
    edits=[
        Edit(at_step=3, batch_size=1),
        Edit(at_step=5, optimizer="momentum", momentum=0.5),
        Edit(at_step=8, batch_size=None, optimizer="adam", beta1=0.9, beta2=0.99, epsilon=1e-8),
    ]
)


@pytest.mark.parametrize(
    ("step", "settings"),
    [
        (2, RunSettings("sgd", 0.1, None, "shuffle")),
        (3, RunSettings("sgd", 0.1, 1, "shuffle")),
        (7, RunSettings("momentum", 0.1, 1, "shuffle", {"momentum": 0.5})),
        (8, RunSettings("adam", 0.1, None, "shuffle", {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8})),
    ],
)
def test_an_edit_is_in_force_from_the_step_it_names(step: int, settings: RunSettings) -> None:
    assert EDITED.settings_at(step) == settings


def test_segments_are_cut_where_edits_stand_and_nowhere_else() -> None:
    assert [(first, stop) for first, stop, _ in EDITED.segments(0, 10)] == [(0, 3), (3, 5), (5, 8), (8, 10)]
    assert [(first, stop) for first, stop, _ in EDITED.segments(5, 8)] == [(5, 8)]
    assert list(EDITED.segments(4, 4)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"samples": "900"}},
        {"data": {"samples": 1.0}},
        {"data": {"samples": True}},
        {"runs": [{"learning_rate": 0}]},
        {"runs": [{"learning_rate": float("nan")}]},
        {"runs": [{"name": "Upper"}]},
        {"runs": [{"label": "a\u202eb"}]},
        {"runs": []},
        {"runs": [{"edits": [{"at_step": 1, "learning_rate": None}]}]},
        {"runs": [{"colour": "red"}]},
        {"data": {"seed": -1}},
    ],
)
def test_what_is_not_a_recipe_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate(wrong)
