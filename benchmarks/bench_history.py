"""Cost of the history: a run with and without it, appending, reading a range, packing columns. Medians on one core.

python benchmarks/bench_history.py [--steps 2000000] [--quick]

Prints one line per figure: its name, its value, and its goal, if any.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from contest.workloads import STEADY, workloads
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.engine.training import advance
from fallline.execution.compiling import compiled_kernel, warm
from fallline.history.run_history import RunHistory
from fallline.runs.run import Run
from fallline.vocabulary.columns import Records, coarsen, from_records
from fallline.vocabulary.recipe import Recipe

PARAMETERS = {"W1": 20, "b1": 4, "W2": 16, "b2": 4, "W3": 4, "b3": 1}
MEASURES = ("grad_l1", "grad_l2", "grad_mean", "ratio")
EVALUATED = ("train_loss", "test_loss", "train_r2", "test_r2")
NAMES = ("batch_loss", *(f"{measure}/{name}" for name in PARAMETERS for measure in MEASURES), *EVALUATED)


def line(what: str, figure: str, goal: str = "") -> None:
    print(f"{what:<58} {figure:>22}   {goal}", flush=True)


def median_ms(work: Callable[[], object], repeats: int = 31) -> float:
    """The median time of a call in milliseconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times)


def recorded(first: int, steps: int) -> Records:
    """Steps of an SGD run with the notebook's network and a test split, rarely evaluated."""
    rng = np.random.default_rng(first)
    values = rng.lognormal(size=(len(NAMES), steps))
    values[-len(EVALUATED) :, rng.random(steps) < 0.99] = np.nan
    samples_seen = np.arange(first + 1, first + steps + 1)
    return Records(first, samples_seen, (samples_seen * 1e-5).astype(float), NAMES, values)


SLICE_SECONDS = 0.005
"""Work of a slice, as `execution.worker` makes them."""


def bench_run(rounds: int = 41) -> None:
    """Time the notebook's loop, our kernel, and a run that records everything, in turns."""
    sys.path.insert(0, str(Path(__file__).parent / "rivals"))
    from interface.job import Job  # noqa: PLC0415  rivals are scripts
    from notebook import Notebook  # noqa: PLC0415

    warm()
    kernels, kernel = Kernels(), compiled_kernel()
    for load in workloads()[:2]:
        recipe, notebook = Recipe.model_validate(load.recipe).runs[0], Notebook(Job(**load.job()))
        run = Run(load.problem, recipe, kernels, kernel)
        while run.state.step < STEADY:
            run.advance(2_000, time.perf_counter)
        state, steps = run.state.copy(), round(SLICE_SECONDS / run.step_seconds)
        works: dict[str, tuple[int, Callable[[], object]]] = {
            "the notebook's loop": (steps // 20, partial(notebook.train, steps // 20)),
            "kernel": (steps, partial(advance, load.problem, state, recipe, steps, kernel)),
            "kernel and recording": (steps, partial(run.advance, steps, time.perf_counter)),
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(rounds):
            for name, (count, work) in works.items():
                began = time.thread_time()  # other processes do not count
                work()
                times[name].append(1e6 * (time.thread_time() - began) / count)
        for name, each in times.items():
            line(f"{load.name}, slices of {steps:,}: {name}", f"{statistics.median(each):.3f} µs a step")
        shares = [whole / alone for alone, whole in zip(*[*times.values()][1:], strict=True)]
        line(f"{load.name}: recorded over alone", f"{statistics.median(shares):.2f}", "sgd 2.5, gd 1.15")


def bench_append() -> None:
    for length in (1, 100, 1000):
        history, portions = RunHistory(NAMES, PARAMETERS), 31
        times = []
        count = max(2048 // length, 1)
        for _ in range(portions):
            slices = [recorded(history.count + place * length, length) for place in range(count)]
            began = time.perf_counter()
            for records in slices:
                history.append(records)
            times.append((time.perf_counter() - began) / (count * length))
        line(f"append, slices of {length:,}, 29 series", f"{1e6 * statistics.median(times):.2f} µs a step")


def bench_range(history: RunHistory) -> None:
    line(f"memory after {history.count:,} steps", f"{history.nbytes / 1e6:.2f} MB", "under 2 MB")
    for at_most in (10, 100, 1000, 10_000):
        whole = median_ms(partial(history.range, 0, history.count - 1, at_most))
        newest = median_ms(partial(history.range, history.count - 5000, history.count - 1, at_most))
        line(
            f"range in at most {at_most:,} buckets: whole run, last 5,000", f"{whole:.2f} ms, {newest:.2f} ms"
        )

    some, last = (*NAMES[:4], "train_loss"), history.count - 1
    for length, at_most in ((100, 1000), (800, 1000), (5000, 64)):
        spent = median_ms(partial(history.range, last - length + 1, last, at_most, some), 301)
        goal = "under 30 µs" if length < at_most else "under 150 µs"
        line(f"range of 5 series, last {length:,} in at most {at_most:,}", f"{1e3 * spent:.0f} µs", goal)


def bench_frames() -> None:
    frame = coarsen(from_records(recorded(1024, 6400)), 100)
    line(f"columns of {len(frame)} buckets as lists", f"{median_ms(lambda: frame.as_json(0)):.2f} ms")
    line("the same written as JSON", f"{median_ms(lambda: json.dumps(frame.as_json(0))):.2f} ms")
    line("the same as bdata, written", f"{median_ms(lambda: json.dumps(frame.as_bdata(0))):.2f} ms")
    line("the same as CSV", f"{median_ms(frame.as_csv):.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2_000_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps")
    options = parser.parse_args()
    steps = options.steps // 10 if options.quick else options.steps
    bench_run()
    bench_append()
    history, chunk = RunHistory(NAMES, PARAMETERS), 100_000
    spent = 0.0
    for first in range(0, steps, chunk):
        records = recorded(first, min(chunk, steps - first))
        began = time.perf_counter()
        history.append(records)
        spent += time.perf_counter() - began
    line("append, slices of 100,000, 29 series", f"{1e6 * spent / steps:.2f} µs a step")
    bench_range(history)
    bench_frames()


if __name__ == "__main__":
    main()
