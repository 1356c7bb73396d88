"""`make doctor`: the Doctor against the oracle, with a goal beside each figure.

python -m doctor.run [--seeds 1 2 3] [--runs 300] [--drawn 60] [--processes 2]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from itertools import islice
from statistics import median

from doctor.cases import CASES, Answer
from doctor.examined import STRIDES, WAYS
from doctor.oracle import NAMES
from doctor.recipes import Patient, drawn, healthy, planted
from doctor.survey import (
    Examination,
    Labelled,
    confusion,
    differences,
    examination,
    false_alarms,
    labelled,
    misses_grave_harm,
    praises_grave_harm,
)

MOST_FALSE, LEAST_NAMED = 2, 0.98
"""False alarms among the healthy runs, and the share of planted faults named in time."""

MOST_FALSE_DRAWN = 1
"""False alarms among the recipes drawn by a seed."""

MOST_CANDIDATES = 8
"""Candidates for each run that is wanted. A family that gives fewer runs is at fault."""

COMPARED, COMPARED_STEPS = 20, 200
"""Recipes, and their steps, whose findings are compared between ways of stepping."""


class Goals:
    """Prints figures beside their goals, and counts the missed goals."""

    def __init__(self) -> None:
        self.missed = 0

    def add(self, what: str, figure: str, goal: str, *, is_met: bool) -> None:
        self.missed += not is_met
        print(f"  {'ok  ' if is_met else 'MISS'}  {what:<66} {figure:>12}   goal: {goal}", flush=True)


def wanted(pool: Executor, candidates: Iterator[Patient], number: int) -> list[Labelled]:
    """Return the first candidates that the oracle confirms."""
    confirmed: list[Labelled] = []
    tried = 0
    while len(confirmed) < number and tried < MOST_CANDIDATES * number:
        some = list(islice(candidates, max(number - len(confirmed), 4)))
        tried += len(some)
        confirmed += [one for one in pool.map(labelled, some) if one.fits]
    return confirmed[:number]


# ---------------------------------------------------------------------- parts of the survey


def healthy_runs(pool: Executor, number: int, goals: Goals) -> None:
    """Count false alarms."""
    runs = list(pool.map(examination, wanted(pool, healthy(), number)))
    print(f"\nHealthy runs: {len(runs)}")
    goals.add(
        "healthy runs that the oracle confirms", str(len(runs)), str(number), is_met=len(runs) == number
    )
    for way in WAYS:
        false = [(one, each) for one in runs for each in false_alarms(one.labelled, one.findings[way])]
        goals.add(
            f"false alarms, {way}", str(len(false)), f"at most {MOST_FALSE}", is_met=len(false) <= MOST_FALSE
        )
        print(f"        by rule: {_counted(each['rule'] for _, each in false)}")
        for one, each in false[:3]:
            print(
                f"        {one.labelled.patient.name}: {each['rule']} at {each['found_at']}: {each['evidence']}"
            )


def planted_runs(pool: Executor, number: int, goals: Goals) -> list[Labelled]:
    """Print the confusion table; return the runs."""
    each = number // len(NAMES)
    families = [wanted(pool, planted(rule), each) for rule in NAMES]
    labels = [one for some in families for one in some]
    runs = list(pool.map(examination, labels))
    print(f"\nPlanted faults: {len(runs)}, {each} a rule")
    full = all(len(some) == each for some in families)
    goals.add("planted faults that the oracle confirms", str(len(runs)), str(each * len(NAMES)), is_met=full)
    for way in WAYS:
        _table(runs, way, goals)
    return labels


def _table(runs: list[Examination], way: str, goals: Goals) -> None:
    rows = confusion(runs, way)
    print(f"\n  {way}")
    print(
        "  rule                  runs  in time   late missed | exact onset   off by (median, most) | instead"
    )
    for rule, row in rows.items():
        off = [abs(drift) for drift in row.drifts if drift]
        drift = f"{median(off):g}, {max(off)}" if off else ""
        named = row.in_time + row.late
        print(
            f"  {rule:<21} {row.planted:>4} {row.in_time:>8} {row.late:>6} {row.missed:>6} | "
            f"{row.exact:>4} of {named:<4} {drift:>24} | {_counted(row.instead.elements())[:70]}"
        )
    count = sum(row.planted for row in rows.values())
    in_time, exact = (sum(getattr(row, name) for row in rows.values()) for name in ("in_time", "exact"))
    named = in_time + sum(row.late for row in rows.values())
    share = in_time / max(count, 1)
    goals.add(
        "named within 50 steps of showing",
        f"{share:.1%}",
        f"at least {LEAST_NAMED:.0%}",
        is_met=share >= LEAST_NAMED,
    )
    goals.add("of the named, with the exact onset", f"{exact} of {named}", "all", is_met=exact == named)
    misranked = sum(row.misranked for row in rows.values())
    goals.add("grave not above mild", str(misranked), "0", is_met=not misranked)


def drawn_runs(pool: Executor, seeds: Iterable[int], number: int, goals: Goals) -> None:
    """Count missed grave harm and false alarms over recipes drawn anew."""
    for seed in seeds:
        runs = list(pool.map(examination, pool.map(labelled, drawn(seed, number))))
        print(
            f"\nDrawn by seed {seed}: {len(runs)}, {sum(one.labelled.grave for one in runs)} with grave harm"
        )
        for way in WAYS:
            missed = [one.labelled for one in runs if misses_grave_harm(one.labelled, one.findings[way])]
            goals.add(f"grave harm missed, {way}", str(len(missed)), "0", is_met=not missed)
            print(
                f"        true faults there: {_counted(each.rule for one in missed for each in one.labels)}"
            )
            praised = sum(praises_grave_harm(one.labelled, one.findings[way]) for one in runs)
            goals.add(f"grave harm said to be healthy, {way}", str(praised), "0", is_met=not praised)
            false = [each for one in runs for each in false_alarms(one.labelled, one.findings[way])]
            most = f"at most {MOST_FALSE_DRAWN}"
            goals.add(f"false alarms, {way}", str(len(false)), most, is_met=len(false) <= MOST_FALSE_DRAWN)
            print(f"        by rule: {_counted(each['rule'] for each in false)}")


def same_findings(pool: Executor, labels: list[Labelled], goals: Goals) -> None:
    """Compare findings between ways of stepping the same recipes."""
    some = labels[:: max(len(labels) // COMPARED, 1)][:COMPARED]
    patients = [
        Patient(one.patient.recipe, min(one.patient.steps, COMPARED_STEPS), one.patient.planted)
        for one in some
    ]
    results = list(pool.map(differences, patients))
    print(
        f"\nFindings as a function of recipe and step: {len(results)} recipes, stepped {', '.join(STRIDES)}"
    )
    for what, count in (
        ("recipes with other rules open", sum(one.open_rules for one in results)),
        ("recipes with other findings or onsets", sum(one.onsets for one in results)),
        ("recipes with other findings on a slower machine", sum(one.repeats for one in results)),
    ):
        goals.add(what, str(count), "0", is_met=not count)


def known_faults(pool: Executor, goals: Goals) -> None:
    """Print the answer in each numbered case."""
    print("\nFaults families by independent checks")
    for number, (case, answer) in enumerate(zip(CASES, pool.map(_call, CASES), strict=True), start=1):
        text = (case.__doc__ or "").strip().partition("\n")[0]
        goals.add(
            f"{number}. {text}"[:66], "right" if answer.is_right else "wrong", "right", is_met=answer.is_right
        )
        if not answer.is_right:
            print(f"        says: {answer.actual}\n        right: {answer.expected}")


def _call(case: Callable[[], Answer]) -> Answer:
    return case()


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common()) or "none"


def main() -> int:
    """Run every part. Fails if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--runs", type=int, default=300, help="healthy runs, and planted ones")
    parser.add_argument("--drawn", type=int, default=60, help="recipes of a seed")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    began, goals = time.monotonic(), Goals()
    with ProcessPoolExecutor(options.processes) as pool:
        known_faults(pool, goals)
        healthy_runs(pool, options.runs, goals)
        labels = planted_runs(pool, options.runs, goals)
        same_findings(pool, labels, goals)
        drawn_runs(pool, options.seeds, options.drawn, goals)
    print(f"\n{goals.missed} goals missed; {time.monotonic() - began:.0f} s")
    return int(goals.missed > 0)


if __name__ == "__main__":
    sys.exit(main())
