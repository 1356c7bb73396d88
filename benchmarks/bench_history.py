"""Cost of the history: appending, reading a range, and packing columns. Medians on one core.

python benchmarks/bench_history.py [--steps 2000000] [--quick]

Prints one line per figure: its name, its value, and its goal, if any.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from fallline.history.run_history import RunHistory
from fallline.vocabulary.columns import Records, coarsen, from_records, join

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


def bench_frames() -> None:
    for steps in (100, 1000, 5000):
        records = recorded(12_345, steps)
        seconds_per_piece = median_ms(partial(from_records, records, 128))
        line(f"a live piece of {steps:,} steps in at most 128 buckets", f"{seconds_per_piece:.2f} ms")
    one, other = from_records(recorded(1024, 4000), 100), from_records(recorded(5024, 4000), 100)
    line(
        "two pieces of a slow reader merged into 100 buckets",
        f"{median_ms(lambda: coarsen(join(one, other), 100)):.2f} ms",
    )
    frame = from_records(recorded(1024, 6400), 100)
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
