"""Validation errors as plain messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

import fallline
from fallline.vocabulary.commands import COMMANDS
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.recipe import Recipe
from fallline.web.errors import invalid
from support.work import counted

CASES: list[tuple[type[BaseModel], dict[str, Any], dict[str, str]]] = [
    (Recipe, {"lr": 1}, {"/lr": "is not a known field: check its spelling, or leave it out"}),
    (Recipe, {"runs": [{"name": "a b"}]}, {"/runs/0/name": "must have 1 to 32 of the characters a-z, 0-9, _ and -"}),
    (Recipe, {"data": {"samples": "900"}}, {"/data/samples": "must be a whole number"}),
    (Recipe, {"data": {"samples": 900.5}}, {"/data/samples": "must be a whole number"}),
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
    (Recipe, {"runs": [{"order": "up"}]}, {"/runs/0/order": "must be 'shuffle', 'sequential' or 'replacement'"}),
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
    (
        COMMANDS["add_run"],
        {"at_step": 3, "redraw": {"layers": [1]}},
        dict.fromkeys(("/at_step", "/redraw"), "must be left out without fork_of, the run to continue from"),
    ),
    (
        COMMANDS["add_run"],
        {"fork_of": "A B", "at_step": 3},
        {"/fork_of": "must have 1 to 32 of the characters a-z, 0-9, _ and -"},
    ),
    (
        COMMANDS["edit"],
        {"stop": [{"when": "train_loss"}, {"when": "layer_dies", "steps": 1}]},
        {
            "/stop/0": "must have either above or below with train_loss, and no other field",
            "/stop/1": "must have no other field with layer_dies",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body", "sayings"), CASES)
def test_an_error_has_its_pointer_and_what_would_be_right(
    model: type[BaseModel], body: dict[str, Any], sayings: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(body)
    assert {error.pointer: error.detail for error in invalid(raised.value, body).errors} == sayings


def test_rejected_values_are_never_repeated() -> None:
    body = {"loss": "hunter2-secret", "runs": [{"name": "hunter2 SECRET", "order": "hunter2-secret"}]}
    with pytest.raises(ValidationError) as raised:
        Recipe.model_validate(body)
    error: InvalidRequest = invalid(raised.value, body)
    assert "hunter2" not in str(error) + str(error.members())
    assert len(error.errors) == 3


def test_twenty_errors_are_described_and_more_are_indicated() -> None:
    body = {f"field_{place:05}": 1 for place in range(5_000)}
    with pytest.raises(ValidationError) as raised:
        Recipe.model_validate(body)
    with counted(5_000):
        error = invalid(raised.value, body)
    assert len(error.errors) == 20
    assert error.members()["more_errors"] is True
    assert error.detail.endswith("; and more")


def test_without_more_errors_none_are_indicated() -> None:
    body = {f"field_{place:05}": 1 for place in range(20)}
    with pytest.raises(ValidationError) as raised:
        Recipe.model_validate(body)
    error = invalid(raised.value, body)
    assert len(error.errors) == 20
    assert "more_errors" not in error.members()


def test_every_pattern_is_described_in_words() -> None:
    sources = Path(fallline.__file__).parent.rglob("*.py")
    patterns = {
        each for path in sources for each in re.findall(r'Field\(pattern=r"([^"]+)"', path.read_text())
    }
    assert len(patterns) >= 4
    for pattern in patterns:
        with pytest.raises(ValidationError) as refused:
            TypeAdapter(Annotated[str, Field(pattern=pattern)]).validate_python("\n")
        (error,) = invalid(refused.value, "\n").errors
        assert re.fullmatch(r"must have 1 to \d+ of the characters .+ and .", error.detail), error
