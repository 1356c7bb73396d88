"""Comparison of the bytes counted for experiments with the growth of the process.

python benchmarks/bench_memory.py [--quick] [--only wide]

Each kind of experiment is opened many times in a separate process, after five that warm it up. Prints one line per
figure. The figures are the bytes counted for an experiment, the growth of the resident memory, and Python's own
trace of allocations. The growth is measured after the allocator has returned what it can, and without the examinations
that all experiments share, which have a bound of their own. Fails where counted and resident memory differ by more
than 10 %.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.compiling import cache_directory, compiled_kernel, point_numba_at
from fallline.execution.in_process import InProcessExecutor
from fallline.execution.memory import SharedBudget
from fallline.realtime.hub import Hub
from fallline.services.lab import Lab
from fallline.services.store_thread import AgeClock, StoreThread
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary.recipe import Recipe

JSON = dict[str, Any]
GOAL = 0.10
WARM = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A number of experiments of a recipe, each with a number of steps."""

    recipe: JSON
    count: int
    steps: int


EIGHT = [{"name": f"run-{at}", "learning_rate": 0.001, "batch_size": 1, "seed": at} for at in range(8)]
KINDS = {
    "tiny": Kind(
        {"data": {"samples": 8}, "network": {"layers": []}, "runs": [{"name": "gd", "learning_rate": 0.01}]},
        200,
        100,
    ),
    "default": Kind({}, 60, 3_000),
    "wide": Kind({"network": {"layers": [{"units": 4, "activation": "tanh"}] * 8}, "runs": EIGHT}, 12, 4_000),
    "lookback": Kind(
        {
            "network": {"layers": [{"units": 64, "activation": "tanh"}] * 2},
            "runs": [{"name": "run", "optimizer": "adam", "learning_rate": 0.001, "batch_size": 32}],
        },
        20,
        20_000,
    ),
}
"""A network without layers; the notebook's; eight runs of 75 series; long runs with large states."""


def resident() -> int:
    """Resident bytes of this process, after the allocator has returned what it can."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def lab_in(folder: Path) -> Lab:
    thread = StoreThread(SqliteStore(folder), AgeClock(time.monotonic, time.time))
    thread.open()
    return Lab(
        InProcessExecutor(1),
        Hub(),
        time.monotonic,
        thread,
        most=100_000,
        most_bytes=1 << 40,
        idle_seconds=1e6,
        kernels=Kernels(compiled_kernel()),
        checkpoint_budget=SharedBudget(64 << 20),
    )


def shared_bytes(lab: Lab) -> int:
    """Bytes of the examinations that all experiments of its worker share."""
    executor = lab._executor
    assert isinstance(executor, InProcessExecutor)
    return sum(thread.worker._cache.nbytes for thread in executor._threads)


async def create(lab: Lab, kind: Kind) -> None:
    state, token = await lab.create(Recipe.model_validate(kind.recipe))
    await lab.command(state["id"], token, "step", {"steps": kind.steps})


async def measured(kind: Kind, count: int, *, traced: bool) -> tuple[int, int]:
    """Bytes counted for `count` experiments, and the growth of the process.

    With `traced`, the growth comes from the trace.
    """
    with tempfile.TemporaryDirectory() as folder:
        lab = lab_in(Path(folder))
        await lab.start()
        for _ in range(WARM):
            await create(lab, kind)
        await asyncio.sleep(0.5)
        if traced:
            tracemalloc.start()
        counted, shared = lab._capacity.used_bytes, shared_bytes(lab)
        resident_before = 0 if traced else resident()
        for _ in range(count):
            await create(lab, kind)
        await asyncio.sleep(0.5)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] if traced else resident() - resident_before
        counted, grown = lab._capacity.used_bytes - counted, grown - (shared_bytes(lab) - shared)
        await lab.stop()
    return counted, grown


def report(name: str, kind: Kind, count: int, *, traced: bool) -> bool:
    """Print the figures of a kind; return whether they are within the goal. The trace has none."""
    counted, grown = asyncio.run(measured(kind, count, traced=traced))
    apart = counted / grown - 1
    how = "traced" if traced else "resident"
    goal = "" if traced else f"  (goal: within {GOAL:.0%})"
    print(
        f"{name:<9} x {count:<4} counted {counted / count / 1e3:9,.0f} kB each, {how:<8} "
        f"{grown / count / 1e3:9,.0f} kB each: {apart:+.1%}{goal}",
        flush=True,
    )
    return traced or abs(apart) <= GOAL


def main() -> None:
    if (directory := cache_directory(os.environ)) is not None:
        point_numba_at(directory)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a third of the experiments")
    parser.add_argument("--only", choices=KINDS, help="one kind")
    parser.add_argument("--here", choices=("resident", "traced"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = [options.only] if options.only else list(KINDS)
    within = True
    for name in names:
        kind = KINDS[name]
        # tracing allocations takes many times as long as making them
        count = max(kind.count // (3 if options.quick or options.here == "traced" else 1), 3)
        if options.here:
            within &= report(name, kind, count, traced=options.here == "traced")
            continue
        for how in ("resident", "traced"):
            quick = ["--quick"] if options.quick else []
            command = [sys.executable, __file__, "--only", name, "--here", how, *quick]
            within &= subprocess.run(command).returncode == 0
    if not within:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
