"""The report of a contest: lines for a terminal, and RESULTS.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from threadpoolctl import threadpool_info

import fallline
from contest.entries import Entry
from contest.rounds import TOLERANCE, Figures, Table, ratio
from contest.targets import OURS, Verdict
from contest.workloads import Workload

SIGNS = {True: "met", False: "**missed**", None: "not measured"}


def summary(times: Sequence[float]) -> str:
    """Median and minimum, in microseconds."""
    if not times:
        return ""
    middle, least = statistics.median(times), min(times)
    digits = 3 if middle < 10 else 1 if middle < 1000 else 0
    return f"{middle:,.{digits}f} [{least:,.{digits}f}]"


def ordered(entries: Iterable[Entry], table: Table) -> list[Entry]:
    """Entries with figures, the fastest first."""
    timed = [entry for entry in entries if table[entry.key].steady and not table[entry.key].reason]
    return sorted(timed, key=lambda entry: statistics.median(table[entry.key].steady))


def as_text(workload: Workload, entries: Sequence[Entry], table: Table) -> str:
    """One workload for a terminal."""
    lines = [f"{workload.title}: microseconds a step, median [least]; from step 0 where that differs"]
    for entry in ordered(entries, table):
        figures = table[entry.key]
        lines.append(
            f"  {entry.name:<31} {summary(figures.steady):>22} {summary(figures.from_start):>22}  "
            f"{_beside_ours(figures, table):>8}  records {entry.records}"
        )
    lines += [f"  {entry.name:<31} {table[entry.key].reason}" for entry in entries if table[entry.key].reason]
    return "\n".join(lines)


def _beside_ours(figures: Figures, table: Table) -> str:
    ours = table[OURS].steady if OURS in table else []
    return f"x {ratio(ours, figures.steady):.3g}" if ours and figures is not table[OURS] else ""


def verdicts_as_text(verdicts: Sequence[Verdict]) -> str:
    """The measured targets, for a terminal."""
    summary = [each for each in verdicts if each.met is not None]
    return "\n".join(f"{SIGNS[each.met].strip('*'):<7} {each.goal}: {each.measured}" for each in summary)


def as_markdown(
    results: Sequence[tuple[Workload, Table]],
    entries: Sequence[Entry],
    absent: Mapping[str, str],
    verdicts: Sequence[Verdict],
    versions: Sequence[Mapping[str, str]],
    rounds: int,
) -> str:
    """RESULTS.md: everything that was measured and nothing else."""
    parts = [_head(rounds), _targets(verdicts)]
    parts += [_workload(workload, entries, table) for workload, table in results]
    if absent:
        rows = [f"| {name} | {why} |" for name, why in absent.items()]
        parts.append("\n".join(["## Not there", "", "| rival | why |", "| --- | --- |", *rows]))
    parts.append(_records(entries, [table for _, table in results]))
    parts.append(_versions(versions))
    return "\n\n".join(parts) + "\n"


def _head(rounds: int) -> str:
    return f"""# What `make bench` measured

Written by `make bench`; [README.md](README.md) describes the measurements. Sections named after a file are the
lines that it printed. All others are by `bench_engine.py`. Its numbers are microseconds a step of one thread, in
processor time: the median [least] of {rounds} rounds. All were timed in turn in each round. The ratio "x" is their time
divided by the time of fallline's compiled kernel, the median of the ratios within a round. The column "From step 0"
counts all steps of the workload from the first, for entries that evaluate. Each of the first 1,024 steps is an
evaluation point, at which the loss over all samples is taken besides. The steady state begins at step 100,000.

{machine()}"""


def machine() -> str:
    """The processor and its cores, the system, and NumPy's BLAS."""
    cores = os.cpu_count() or 1
    blas = next((each for each in threadpool_info() if each["user_api"] == "blas"), None)
    library = f", {blas['internal_api']} {blas['version']} ({blas['architecture']})" if blas else ""
    return (
        f"fallline {fallline.__version__} on {_processor()}, {cores} core{'s' * (cores > 1)}, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}{library}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {name.strip(): value.strip() for name, value in fields.items()}
    name = facts.get("model name", platform.machine())
    numbers = [
        f"{word} {facts[key]}" for word, key in (("family", "cpu family"), ("model", "model")) if key in facts
    ]
    vectors = " with AVX-512" if "avx512f" in facts.get("flags", "").split() else ""
    return f"{name} ({', '.join(numbers)}){vectors}" if numbers else name


def _targets(verdicts: Sequence[Verdict]) -> str:
    rows = [f"| {each.goal} | {each.measured} | {SIGNS[each.met]} |" for each in verdicts]
    return "\n".join(["## Targets", "", "| asked | measured | |", "| --- | --- | --- |", *rows])


def _workload(workload: Workload, entries: Sequence[Entry], table: Table) -> str:
    rows = []
    for entry in ordered(entries, table):
        figures = table[entry.key]
        name = f"**{entry.name}**" if entry.key == OURS else entry.name
        from_start = summary(figures.from_start) or "the same"
        beside = _beside_ours(figures, table)
        rows.append(f"| {name} | {summary(figures.steady)} | {from_start} | {beside} | {figures.loss:.12g} |")
    reasons = [f"- {entry.name}: {table[entry.key].reason}" for entry in entries if table[entry.key].reason]
    lines = [
        f"## {workload.title}",
        "",
        f"{workload.steps:,} steps. All start from the same parameters and take the same batches; their losses at the "
        f"end agree within {TOLERANCE['float64']:g} of theirs (float64) or {TOLERANCE['float32']:g} (float32).",
        "",
        "| | µs a step | from step 0 | x | loss at the end |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    return "\n".join([*lines, "", *reasons]) if reasons else "\n".join(lines)


def _records(entries: Sequence[Entry], tables: Sequence[Table]) -> str:
    there = [entry for entry in entries if any(table[entry.key].steady for table in tables)]
    rows = [f"| {entry.name} | {entry.precision} | {entry.records} |" for entry in there]
    lines = ["## What each records", "", "| | numbers | records |", "| --- | --- | --- |"]
    return "\n".join([*lines, *rows])


def _versions(summary: Sequence[Mapping[str, str]]) -> str:
    fields: dict[str, set[str]] = {}
    for versions in summary:
        for name, version in versions.items():
            fields.setdefault(name, set()).add(version)
    rows = [f"| {name} | {', '.join(sorted(versions))} |" for name, versions in sorted(fields.items())]
    return "\n".join(["## Versions", "", "| | |", "| --- | --- |", *rows])
