"""Complaints in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from fallline.vocabulary.commands import COMMANDS
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.recipe import Recipe
from fallline.web.validation_messages import invalid
from support.work import counted

CASES: list[tuple[type[BaseModel], dict[str, Any], dict[str, str]]] = [
    (Recipe, {"lr": 1}, {"/lr": "is not a known field: check its spelling, or leave it out"}),
    (Recipe, {"data": {"samples": "900"}}, {"/data/samples": "must be a whole number"}),
    (Recipe, {"data": {"samples": 900.0}}, {"/data/samples": "must be a whole number"}),
    (Recipe, {"data": {"samples": True}}, {"/data/samples": "must be a whole number"}),
    (Recipe, {"data": {"samples": 0}}, {"/data/samples": "must be at least 1"}),
    (Recipe, {"data": {"test_fraction": 1}}, {"/data/test_fraction": "must be less than 1"}),
    (Recipe, {"data": []}, {"/data": "must be an object"}),
    (Recipe, {"network": {"layers": [{}]}}, {"/network/layers/0/units": "is required"}),
    (Recipe, {"network": {"layers": {}}}, {"/network/layers": "must be a list"}),
    (Recipe, {"network": {"weights": 3}}, {"/network/weights": "must be a text or an object"}),
    (Recipe, {"network": {"weights": {"scale": 3}}}, {"/network/weights/name": "is required"}),
    (
        Recipe,
        {"runs": [{"schedule": {"name": "step", "evry": 3}}]},
        {"/runs/0/schedule/evry": "is not a known field: check its spelling, or leave it out"},
    ),
    (Recipe, {"runs": [{}, {"learning_rate": 0}]}, {"/runs/1/learning_rate": "must be greater than 0"}),
    (Recipe, {"runs": [{"order": "up"}]}, {"/runs/0/order": "must be 'shuffle' or 'sequential'"}),
    (Recipe, {"runs": []}, {"/runs": "must have at least 1 entry"}),
    (COMMANDS["play"], {"speed": "fast"}, {"/speed": "must be a number or 'max'"}),
    (
        COMMANDS["edit"],
        {"learning_rate": None, "batch_size": None, "order": None},
        dict.fromkeys(("/learning_rate", "/order"), "must not be null: omit it to leave it unchanged"),
    ),
    (
        Recipe,
        {"runs": [{"edits": [{"at_step": 3, "momentum": None}]}]},
        {"/runs/0/edits/0/momentum": "must not be null: omit it to leave it unchanged"},
    ),
    (COMMANDS["step"], {"steps": 2_000_000}, {"/steps": "must be at most 1,000,000"}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body", "sayings"), CASES)
def test_the_place_and_what_would_be_right(
    model: type[BaseModel], body: dict[str, Any], sayings: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(body)
    assert {error.pointer: error.detail for error in invalid(raised.value, body).errors} == sayings


def test_what_came_in_is_never_repeated() -> None:
    body = {"loss": "hunter2-secret", "runs": [{"name": "hunter2 SECRET", "order": "hunter2-secret"}]}
    with pytest.raises(ValidationError) as raised:
        Recipe.model_validate(body)
    told: InvalidRequest = invalid(raised.value, body)
    assert "hunter2" not in str(told) + str(told.members())
    assert len(told.errors) == 3


def test_twenty_complaints_are_worded_and_of_the_rest_it_says_that_there_are_some() -> None:
    body = {f"field_{place:05}": 1 for place in range(5_000)}
    with pytest.raises(ValidationError) as raised:
        Recipe.model_validate(body)
    with counted(5_000):
        told = invalid(raised.value, body)
    assert len(told.errors) == 20
    assert told.members()["more_errors"] is True
    assert told.detail.endswith("; and more")


def test_nothing_is_said_of_more_where_all_is_told() -> None:
    body = {f"field_{place:05}": 1 for place in range(20)}
    with pytest.raises(ValidationError) as raised:
        Recipe.model_validate(body)
    told = invalid(raised.value, body)
    assert len(told.errors) == 20
    assert "more_errors" not in told.members()
