"""All shown numbers of the golden recipes, to compare two Pythons.

    python -m support.shown_numbers write FILE     with this Python and this BLAS kernel
    python -m support.shown_numbers compare A B    exits with 1 if a digit differs

The same builds on the same processor must show the same digits. Times are left out.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY, Kernels
from fallline.execution.compiling import compiled_kernel
from fallline.figures.catalog import INSTRUMENT_FIGURES
from fallline.runs.instruments.table import INSTRUMENTS
from support.aliases import Json
from support.examined import Examined
from support.serving import created, open_app

Shown = dict[str, Any]

RECIPES = Path(__file__).parents[1] / "golden/recipes.json"
STEPS, PAST = 60, 30
"""Steps of each run, and the past step to inspect."""

DOCTOR_STEPS = 400
"""Steps before the Doctor examines the runs."""

MOST_LISTED = 20
"""Differing responses to list."""

VOLATILE = frozenset(
    {"id", "token", "doctor", "builds", "seconds", "cost_seconds", "again_seconds", "pace_seconds"}
)
"""Keys that differ from process to process."""


def stable(value: Any) -> Any:
    """Return the response without volatile keys."""
    if isinstance(value, dict):
        return {name: stable(each) for name, each in value.items() if name not in VOLATILE}
    return [stable(each) for each in value] if isinstance(value, list) else value


async def answers(recipe: Json, kernel: Kernel) -> Shown:
    """Return the API's responses for the recipe, by path."""
    async with open_app(Kernels(kernel)) as (_, client):
        one = await created(client, recipe)
        await one.ask("POST", "/step", {"steps": STEPS})
        state = (await one.get(wait=20)).json()
        responses = {"/": stable(state)}
        for path in paths(state):
            answer = await client.get(one.here + path)
            is_json = answer.headers["content-type"].endswith("json")
            responses[path] = stable(answer.json()) if is_json else answer.text
        return responses


def paths(state: Json) -> list[str]:
    paths = ["/data", *(f"/figures/{name}" for name in INSTRUMENT_FIGURES), "/figures/gradients"]
    for run in state["runs"]:
        here, step = f"/runs/{run['name']}", min(PAST, run["step"])
        paths += [f"{here}/snapshot?step={step}", f"{here}/inspect?step={step - 1}", f"{here}/history"]
        paths += [f"{here}/check", f"/export/script.py?run={run['name']}"]
        paths += [f"{here}/instruments/{name}?step={step}" for name in INSTRUMENTS]
    return paths


def findings(recipe: Json, kernel: Kernel) -> Shown:
    """Return the Doctor's findings, by run."""
    one = Examined(recipe, Kernels(kernel))
    one.step(DOCTOR_STEPS, 25)
    return {f"/runs/{run}/findings": one.findings(run) for run in one.one.runs}


def shown_numbers() -> Shown:
    """Return all numbers by kernel, recipe and path."""
    numbers: Shown = {}
    for kernel in (NUMPY, compiled_kernel()):
        for name, golden in json.loads(RECIPES.read_text()).items():
            recipe = golden["posted"]
            responses = {**asyncio.run(answers(recipe, kernel)), **findings(recipe, kernel)}
            numbers |= {f"{kernel.name}: {name}: {path}": value for path, value in responses.items()}
    return numbers


def compare(one: Path, other: Path) -> list[str]:
    """Return the keys at which two files differ."""
    first, second = (json.loads(file.read_text()) for file in (one, other))
    return sorted(place for place in first.keys() | second.keys() if first.get(place) != second.get(place))


def main() -> int:
    """Run the command of the module docstring."""
    match sys.argv[1:]:
        case ["write", file]:
            Path(file).write_text(json.dumps(shown_numbers()))
            return 0
        case ["compare", one, other]:
            differing = compare(Path(one), Path(other))
            for place in differing[:MOST_LISTED]:
                print("differs:", place)
            print(f"{len(differing)} answers differ")
            return 1 if differing else 0
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
