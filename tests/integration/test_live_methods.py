"""Every method is set and removed in a playing run, which its recipe then replays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from integration.test_socket import line_to
from support.serving import Experiment, Server, created

RECIPE: dict[str, Any] = {
    "data": {"samples": 60, "standardize": "both", "test_fraction": 0.25},
    "network": {"layers": [{"units": 4, "activation": "tanh"}]},
    "runs": [{"name": "r", "learning_rate": 0.003, "batch_size": 7}],
}
EDITS: list[dict[str, Any]] = [
    {"l2": 0.05},
    *({"optimizer": name, "batch_size": None if row.tables else 7} for name, row in OPTIMIZERS.items()),
    {"optimizer": "adamw", "batch_size": 7, "weight_decay": 0.2, "learning_rate": 0.002},
    {"l1": 0.01, "l2": 0},
    *({"schedule": name} for name in SCHEDULES),
    {"schedule": {"name": "step", "every": 9, "factor": 0.9}},
    {"schedule": {"name": "plateau", "every": 10, "patience": 0}},
    {"schedule": {"name": "warmup", "steps": 5, "next": {"name": "polynomial", "steps": 30}}},
    {"clip_norm": 0.3},
    {"clip_norm": None, "clip_value": 0.02},
    {"optimizer": "rmsprop", "decay": 0.9},
    {"schedule": "constant", "batch_size": 1},
    {"clip_value": None, "l1": 0},
    {"optimizer": "nesterov", "l2": 0.02},
    {"clip_norm": 0.5, "batch_size": None},
]


async def step_of(one: Experiment) -> int:
    run = (await one.get()).json()["runs"][0]
    assert run["status"] == "playing"
    return int(run["step"])


async def edit_while_playing(
    one: Experiment, edit: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
) -> None:
    """Make all edits with steps between them, then train the recipe from its start."""
    # not at full speed: the twin makes all steps again, and edits over the socket wait for their turn
    assert (await one.ask("POST", "/play", {"speed": 2_000})).status_code == 200
    for change in EDITS:
        answer = await edit(change)
        for name, value in change.items():
            if name != "schedule":
                assert answer[name] == value
        while await step_of(one) < answer["at_step"] + 12:
            await asyncio.sleep(0.001)
    state = (await one.ask("POST", "/pause")).json()
    recipe = (await one.get("/recipe")).json()
    assert len(recipe["runs"][0]["edits"]) == len(EDITS)
    twin = await created(one.client, recipe)
    stepped = await twin.ask("POST", "/step", {"steps": state["runs"][0]["step"]})
    assert stepped.status_code == 200, stepped.text
    for view in ("/runs/r/snapshot", "/runs/r/history?series=objective&series=batch_loss&buckets=300"):
        here, there = [(await each.get(view)).json() for each in (one, twin)]
        for columns in (here, there):
            columns.pop("seconds", None)
        assert here == there


async def test_every_method_edited_over_rest_is_replayed_to_the_bit(client: httpx.AsyncClient) -> None:
    one = await created(client, RECIPE)

    async def edit(change: dict[str, Any]) -> dict[str, Any]:
        answer = await one.ask("PATCH", "/runs/r", change)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    await edit_while_playing(one, edit)


async def test_every_method_edited_over_the_socket_is_replayed_to_the_bit(shared_server: Server) -> None:
    async with (
        httpx.AsyncClient(base_url=shared_server.url, timeout=90) as client,
        line_to(shared_server) as line,
    ):
        one = await created(client, RECIPE)
        await line.watch(one, series=["batch_loss"], fps=1)

        async def edit(change: dict[str, Any]) -> dict[str, Any]:
            while (ack := await line.command(one, "edit", run="r", **change))["type"] == "error":
                assert ack["problem"]["status"] == 429, ack
                await asyncio.sleep(ack["problem"]["retry_after"])
            return dict(ack["answer"])

        await edit_while_playing(one, edit)


async def test_a_reset_keeps_the_methods_and_starts_the_clock_again(client: httpx.AsyncClient) -> None:
    one = await created(client, RECIPE)
    await one.ask("POST", "/step", {"steps": 30})
    change = {"schedule": {"name": "cosine", "steps": 20}, "l2": 0.1, "clip_value": 0.5}
    await one.ask("PATCH", "/runs/r", change)
    await one.ask("POST", "/step", {"steps": 30})
    await one.ask("POST", "/reset")
    (run,) = (await one.get("/recipe")).json()["runs"]
    assert run["schedule"] == {"name": "cosine", "steps": 20, "least": 0.01}
    assert (run["l2"], run["clip_value"], run["edits"]) == (0.1, 0.5, [])
    await one.ask("POST", "/step", {"steps": 25})
    twin = await created(client, {**RECIPE, "runs": [{**RECIPE["runs"][0], **change}]})
    await twin.ask("POST", "/step", {"steps": 25})
    here, there = [(await each.get("/runs/r/snapshot")).json() for each in (one, twin)]
    assert (here["parameters"], here["gradients"]) == (there["parameters"], there["gradients"])


@pytest.mark.parametrize(
    ("change", "pointer", "right"),
    [
        (
            {"schedule": "gone"},
            "/schedule",
            f"must be the name of a known schedule: {', '.join(SCHEDULES)}",
        ),
        ({"schedule": {"name": "gone"}}, "/schedule", "constant, step"),
        ({"schedule": {"name": "step", "every": 0}}, "/schedule/every", "whole number of at least 1"),
        ({"schedule": {"name": "cosine", "factor": 0.5}}, "/schedule/factor", "cosine has steps, least"),
        ({"schedule": {"name": "warmup", "steps": 2.5}}, "/schedule/steps", "whole number"),
        ({"schedule": {"every": 3}}, "/schedule/name", "required"),
        ({"schedule": {"name": "step", "colour": 3}}, "/schedule/colour", "not a known field"),
        ({"schedule": None}, "/schedule", "omit it"),
        ({"l1": -0.1}, "/l1", "at least 0"),
        ({"l2": None}, "/l2", "omit it"),
        ({"clip_norm": 0}, "/clip_norm", "greater than 0"),
        ({"clip_value": "1"}, "/clip_value", "a number"),
        ({"optimizer": "lbfgs"}, "/optimizer", "a full batch (batch_size: null)"),
        ({"optimizer": "lbfgs", "batch_size": 9}, "/batch_size", "a full batch (batch_size: null)"),
        ({"weight_decay": 0.1}, "/weight_decay", "sgd has no parameters of its own"),
        ({"optimizer": "adamw", "decay": 0.1}, "/decay", "adamw has beta1, beta2, epsilon, weight_decay"),
    ],
)
async def test_errors_in_a_method_have_pointers(
    client: httpx.AsyncClient, change: dict[str, Any], pointer: str, right: str
) -> None:
    one = await created(client, RECIPE)
    answer = await one.ask("PATCH", "/runs/r", change)
    assert answer.status_code == 422
    errors = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert right in errors[pointer], errors


async def test_naming_an_optimizer_again_at_the_same_step_keeps_its_settings(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, RECIPE)
    for change in ({"optimizer": "momentum", "momentum": 0.5}, {"optimizer": "momentum"}):
        answer = (await one.ask("PATCH", "/runs/r", change)).json()
        assert answer == {"run": "r", "at_step": 0, "optimizer": "momentum", "momentum": 0.5}
    (edit,) = (await one.get("/recipe")).json()["runs"][0]["edits"]
    assert edit == {"at_step": 0, "optimizer": "momentum", "momentum": 0.5}
