"""Whole numbers as JSON has them: 900, 900.0 and 9e2 are the same number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from fallline.vocabulary.commands import COMMANDS
from fallline.vocabulary.messages import Got, Ping, Posted, Watch
from fallline.vocabulary.recipe import Recipe

RUN = {
    "batch_size": 8,
    "seed": 1,
    "history_size": 4,
    "schedule": {"name": "step", "every": 500, "next": {"name": "plateau", "steps": 9, "growth": 2, "patience": 3}},
    "stop": [{"when": "loss_stalls", "steps": 5}],
}  # fmt: skip
EDIT = {"batch_size": 4, "redraw": {"layers": [1, 2]}}
BODIES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (
        Recipe,
        {
            "data": {"name": "polynomial", "samples": 60, "features": 1, "degree": 3, "seed": 2},
            "network": {"layers": [{"units": 4}], "seed": 3},
            "runs": [{**RUN, "origin": {"run": "gd", "at_step": 3}, "edits": [{**EDIT, "at_step": 7}]}],
        },
    ),
    (COMMANDS["play"], {"until": {"steps": 5}}),
    (COMMANDS["play"], {"until": {"samples": 5}}),
    (COMMANDS["step"], {"steps": 5}),
    (COMMANDS["step"], {"epochs": 5}),
    (COMMANDS["edit"], EDIT),
    (COMMANDS["add_run"], {"fork_of": "gd", "at_step": 3, **RUN}),
    (Watch, {"type": "watch", "experiment": "x", "buckets": 5, "since": {"gd": {"generation": 1, "step": 2}}}),
    (Got, {"type": "got", "frame": 1}),
    (Ping, {"type": "ping", "id": 1}),
    (Posted, {"seq": 1, "after": 2, "messages": []}),
]  # fmt: skip


def with_points(value: Any) -> Any:
    """Return the value with each whole number as a float."""
    if isinstance(value, dict):
        return {name: with_points(each) for name, each in value.items()}
    if isinstance(value, list):
        return [with_points(each) for each in value]
    return float(value) if isinstance(value, int) else value


def integers(schema: Any, name: str = "") -> Iterator[str]:
    """Yield the names of the fields that a JSON schema describes as integers."""
    if isinstance(schema, list):
        for each in schema:
            yield from integers(each, name)
    elif isinstance(schema, dict):
        if schema.get("type") == "integer":
            yield name
        for key, each in schema.items():
            if key in ("properties", "$defs"):
                for field, inner in each.items():
                    yield from integers(inner, field)
            elif key in ("anyOf", "oneOf", "items", "additionalProperties"):
                yield from integers(each, name)


def names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from names(each)
    elif isinstance(value, list):
        for each in value:
            yield from names(each)


@pytest.mark.parametrize(("model", "body"), BODIES)
def test_a_whole_number_may_be_written_with_a_point(model: type[BaseModel], body: dict[str, Any]) -> None:
    written = model.model_validate(with_points(body))
    assert repr(written) == repr(model.model_validate(body))


def test_every_field_of_a_whole_number_is_checked() -> None:
    models = {model for model, _ in BODIES} | set(COMMANDS.values())
    fields = {name for model in models for name in integers(model.model_json_schema())}
    assert len(fields) > 15
    assert fields <= {name for _, body in BODIES for name in names(body)}
