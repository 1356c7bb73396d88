"""The engine and its rivals: microseconds a step on five workloads, and the targets.

python benchmarks/bench_engine.py [--quick] [--own] [--workloads sgd,gd] [--rounds 9]

Installs the rivals' packages into benchmarks/.rivals (once, about 2 GB). An unavailable rival is reported and left
out. A whole run writes benchmarks/RESULTS.md anew; --quick, --own and --workloads only print. benchmarks/README.md
describes the comparison, and how to add a rival.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from contest import report, sharing, targets
from contest.entries import Entry, entries
from contest.environments import Missing
from contest.processes import Process
from contest.rounds import Pace, Table, hold
from contest.workloads import Workload, workloads
from fallline.execution.compiling import KernelUnavailable, compiled_kernel, warm

RESULTS = Path(__file__).with_name("RESULTS.md")
WHOLE, QUICK = Pace(0.15, 9), Pace(0.03, 3)
SHARED = ("sgd", "gd", "tanh_64")


def started(candidates: list[Entry]) -> tuple[list[tuple[Entry, Process]], dict[str, str]]:
    """The available rivals, and why the others are not."""
    there, absent = [], {}
    for entry in candidates:
        began = time.perf_counter()
        try:
            there.append((entry, Process(entry)))
        except Missing as why:
            absent[entry.name] = str(why)
            print(f"missing: {entry.name}: {why}", flush=True)
        if time.perf_counter() - began > 1:
            print(f"installed what {entry.name} needs", flush=True)
    return there, absent


def shared(chosen: list[Workload], quick: bool) -> list[targets.Verdict]:
    """Throughput of threads side by side, if there is a compiled kernel."""
    try:
        warm()
        kernel = compiled_kernel()
    except KernelUnavailable as why:
        print(f"without compiled code: {why}")
        return []
    chosen = [workload for workload in chosen if workload.name in SHARED]
    seconds, rounds = (0.3, 1) if quick else (1.0, 5)
    return targets.sharing_verdicts(sharing.measured(chosen, kernel, seconds, rounds))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer steps and rounds: does it work, roughly how fast"
    )
    parser.add_argument("--own", action="store_true", help="only rivals that need nothing installed")
    parser.add_argument("--workloads", default="", help="only these, with commas between")
    parser.add_argument("--rounds", type=int, help="how often everybody has a turn")
    options = parser.parse_args()
    pace = QUICK if options.quick else WHOLE
    pace = Pace(pace.seconds, options.rounds or pace.rounds)
    chosen = [
        workload
        for workload in workloads(options.quick)
        if workload.name in (options.workloads or workload.name).split(",")
    ]
    there, absent = started([entry for entry in entries() if not options.own or entry.requirements is None])
    results: list[tuple[Workload, Table]] = []
    taking_part, versions = [entry for entry, _ in there], [process.versions for _, process in there]
    try:
        for workload in chosen:
            results.append((workload, hold(workload, there, pace)))
            print(report.as_text(*results[-1][:1], taking_part, results[-1][1]), flush=True)
    finally:
        for _, process in there:
            process.close()
    verdicts = targets.verdicts(
        {workload.name: workload.title for workload in chosen},
        {entry.key: entry.name for entry in taking_part},
        {workload.name: table for workload, table in results},
    ) + shared(chosen, options.quick)
    print(report.verdicts_as_text(verdicts))
    if not (options.quick or options.own or options.workloads):
        RESULTS.write_text(report.as_markdown(results, taking_part, absent, verdicts, versions, pace.rounds))
        print(f"written to {RESULTS}")
    if any(figures.disagrees for _, table in results for figures in table.values()):
        sys.exit("not all ended at the same loss")


if __name__ == "__main__":
    main()
