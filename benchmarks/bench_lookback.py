"""Cost of looking back into a long run over REST.

python benchmarks/bench_lookback.py [--steps 10000000] [--looks 200] [--quick] [--only SGD]

It requests a snapshot of any step, and any old stretch step by step. It asks the server that trained the run, and
again one started afterwards. Prints one line per figure: its name, its value, and its goal, if any.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx

from bench_live import Lab, line, quantile, server
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.compiling import cache_directory, compiled_kernel, point_numba_at
from fallline.execution.memory import SharedBudget
from fallline.runs.experiment import Experiment
from fallline.settings import Settings
from fallline.vocabulary.recipe import Recipe

JSON = dict[str, Any]

AT_ONCE = 1_000_000
"""Maximum steps of a command."""

STRETCH = 1000
"""Steps of an old stretch, each of which is returned."""

RECIPES: dict[str, tuple[float, JSON]] = {
    "SGD of the notebook": (1.0, {"runs": [{"name": "run", "learning_rate": 0.001, "batch_size": 1}]}),
    "GD of the notebook": (1.0, {"runs": [{"name": "run", "learning_rate": 0.01}]}),
    "batches of 32, 5-64-64-1 tanh": (
        0.02,
        {
            "network": {"layers": [{"units": 64, "activation": "tanh"}] * 2},
            "runs": [{"name": "run", "learning_rate": 0.001, "batch_size": 32}],
        },
    ),
}
"""The recipes, and the share of the steps after which to look."""


def looked(lab: Lab, steps: int, looks: int) -> None:
    """Snapshots of random steps, and random stretches in full resolution, one at a time."""
    rng, path = random.Random(steps), f"/experiments/{lab.id}/runs/run"

    def at_a_step() -> None:
        step = rng.randint(0, steps)
        assert (
            lab.http.get(f"{path}/snapshot", params={"step": step}).raise_for_status().json()["step"] == step
        )

    def along_a_stretch() -> None:
        since = rng.randint(0, steps - STRETCH)
        query = {"since": since, "until": since + STRETCH - 1, "buckets": STRETCH}
        result = lab.http.get(f"{path}/history", params=query).raise_for_status().json()
        assert result["first"] == result["last"] == list(range(since, since + STRETCH))

    for what, look in (("a step", at_a_step), (f"{STRETCH:,} steps, one by one", along_a_stretch)):
        took = [seconds(look) for _ in range(looks)]
        result = " / ".join(f"{quantile(took, share):.2f}" for share in (0.5, 0.95, 1.0))
        line(f"a look at {what}, {looks} times: p50 / p95 / most", f"{result} s", "p95 under 1 s")


def seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def train(lab: Lab, steps: int) -> float:
    """Seconds for that many steps."""
    began = time.perf_counter()
    for first in range(0, steps, AT_ONCE):
        lab.do("step", {"steps": min(AT_ONCE, steps - first)})
    return time.perf_counter() - began


def memory_of(recipe: JSON, steps: int) -> tuple[int, int]:
    """Bytes of a run's history and checkpoints, after slices as short as a server's."""
    checkpoint_budget = SharedBudget(Settings().lookback_mb << 20)
    run = Experiment(
        "x", Recipe.model_validate(recipe), Kernels(compiled_kernel()), checkpoint_budget=checkpoint_budget
    ).runs["run"]
    while run.state.step < steps:
        run.advance(min(steps - run.state.step, max(int(0.02 / run.step_seconds), 1)), time.perf_counter)
    return run.history.nbytes, run.checkpoints.nbytes


@contextmanager
def ready_server(data: str) -> Iterator[str]:
    """A server that stores here and uses the compiled kernel; a run keeps its first one."""
    with server(data) as served:
        url = served.url
        while httpx.get(f"{url}/healthz").json()["kernel"] != "compiled":
            time.sleep(0.2)
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--steps", type=int, default=10_000_000, help="of the notebook's runs; others make fewer"
    )
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="a tenth of both")
    parser.add_argument("--only", default="", help="of the runs, those with this in their name")
    options = parser.parse_args()
    steps, looks = (
        (options.steps // 10, options.looks // 10) if options.quick else (options.steps, options.looks)
    )
    recipes = {name: row for name, row in RECIPES.items() if options.only in name}
    labs: dict[str, tuple[Lab, int]] = {}
    with tempfile.TemporaryDirectory() as data:
        with ready_server(data) as url:
            for name, (share, recipe) in recipes.items():
                labs[name] = lab, steps_made = Lab(url, recipe), max(int(share * steps), 10 * STRETCH)
                took = train(lab, steps_made)
                line(f"{name}: {steps_made:,} steps", f"{took:.1f} s, {1e6 * took / steps_made:.2f} µs each")
                looked(lab, steps_made, looks)
        with ready_server(data) as url:
            for name, (lab, steps_made) in labs.items():
                lab.goes_to(url)
                took = seconds(partial(lab.http.get, f"/experiments/{lab.id}"))
                line(f"{name}, after a restart: opened in", f"{took:.2f} s")
                looked(lab, steps_made, looks)
    if (directory := cache_directory(os.environ)) is not None:
        point_numba_at(directory)
    for name, (share, recipe) in recipes.items():
        history, checkpoints = memory_of(recipe, int(share * steps))
        bound = (
            "1, of the notebook's" if "notebook" in name else f"1 and {Settings().lookback_mb / 2:.0f} shared"
        )
        result = f"{history / 1e6:.2f} + {checkpoints / 1e6:.2f} MB"
        line(f"{name}: history and checkpoints", result, f"history under 2 MB; checkpoints under {bound}")


if __name__ == "__main__":
    main()
