"""Every number that the program shows of the golden recipes, to compare one Python with another.

    python -m support.shown_numbers write FILE     with this Python and this BLAS kernel
    python -m support.shown_numbers compare A B    exits with 1 where a digit differs

The same builds on the same processor must show the same digits. Times are left out.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from fallline.engine.kernels.choice import Kernels, compiled_kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.kernels.table import Kernel
from fallline.figures import MEASURED
from fallline.runs.instruments import INSTRUMENTS
from support.examined import Examined
from support.serving import created, open_app

Json = dict[str, Any]
Shown = dict[str, Any]

RECIPES = Path(__file__).parents[1] / "golden/recipes.json"
STEPS, PAST = 60, 30
"""Steps that each run makes, and the one that is looked back at."""

FOUND_AFTER = 400
"""Steps after which the Doctor looks, of a clock that stands nearly still."""

MOST_NAMED = 20
"""Differing answers that are named."""

OF_TIME = frozenset(
    {"id", "token", "doctor", "findings", "builds", "seconds", "cost_seconds", "again_seconds"}
)
"""Keys of what differs from process to process. The Doctor looks by the clock, so findings are taken apart."""


def at_rest(told: Any) -> Any:
    """The answer without what differs from process to process."""
    if isinstance(told, dict):
        return {name: at_rest(value) for name, value in told.items() if name not in OF_TIME}
    return [at_rest(value) for value in told] if isinstance(told, list) else told


async def answers(recipe: Json, kernel: Kernel) -> Shown:
    """What the API answers about the recipe, by path."""
    async with open_app(Kernels(kernel)) as (_, client):
        one = await created(client, recipe)
        state = (await one.ask("POST", "/step", {"steps": STEPS})).json()
        shown = {"/": at_rest(state)}
        for path in paths(state):
            answer = await client.get(one.here + path)
            is_json = answer.headers["content-type"].endswith("json")
            shown[path] = at_rest(answer.json()) if is_json else answer.text
        return shown


def paths(state: Json) -> list[str]:
    found = ["/data", *(f"/figures/{name}" for name in MEASURED), "/figures/gradients"]
    for run in state["runs"]:
        here, step = f"/runs/{run['name']}", min(PAST, run["step"])
        found += [f"{here}/snapshot?step={step}", f"{here}/inspect?step={step - 1}", f"{here}/history"]
        found += [f"{here}/check", f"/export/script.py?run={run['name']}"]
        found += [f"{here}/instruments/{name}?step={step}" for name in INSTRUMENTS]
    return found


def found(recipe: Json, kernel: Kernel) -> Shown:
    """What the Doctor found, by run."""
    one = Examined(recipe, Kernels(kernel))
    one.step(FOUND_AFTER, 25)
    return {f"/runs/{run}/findings": one.findings(run) for run in one.one.runs}


def shown_numbers() -> Shown:
    """By kernel, recipe and path."""
    shown = {}
    for kernel in (NUMPY, compiled_kernel()):
        for name, golden in json.loads(RECIPES.read_text()).items():
            recipe = golden["posted"]
            told = {**asyncio.run(answers(recipe, kernel)), **found(recipe, kernel)}
            shown |= {f"{kernel.name}: {name}: {path}": value for path, value in told.items()}
    return shown


def compare(one: Path, other: Path) -> list[str]:
    """The places at which two files differ."""
    first, second = (json.loads(file.read_text()) for file in (one, other))
    return sorted(place for place in first.keys() | second.keys() if first.get(place) != second.get(place))


def main() -> int:
    """See the module."""
    match sys.argv[1:]:
        case ["write", file]:
            Path(file).write_text(json.dumps(shown_numbers()))
            return 0
        case ["compare", one, other]:
            differing = compare(Path(one), Path(other))
            for place in differing[:MOST_NAMED]:
                print("differs:", place)
            print(f"{len(differing)} answers differ")
            return 1 if differing else 0
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
