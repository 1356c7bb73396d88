"""Recipes: defaults, names, and how edits change settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import Edit, RunSettings, ScheduleSettings

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


def test_an_empty_recipe_is_the_notebooks() -> None:
    assert Recipe.model_validate({}).as_json() == NOTEBOOK


def test_a_recipe_survives_serialisation() -> None:
    recipe = Recipe.model_validate(
        {
            "network": {"weights": {"name": "normal", "scale": 0.1}},
            "runs": [{"label": "Mine", "edits": [{"at_step": 3, "batch_size": None}]}],
        }
    )
    assert Recipe.model_validate(recipe.as_json()) == recipe
    assert recipe.as_json()["runs"][0]["edits"] == [{"at_step": 3, "batch_size": None}]


def test_runs_without_a_name_get_their_place_or_the_next_free_number() -> None:
    assert names({}, {}, {"name": "x"}, {}) == ["run-1", "run-2", "x", "run-4"]
    assert names({"name": "run-2"}, {}) == ["run-2", "run-3"]


def test_missing_fields_of_a_run_are_those_of_gd() -> None:
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
def test_an_edit_applies_from_the_step_it_names(step: int, settings: RunSettings) -> None:
    assert EDITED.settings_at(step) == settings


PENALISED = RunRecipe(
    l2=0.1,
    clip_norm=2.0,
    schedule="cosine",
    edits=[
        Edit(at_step=4, l1=0.5, l2=0.0),
        Edit(at_step=6, clip_norm=None, clip_value=1.0),
        Edit(at_step=9, schedule=ScheduleSettings(name="step", every=5)),
        Edit(at_step=12, learning_rate=0.2),
    ],
)


def test_penalties_and_bounds_are_settings_and_null_removes_a_bound() -> None:
    def limits(step: int) -> tuple[float, float, float | None, float | None]:
        settings = PENALISED.settings_at(step)
        return settings.l1, settings.l2, settings.clip_norm, settings.clip_value

    assert [limits(step) for step in (0, 4, 6)] == [
        (0, 0.1, 2.0, None),
        (0.5, 0, 2.0, None),
        (0.5, 0, None, 1.0),
    ]


def test_the_clock_of_a_schedule_is_part_of_the_settings() -> None:
    clocks = [
        (settings.schedule.name, settings.schedule_since)
        for settings in (PENALISED.settings_at(step) for step in (0, 8, 9, 100))
    ]
    assert clocks == [("cosine", 0), ("cosine", 0), ("step", 9), ("step", 9)]


def test_settings_leave_out_defaults() -> None:
    assert RunRecipe().settings.as_json().keys() == {"optimizer", "learning_rate", "batch_size", "order"}
    assert PENALISED.settings_at(6).as_json() == {
        "optimizer": "sgd", "learning_rate": 0.1, "batch_size": None, "order": "shuffle",
        "schedule": "cosine", "l1": 0.5, "clip_value": 1.0,
    }  # fmt: skip


def test_serialised_edits_contain_every_change() -> None:
    read_back = RunRecipe.model_validate(json.loads(PENALISED.model_dump_json()))
    assert read_back == PENALISED
    assert [edit.changes() for edit in read_back.edits] == [
        {"l1": 0.5, "l2": 0.0},
        {"clip_norm": None, "clip_value": 1.0},
        {"schedule": {"name": "step", "every": 5}},
        {"learning_rate": 0.2},
    ]


def test_segments_are_cut_at_edits_and_nowhere_else() -> None:
    assert [(first, stop) for first, stop, _ in EDITED.segments(0, 10)] == [(0, 3), (3, 5), (5, 8), (8, 10)]
    assert [(first, stop) for first, stop, _ in EDITED.segments(5, 8)] == [(5, 8)]
    assert list(EDITED.segments(4, 4)) == []


def test_a_copy_with_other_edits_or_settings_has_its_own_settings_at_each_step() -> None:
    assert EDITED.settings_at(9).optimizer == "adam"
    fork = EDITED.model_copy(update={"edits": EDITED.edits[:1], "learning_rate": 0.5})
    assert fork.settings_at(9) == RunSettings("sgd", 0.5, 1, "shuffle")
    assert list(fork.segments(2, 4)) == [(2, 3, fork.settings_at(2)), (3, 4, fork.settings_at(3))]
    assert fork == RunRecipe.model_validate(fork.model_dump())


@pytest.mark.parametrize(
    "label",
    ["Team \U0001f469\u200d\U0001f3eb", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u2764\ufe0f"],
)
def test_a_label_may_have_joiners_of_emoji_and_scripts(label: str) -> None:
    assert Recipe.model_validate({"runs": [{"label": label}]}).runs[0].label == label


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
        {"runs": [{"label": "a\u2028b"}]},
        {"runs": [{"label": "a\u2029b"}]},
        {"runs": [{"label": "a\u2067b"}]},
        {"runs": [{"label": "a\x85b"}]},
        {"runs": [{"label": "a\nb"}]},
        {"runs": [{"label": "\u200d"}]},
        {"runs": []},
        {"runs": [{"edits": [{"at_step": 1, "learning_rate": None}]}]},
        {"runs": [{"colour": "red"}]},
        {"runs": [{"l1": -0.1}]},
        {"runs": [{"l2": 1e7}]},
        {"runs": [{"clip_norm": 0}]},
        {"runs": [{"clip_value": "1"}]},
        {"runs": [{"schedule": {"steps": 3}}]},
        {"runs": [{"schedule": {"name": "cosine", "steps": 2.5}}]},
        {"runs": [{"edits": [{"at_step": 1, "l1": None}]}]},
        {"runs": [{"edits": [{"at_step": 1, "schedule": None}]}]},
        {"data": {"seed": -1}},
    ],
)
def test_an_invalid_recipe_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate(wrong)
