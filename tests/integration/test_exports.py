"""Exported files over REST: complete, well named, with the same numbers."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import numpy as np
import pytest

from fallline.exports.table import EXPORTS
from support.serving import Experiment, created, open_app

FILES = tuple(EXPORTS)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_app(kernel="numpy") as (_, client):
        yield client


@pytest.fixture
async def one(client: httpx.AsyncClient) -> Experiment:
    """An experiment with many kinds of edits, a fork, and steps in between."""
    recipe = {
        "data": {"name": "moons", "samples": 90, "test_fraction": 0.2, "noise": 0.1},
        "network": {"layers": [{"units": 5, "activation": "tanh"}]},
        "runs": [
            {"name": "gd", "label": 'not """ a \\ end'},
            {"name": "sgd", "batch_size": 1, "learning_rate": 0.02},
        ],
    }
    one = await created(client, recipe)
    await one.ask("POST", "/step", {"steps": 40})
    await one.ask("PATCH", "/runs/gd", {"batch_size": 7, "optimizer": "adam", "learning_rate": 0.01})
    await one.ask("POST", "/step", {"steps": 30})
    await one.ask(
        "PATCH", "/runs/gd", {"schedule": {"name": "cosine", "steps": 20}, "l2": 0.01, "clip_norm": 1}
    )
    await one.ask("POST", "/step", {"steps": 50})
    fork = {"name": "fork", "fork_of": "gd", "at_step": 60, "optimizer": "momentum", "batch_size": 1}
    assert (await one.ask("POST", "/runs", fork)).status_code == 201
    await one.ask("POST", "/step", {"steps": 25})
    return one


async def losses(one: Experiment, run: str) -> list[float]:
    columns = (await one.get(f"/runs/{run}/history", series="batch_loss", buckets=10_000)).json()
    values: list[float] = columns["series"]["batch_loss"]["last"]
    assert len(values) == columns["last"][-1] + 1
    return values


async def run_script(one: Experiment, folder: Path, **query: str) -> list[tuple[int, float]]:
    path = folder / "script.py"
    path.write_bytes((await one.get("/export/script.py", **query)).content)
    output = subprocess.run(
        [sys.executable, "-I", path], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    return [(int(step), float(loss)) for step, loss in (line.split() for line in output.splitlines())]


@pytest.mark.parametrize("run", ["gd", "sgd", "fork"])
async def test_the_script_prints_the_runs_history_with_edits_and_forks(
    one: Experiment, tmp_path: Path, run: str
) -> None:
    # The server used the NumPy kernel on this machine: all digits are equal.
    assert await run_script(one, tmp_path, run=run) == list(enumerate(await losses(one, run)))


async def test_without_a_run_name_the_script_has_the_first_run(one: Experiment, tmp_path: Path) -> None:
    assert await run_script(one, tmp_path) == list(enumerate(await losses(one, "gd")))


async def test_the_script_of_a_run_by_the_kernel_that_serves_is_equal_to_rounding(tmp_path: Path) -> None:
    async with open_app() as (_, client):
        one = await created(client, {"runs": [{"name": "gd", "edits": [{"at_step": 70, "batch_size": 1}]}]})
        await one.ask("POST", "/step", {"steps": 150})
        printed = [loss for _, loss in await run_script(one, tmp_path)]
        np.testing.assert_allclose(printed, await losses(one, "gd"), rtol=1e-12)


TEXT = {"type": "array", "items": {"type": "string"}}
CELL = {
    "id": {"type": "string", "pattern": "^[a-zA-Z0-9-_]{1,64}$"},
    "metadata": {"type": "object"},
    "source": TEXT,
}
NOTEBOOK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["cells", "metadata", "nbformat", "nbformat_minor"],
    "properties": {
        "nbformat": {"const": 4},
        "nbformat_minor": {"const": 5},
        "metadata": {
            "type": "object",
            "properties": {
                "kernelspec": {"type": "object", "required": ["name", "display_name"]},
                "language_info": {"type": "object", "required": ["name"]},
            },
        },
        "cells": {
            "type": "array",
            "items": {
                "oneOf": [
                    {
                        "required": ["id", "cell_type", "metadata", "source"],
                        "properties": {**CELL, "cell_type": {"const": "markdown"}},
                        "additionalProperties": False,
                    },
                    {
                        "required": ["id", "cell_type", "metadata", "source", "outputs", "execution_count"],
                        "properties": {
                            **CELL,
                            "cell_type": {"const": "code"},
                            "outputs": {"type": "array"},
                            "execution_count": {"type": ["integer", "null"]},
                        },
                        "additionalProperties": False,
                    },
                ]
            },
        },
    },
}
"""What nbformat 4.5 asks of the cells that are used here; nbformat itself would bring a dozen packages along."""

EXECUTE = """import json, sys
namespace = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
"""


async def execute_notebook(one: Experiment, folder: Path, **query: str) -> tuple[dict[int, float], float]:
    """Run all cells; return the printed losses by step and the largest difference."""
    path = folder / "notebook.ipynb"
    path.write_bytes((await one.get("/export/notebook.ipynb", **query)).content)
    output = subprocess.run(
        [sys.executable, "-I", "-c", EXECUTE, path], capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()
    rows = [line.split() for line in output[1:-1]]
    return {int(step.replace(",", "")): float(loss) for step, loss, *_ in rows}, float(output[-1].split()[-1])


@pytest.mark.parametrize("run", ["gd", "sgd", "fork"])
async def test_the_notebook_prints_the_runs_history(one: Experiment, tmp_path: Path, run: str) -> None:
    printed, apart = await execute_notebook(one, tmp_path, run=run)
    expected = await losses(one, run)
    assert len(printed) == 12
    assert max(printed) == len(expected) - 1
    assert printed == {step: expected[step] for step in printed}
    assert apart == 0


async def test_the_notebook_says_how_far_it_is_from_another_kernels_numbers(tmp_path: Path) -> None:
    async with open_app() as (_, client):
        one = await created(client, {"runs": [{"edits": [{"at_step": 70, "optimizer": "adam"}]}]})
        await one.ask("POST", "/step", {"steps": 150})
        printed, apart = await execute_notebook(one, tmp_path)
        expected = await losses(one, "run-1")
        assert (
            apart
            == max(abs(loss - expected[step]) / expected[step] for step, loss in printed.items())
            < 1e-12
        )


async def test_the_programs_of_a_new_run_say_that_there_is_nothing_to_compare(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    new = await created(client, {})
    script = (await new.get("/export/script.py")).text
    assert "from its first weights to step 100: it had made none" in script
    made = await run_script(new, tmp_path)
    path = tmp_path / "notebook.ipynb"
    path.write_bytes((await new.get("/export/notebook.ipynb")).content)
    output = subprocess.run(
        [sys.executable, "-I", "-c", EXECUTE, path], capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()
    assert [float(line.split()[-1]) for line in output[1:]] == [loss for step, loss in made if step % 10 == 0]
    await new.ask("POST", "/step", {"steps": 100})
    assert made == list(enumerate(await losses(new, "gd")))


async def test_the_notebook_is_of_its_format_and_holds_no_markup_that_people_typed(
    client: httpx.AsyncClient,
) -> None:
    label = "``` <script>alert(1)</script> | x"
    one = await created(client, {"runs": [{"label": label}]})
    await one.ask("PATCH", "/runs/run-1", {"learning_rate": 0.05})
    document = (await one.get("/export/notebook.ipynb")).json()
    jsonschema_rs.validate(NOTEBOOK, document)
    ids = [cell["id"] for cell in document["cells"]]
    assert len(set(ids)) == len(ids)
    recipe = "".join(document["cells"][1]["source"])
    assert "<" not in recipe
    assert recipe.count("```") == 2
    assert "| 0 | `learning_rate` 0.05 |" in recipe
    assert json.loads(recipe.partition("```json")[2].removesuffix("```"))["runs"][0]["label"] == label


@pytest.mark.parametrize("file", FILES)
async def test_every_file_name_contains_the_run(one: Experiment, file: str) -> None:
    for query, name in (({}, file), ({"run": "sgd"}, f"sgd-{file}")):
        answer = await one.get(f"/export/{file}", **query)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["content-type"].split(";")[0] == EXPORTS[file].media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.content


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/export/nope.txt", {}, 404),
        ("/export/..%2F..%2Fetc%2Fpasswd", {}, 404),
        ("/export/script.py", {"run": "nope"}, 404),
        ("/export/script.py", {"run": '"; x="'}, 422),
        ("/export/script.py", {"walk": "gd"}, 422),
    ],
)
async def test_an_unknown_export_or_run_is_404(
    one: Experiment, path: str, query: dict[str, str], status: int
) -> None:
    answer = await one.get(path, **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "content-disposition" not in answer.headers


async def test_a_recipe_comes_back_as_the_same_numbers(client: httpx.AsyncClient, one: Experiment) -> None:
    answer = await one.get("/export/recipe.json")
    assert answer.json() == (await one.get("/recipe")).json()
    again = await client.post("/api/v1/experiments", content=answer.content)
    assert again.status_code == 201, again.text
    twin = Experiment(client, again.json()["id"], again.json()["token"])
    await twin.ask("POST", "/step", {"steps": 145})
    for run, steps in (("gd", 145), ("sgd", 145), ("fork", 85)):
        assert (await losses(twin, run))[:steps] == await losses(one, run)


async def test_a_recipe_of_one_run_holds_that_run(one: Experiment) -> None:
    recipe = (await one.get("/export/recipe.json", run="sgd")).json()
    assert [run["name"] for run in recipe["runs"]] == ["sgd"]
    assert recipe["data"] == one.state["recipe"]["data"]


async def test_exported_parameters_equal_the_snapshot(one: Experiment) -> None:
    everybodys = np.load(io.BytesIO((await one.get("/export/parameters.npz")).content), allow_pickle=False)
    for run in ("gd", "sgd", "fork"):
        parameters: dict[str, Any] = (await one.get(f"/runs/{run}/snapshot")).json()["parameters"]
        own = np.load(
            io.BytesIO((await one.get("/export/parameters.npz", run=run)).content), allow_pickle=False
        )
        assert sorted(own) == sorted(parameters)
        for name, values in parameters.items():
            assert own[name].dtype == np.float64
            assert own[name].tolist() == everybodys[f"{run}/{name}"].tolist() == values


async def test_the_exported_table_equals_the_history(one: Experiment) -> None:
    answers = {
        run: (
            await one.client.get(
                f"{one.here}/runs/{run}/history?buckets=10000", headers={"Accept": "text/csv"}
            )
        )
        for run in ("gd", "sgd", "fork")
    }
    assert (await one.get("/export/history.csv", run="sgd")).text == answers["sgd"].text
    rows = list(csv.DictReader(io.StringIO((await one.get("/export/history.csv")).text)))
    for run, answer in answers.items():
        expected = list(csv.DictReader(io.StringIO(answer.text)))
        mine = [
            {name: value for name, value in row.items() if name != "run"} for row in rows if row["run"] == run
        ]
        assert mine == expected
    assert len(rows) == 145 + 145 + 85


async def test_the_exported_columns_equal_the_history(one: Experiment) -> None:
    histories = (await one.get("/export/history.json")).json()
    for run in ("gd", "sgd", "fork"):
        answer = (await one.get(f"/runs/{run}/history", buckets=10_000)).json()
        assert histories[run] == answer == (await one.get("/export/history.json", run=run)).json()


async def test_an_experiment_without_steps_can_be_exported(client: httpx.AsyncClient, tmp_path: Path) -> None:
    one = await created(client)
    assert len(await run_script(one, tmp_path)) == 100
    assert json.loads((await one.get("/export/history.json", run="gd")).content)["first"] == []
    lines = (await one.get("/export/history.csv")).text.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("run,first,last,batch_loss.min")
    for file in FILES:
        assert (await one.get(f"/export/{file}")).status_code == 200
