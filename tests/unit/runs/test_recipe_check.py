"""Checks of recipes: known names, defaults, and errors that point at fields."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import patch

import pytest
from pydantic import BaseModel

from fallline.engine.data.datasets import DATASETS
from fallline.runs.checks.catalog import catalog
from fallline.runs.checks.recipe import check_recipe
from fallline.runs.checks.run import BOUNDS, parameter_count
from fallline.vocabulary.errors import InvalidRequest, TooExpensive
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, Recipe, RunRecipe
from support.problems import blobs


def filled(recipe: dict[str, Any]) -> dict[str, Any]:
    return check_recipe(Recipe.model_validate(recipe)).as_json()


def test_an_optimizers_own_parameters_are_filled_in() -> None:
    (run,) = filled({"runs": [{"optimizer": "adam", "beta1": 0.5}]})["runs"]
    assert (run["beta1"], run["beta2"], run["epsilon"]) == (0.5, 0.999, 1e-8)


def test_epsilon_is_each_optimizers_own() -> None:
    """Another optimizer adds its own defaults, also for a parameter of the same name."""
    edits = [{"at_step": 3, "optimizer": "adagrad"}, {"at_step": 5, "optimizer": "adamw"}]
    (run,) = filled({"runs": [{"optimizer": "rmsprop", "epsilon": 0.5, "edits": edits}]})["runs"]
    assert (run["decay"], run["epsilon"]) == (0.99, 0.5)
    assert [edit["epsilon"] for edit in run["edits"]] == [1e-10, 1e-8]
    assert run["edits"][1]["weight_decay"] == 0.01


def test_a_schedule_is_filled_in_without_defaults() -> None:
    runs = [
        {"schedule": "cosine"},
        {"schedule": {"name": "step", "factor": 0.1}},
        {"schedule": "constant", "l1": 0, "l2": 0.0, "clip_norm": None},
        {"schedule": {"name": "constant"}, "l2": 0.5, "clip_value": 3},
    ]
    cosine, step, plain, bounded = filled({"runs": runs})["runs"]
    assert cosine["schedule"] == {"name": "cosine", "steps": 1000, "least": 0.01}
    assert step["schedule"] == {"name": "step", "every": 1000, "factor": 0.1}
    assert plain == {**filled({"runs": [{}]})["runs"][0], "name": "run-3"}
    assert (bounded["l2"], bounded["clip_value"]) == (0.5, 3)
    assert bounded.keys() - plain.keys() == {"l2", "clip_value"}


def test_filling_in_a_recipe_twice_changes_nothing() -> None:
    run = {
        "optimizer": "adamw", "schedule": "warmup", "l1": 0.1, "clip_norm": 1.0,
        "edits": [{"at_step": 5, "schedule": "step", "clip_norm": None}, {"at_step": 7, "schedule": "constant"}],
    }  # fmt: skip
    once = filled({"runs": [run]})
    assert filled(once) == once
    assert once["runs"][0]["edits"] == [
        {"at_step": 5, "schedule": {"name": "step", "every": 1000, "factor": 0.5}, "clip_norm": None},
        {"at_step": 7, "schedule": "constant"},
    ]


def test_edits_are_put_in_order_merged_and_filled_in() -> None:
    edits = [
        {"at_step": 9, "learning_rate": 0.5},
        {"at_step": 4, "optimizer": "momentum"},
        {"at_step": 9, "learning_rate": 0.25, "momentum": 0.5},
    ]
    assert filled({"runs": [{"edits": edits}]})["runs"][0]["edits"] == [
        {"at_step": 4, "optimizer": "momentum", "momentum": 0.9},
        {"at_step": 9, "learning_rate": 0.25, "momentum": 0.5},
    ]


@pytest.mark.parametrize(
    ("recipe", "pointer"),
    [
        ({"data": {"name": "nothing"}}, "/data/name"),
        ({"data": {"samples": 1, "test_fraction": 0.9}}, "/data/test_fraction"),
        ({"network": {"layers": [{"units": 2, "activation": "gone"}]}}, "/network/layers/0/activation"),
        ({"network": {"output": "gone"}}, "/network/output"),
        ({"network": {"biases": "he"}}, "/network/biases"),
        ({"network": {"weights": {"name": "he", "scale": 2.0}}}, "/network/weights/scale"),
        ({"network": {"weights": "constant"}}, "/network/weights"),
        ({"network": {"biases": {"name": "constant", "scale": 2.0}}}, "/network/biases/scale"),
        ({"network": {"biases": {"name": "normal", "value": 2.0}}}, "/network/biases/value"),
        ({"loss": "gone"}, "/loss"),
        ({"runs": [{}, {"optimizer": "gone"}]}, "/runs/1/optimizer"),
        ({"runs": [{"momentum": 0.9}]}, "/runs/0/momentum"),
        ({"runs": [{"optimizer": "adam", "weight_decay": 0.1}]}, "/runs/0/weight_decay"),
        ({"runs": [{"optimizer": "rmsprop", "decay": 1.0}]}, "/runs/0/decay"),
        ({"runs": [{"optimizer": "adam", "bias_decay": 0.1}]}, "/runs/0/bias_decay"),
        ({"runs": [{"layer_rates": [1.0, 1.0]}]}, "/runs/0/layer_rates"),
        ({"runs": [{"edits": [{"at_step": 1, "layer_rates": [1.0] * 4}]}]}, "/runs/0/edits/0/layer_rates"),
        ({"runs": [{"optimizer": "lbfgs", "batch_size": 5}]}, "/runs/0/batch_size"),
        (
            {"runs": [{"optimizer": "lbfgs", "edits": [{"at_step": 1, "batch_size": 5}]}]},
            "/runs/0/edits/0/batch_size",
        ),
        (
            {"runs": [{"batch_size": 5, "edits": [{"at_step": 1, "optimizer": "lbfgs"}]}]},
            "/runs/0/edits/0/optimizer",
        ),
        ({"runs": [{"optimizer": "lbfgs", "history_size": 11}]}, "/runs/0/history_size"),
        ({"runs": [{"schedule": "gone"}]}, "/runs/0/schedule"),
        ({"runs": [{"schedule": {"name": "step", "steps": 3}}]}, "/runs/0/schedule/steps"),
        ({"runs": [{"schedule": {"name": "constant", "every": 3}}]}, "/runs/0/schedule/every"),
        ({"runs": [{"schedule": {"name": "step", "factor": 1.5}}]}, "/runs/0/schedule/factor"),
        ({"runs": [{"schedule": {"name": "step", "next": "cosine"}}]}, "/runs/0/schedule/next"),
        ({"runs": [{"schedule": {"name": "warmup", "next": "gone"}}]}, "/runs/0/schedule/next"),
        (
            {"runs": [{"schedule": {"name": "warmup", "next": {"name": "cosine", "every": 3}}}]},
            "/runs/0/schedule/next/every",
        ),
        (
            {"runs": [{"edits": [{"at_step": 1, "schedule": {"name": "warmup", "start": 0.0}}]}]},
            "/runs/0/edits/0/schedule/start",
        ),
        ({"runs": [{"optimizer": "momentum", "momentum": 1.0}]}, "/runs/0/momentum"),
        ({"runs": [{"edits": [{"at_step": 1, "beta1": 0.5}]}]}, "/runs/0/edits/0/beta1"),
        ({"runs": [{"edits": [{"at_step": 1}]}]}, "/runs/0/edits/0"),
        ({"runs": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}, "/runs/2/name"),
    ],
)
def test_an_error_points_at_its_field(recipe: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        filled(recipe)
    assert [error.pointer for error in refused.value.errors] == [pointer]


CLASSES = {f"blobs_{count}": blobs(count) for count in (2, 3)}
TWO, THREE = {"name": "blobs_2"}, {"name": "blobs_3"}


@pytest.mark.parametrize(
    ("recipe", "loss"),
    [
        ({}, "mse"),
        ({"data": TWO}, "binary_cross_entropy"),
        ({"data": THREE}, "softmax_cross_entropy"),
        ({"data": TWO, "loss": "mse"}, "mse"),
        ({"data": TWO, "loss": "softmax_cross_entropy"}, "softmax_cross_entropy"),
        ({"loss": {"name": "huber"}}, "huber"),
        ({"loss": {"name": "huber", "delta": 1.0}}, "huber"),
        ({"loss": {"name": "huber", "delta": 0.5}}, {"name": "huber", "delta": 0.5}),
    ],
)
def test_the_loss_is_filled_in_after_the_data(recipe: dict[str, Any], loss: Any) -> None:
    with patch.dict(DATASETS, CLASSES):
        assert filled(recipe)["loss"] == loss


@pytest.mark.parametrize(
    ("recipe", "pointer", "words"),
    [
        ({"data": THREE, "loss": "mse"}, "/loss", "must be a loss for 3 classes: softmax_cross_entropy"),
        ({"data": THREE, "loss": "binary_cross_entropy"}, "/loss", "softmax_cross_entropy"),
        ({"loss": "softmax_cross_entropy"}, "/loss", "must be a loss for a regression: mse, huber"),
        ({"data": TWO, "network": {"output": "sigmoid"}}, "/network/output", "identity"),
        ({"loss": {"name": "mse", "delta": 1.0}}, "/loss/delta", "mse has no parameters of its own"),
        ({"loss": {"name": "huber", "delta": 0.0}}, "/loss/delta", "above 0"),
    ],
)
def test_the_error_of_a_loss_that_does_not_fit_lists_those_that_do(
    recipe: dict[str, Any], pointer: str, words: str
) -> None:
    with patch.dict(DATASETS, CLASSES), pytest.raises(InvalidRequest) as refused:
        filled(recipe)
    (error,) = refused.value.errors
    assert error.pointer == pointer
    assert words in error.detail


def test_the_cost_of_a_recipe_counts_an_output_for_each_class() -> None:
    layers = {"layers": [{"units": 99_000 // 3, "activation": "relu"}]}
    with patch.dict(DATASETS, CLASSES), pytest.raises(TooExpensive) as refused:
        filled({"data": THREE, "network": layers})
    assert (refused.value.bound, refused.value.asked) == ("parameters", 33_000 * 3 + 33_001 * 3)


def test_the_full_batch_is_free_of_the_bound_on_mini_batches() -> None:
    assert filled({"runs": [{"batch_size": 900}]})["runs"][0]["batch_size"] == 900
    assert (
        filled({"data": {"samples": 5000}, "runs": [{"batch_size": None}]})["runs"][0]["batch_size"] is None
    )


def test_parameters_are_weights_and_biases() -> None:
    assert parameter_count([5, 4, 4, 1]) == 49


def test_the_catalog_names_every_row_with_its_parameters_and_the_bounds() -> None:
    listed = catalog()
    assert {row["name"] for row in listed["optimizers"]} == {
        "sgd", "momentum", "dampened_momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "rmsprop_momentum",
        "rmsprop_centered", "adam", "adamw", "amsgrad", "adamax", "nadam", "radam", "lion",
        "lbfgs",
    }, "add a new optimizer here: its name is part of recipes"  # fmt: skip
    assert {row["name"] for row in listed["schedules"]} == {
        "constant", "step", "exponential", "cosine", "cosine_restarts", "polynomial", "one_cycle", "plateau",
        "inverse_time",
        "warmup",
    }  # fmt: skip
    for title in ("datasets", "activations", "losses", "optimizers", "schedules", "initializers"):
        for row in listed[title]:
            assert row["help"]
            assert row["source"]
            for parameter in row["parameters"]:
                assert {"name", "schema", "default", "range", "unit", "help"} <= set(parameter)
    assert listed["bounds"] == BOUNDS
    assert listed["exhibits"][0]["name"] == "notebook"


def test_help_texts_of_the_catalog_do_not_mention_json() -> None:
    for title in ("datasets", "activations", "losses", "optimizers", "schedules", "initializers"):
        for row in catalog()[title]:
            helps = [row["help"], *(parameter["help"] for parameter in row["parameters"])]
            assert not any(re.search(r"\bnull\b", text) for text in helps), row["name"]
    for title in ("run_settings", "data_settings", "seeds"):
        for entry in catalog()[title]:
            assert not re.search(r"\bnull\b", entry["help"]), entry["name"]


def test_the_catalog_lists_run_settings_with_the_ranges_of_recipes() -> None:
    described = RunRecipe.model_json_schema()["properties"]
    for entry in catalog()["run_settings"]:
        field, schema = described[entry["name"]], entry["schema"]
        kinds = field.get("anyOf", [field])
        if schema["type"] == "array":
            schema, kinds = schema["items"], [kind["items"] for kind in kinds if kind["type"] == "array"]
        numbers = next(each for each in kinds if each["type"] in ("number", "integer"))
        for word in ("minimum", "exclusiveMinimum"):
            assert schema.get(word) == numbers.get(word), entry["name"]
        if entry["name"] != "batch_size":
            assert schema["maximum"] == numbers["maximum"]


def test_the_catalog_lists_data_settings_and_seeds_with_the_ranges_of_recipes() -> None:
    listed, described = catalog(), DataSettings.model_json_schema()["properties"]
    assert listed["standardize"] == described["standardize"]["enum"]
    for entry in listed["data_settings"]:
        field, bound = described[entry["name"]], BOUNDS.get(entry["name"])
        for word in ("minimum", "exclusiveMaximum"):
            assert entry["schema"].get(word) == field.get(word), entry["name"]
        assert entry["schema"]["default"] == field["default"]
        if "maximum" in field:
            assert entry["schema"]["maximum"] == (field["maximum"] if bound is None else bound)
    parts: tuple[type[BaseModel], ...] = (DataSettings, NetworkSettings, RunRecipe)
    assert [entry["name"] for entry in listed["seeds"]] == ["data", "network", "runs"]
    for entry, part in zip(listed["seeds"], parts, strict=True):
        field = part.model_json_schema()["properties"]["seed"]
        assert (entry["schema"]["minimum"], entry["schema"]["maximum"] + 1) == (
            field["minimum"], field["exclusiveMaximum"],
        )  # fmt: skip


def test_a_bound_is_off_by_default_and_the_catalog_has_a_value_for_it() -> None:
    settings = {entry["name"]: entry for entry in catalog()["run_settings"]}
    for name in ("clip_norm", "clip_value"):
        assert settings[name]["default"] is None
        assert settings[name]["schema"]["type"] == ["number", "null"]
        assert settings[name]["when_on"] == 1.0
    for name in ("l1", "l2"):
        assert settings[name]["default"] == 0.0
        assert settings[name]["source"]


@pytest.mark.parametrize(
    ("recipe", "error"),
    [
        ({"data": {"name": "xor", "features": 3}}, "/data/features: must be 2, the number of inputs of xor"),
        ({"data": {"test_fraction": 0.9999}}, "/data/test_fraction: must leave at least one training sample"),
        ({"data": {"label_noise": 0.5}}, "/data/label_noise: must be 0: log_linear is a regression"),
        ({"data": {"name": "csv"}}, "/data/dataset: must be the id of a stored table"),
        ({"data": {"degree": 3}}, "/data/degree: must be left out: log_linear has no parameters of its own"),
        ({"network": {"start": "gone"}}, "/network/start: must be the id of stored parameters"),
        ({"network": {"output": "gone"}}, "/network/output: must be the name of a known activation"),
        ({"loss": "softmax_cross_entropy"}, "/loss: must be a loss for a regression: mse, huber"),
        ({"runs": [{"name": "a"}, {"name": "a"}]}, "/runs/1/name: must be a name that no other run has"),
        ({"runs": [{"layer_rates": [1]}]}, "/runs/0/layer_rates: must have 3 factors"),
        ({"runs": [{"stop": [{"when": "test_loss", "above": 1}]}]}, "/runs/0/stop/0/when: must be a condition of"),
        ({"runs": [{"schedule": {"name": "step", "every": 0}}]}, "/runs/0/schedule/every: must be a whole number"),
    ],
)  # fmt: skip
def test_an_error_says_what_its_field_must_be(recipe: dict[str, Any], error: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        filled(recipe)
    assert str(refused.value).startswith(error), refused.value
