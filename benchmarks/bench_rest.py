"""Steps over REST beside the notebook's loop and beside the compiled kernel alone.

python benchmarks/bench_rest.py [--rounds 15] [--quick]

All three make steps of the same recipe, in turn, round after round. The server and the kernel record every series, from
step 100,000 on. Prints medians, and medians of the ratios within a round, each beside its goal. Times are processor
times of the whole process, which for REST is the server, and once the wall time of the requests.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import NamedTuple

from bench_live import Lab, Served, alone, line, processor_seconds, server
from contest.entries import entries
from contest.processes import Process
from contest.rounds import ratio
from contest.workloads import STEADY, Workload, workloads


class Pace(NamedTuple):
    """Steps of a request, requests of a round, and how often the kernel makes the workload's steps meanwhile."""

    steps: int
    requests: int
    repeats: int
    most: float
    """Goal: the server's time at most so many times the kernel's."""


PACES = {"sgd": Pace(45_000, 10, 10, 2.5), "gd": Pace(20_000, 1, 40, 1.15)}
LEAST, AIM = 60, 100
"""The notebook's time of an SGD step beside the server's."""


def compare(workload: Workload, served: Served, rivals: dict[str, Process], rounds: int) -> None:
    """Print the figures of one workload."""
    pace, job, lab = PACES[workload.name], workload.job(), Lab(served.url, workload.recipe)
    lab.do("step", {"steps": STEADY})
    steps = pace.steps * pace.requests
    server_us, wall_us, kernel_us, notebook_us = [], [], [], []
    for number in range(rounds + 1):
        spent, began = processor_seconds(served.pid), time.perf_counter()
        for _ in range(pace.requests):
            lab.do("step", {"steps": pace.steps})
        wall, spent = time.perf_counter() - began, processor_seconds(served.pid) - spent
        kernel = rivals["fallline_compiled"].ask({**job, "repeats": pace.repeats}).microseconds
        notebook = rivals["notebook"].ask(job).microseconds
        if number:  # the first round warms up
            server_us.append(1e6 * spent / steps)
            wall_us.append(1e6 * wall / steps)
            kernel_us.append(kernel)
            notebook_us.append(notebook)
    line(workload.title, f"{pace.steps:,} steps a request")
    for name, times in (
        ("  the server", server_us),
        ("  the server, wall time", wall_us),
        ("  the kernel alone", kernel_us),
        ("  the notebook's loop", notebook_us),
    ):
        line(name, f"{statistics.median(times):.3f} [{min(times):.3f}] µs a step")
    goal = f"{LEAST} or more, aim {AIM}" if workload.name == "sgd" else ""
    most = f"{pace.most} or less"
    for name, times in (("the server", server_us), ("its wall time", wall_us)):
        line(f"  the notebook's time beside {name}", f"{ratio(times, notebook_us):.1f} times", goal)
        line(f"  {name} beside the kernel alone", f"{ratio(kernel_us, times):.2f} times", most)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="3 rounds")
    options = parser.parse_args()
    rivals = {
        entry.key: Process(entry) for entry in entries() if entry.key in ("notebook", "fallline_compiled")
    }
    try:
        with server() as served:
            alone(served.url)
            for workload in workloads():
                if workload.name in PACES:
                    compare(workload, served, rivals, 3 if options.quick else options.rounds)
    finally:
        for rival in rivals.values():
            rival.close()


if __name__ == "__main__":
    main()
