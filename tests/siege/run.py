"""`make siege`: each attack against a real server, beside a person who trains and looks.

python tests/siege/run.py [--only 3 5] [--quick] [--repeat 3] [--mutants [NAME ...]]

Everything runs on loopback, is bounded in count and time, and ends what it started. The exit status is 1 if a goal is
missed, or a mutant is not detected.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from siege.mutants import MUTANTS  # noqa: E402
from siege.report import Report, holds  # noqa: E402
from siege.world import World  # noqa: E402
from support.serving import compiled_ahead  # noqa: E402

ATTACKS: Mapping[str, tuple[str, ...]] = {
    "1": ("speeds",),
    "2": ("bodies",),
    "3": ("silent_readers",),
    "4": ("creditless_readers",),
    "5": ("crowd", "jobs", "without_storage"),
    "6": ("memory",),
    "8": ("clock",),
    "9": ("loops",),
    "10": ("damage",),
    "11": ("sockets", "full_disk"),
    "12": ("hostile",),
    "13": ("refusals",),
}
"""The modules of each attack, by number."""

TOGETHER = (
    ("creditless_readers", "refusals", "without_storage"),
    ("clock", "damage"),
    ("memory", "full_disk", "speeds"),
)
"""Modules that measure no speed, or times far below their goals, in rows that run at once. Two rows mostly wait."""

ATTACK_SECONDS, ALL_SECONDS = 180.0, 600.0
"""Time limits of a module and of the whole siege; exceeding one is a missed goal.

Readers without credit take 112 s, and up to a minute more where one begins again.
"""


async def attacked(
    name: str, report: Report, seconds: float, *, quick: bool, mutants: tuple[str, ...] = ()
) -> None:
    """Run one module. An exception is a missed goal."""
    module = importlib.import_module(f"siege.attacks.{name}")
    world = World(name, report, quick, mutants)
    began = time.monotonic()
    print(f"{name}: {module.TITLE}", flush=True)
    try:
        async with asyncio.timeout(seconds) as limit:
            await module.siege(world)
    except Exception as error:
        problem = f"more than {seconds:.0f} s" if limit.expired() else repr(error)[:300]
        world.note(holds("the attack comes to its end", False, problem, "without an error"))
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)


def attack_once(name: str, report: Report, *, seconds: float, quick: bool) -> None:
    """Run one module on an event loop of its own."""
    asyncio.run(attacked(name, report, seconds, quick=quick))


def attack_together(rows: list[list[str]], report: Report, attack: Callable[[str, Report], None]) -> None:
    """Run these rows of modules at once, each in a thread, and print their figures when all are over."""
    reports = {name: Report(prints=False) for name in chain(*rows)}

    def attack_each(names: list[str]) -> None:
        for name in names:
            attack(name, reports[name])

    with ThreadPoolExecutor(len(rows)) as threads:
        list(threads.map(attack_each, rows))
    for name, each in reports.items():
        print(f"{name}, beside others:", flush=True)
        for _, row in each.rows:
            report.note(name, row)


def besieged(numbers: list[str], *, quick: bool) -> bool:
    """Run the attacks; whether each goal was met."""
    report, began = Report(), time.monotonic()
    names = [name for number in numbers for name in ATTACKS[number]]
    rows = [[name for name in row if name in names] for row in TOGETHER]
    together = list(chain(*rows))
    for name in names:
        left = max(0.0, began + ALL_SECONDS - time.monotonic())
        attack = partial(attack_once, seconds=min(ATTACK_SECONDS, left), quick=quick)
        if name not in together:
            attack(name, report)
        elif name == together[0]:
            attack_together(rows, report, attack)
    seconds = time.monotonic() - began
    print(f"{len(report.rows)} figures, {len(report.missed)} goals missed, in {seconds:.0f} s", flush=True)
    for name, row in report.missed:
        print(f"{name}: {row}", flush=True)
    return not report.missed


def caught(names: list[str], *, quick: bool) -> bool:
    """Run each mutant with the attack that must detect it; whether all were detected."""
    missed = []
    for name in names:
        report, mutant = Report(), MUTANTS[name]
        print(f"mutant {name}: {(mutant.plant.__doc__ or '').strip()}", flush=True)
        asyncio.run(attacked(mutant.attack, report, ATTACK_SECONDS, quick=quick, mutants=(name,)))
        is_caught = any(mutant.row in row.what for _, row in report.missed)
        print(f"mutant {name}: {'caught' if is_caught else 'NOT CAUGHT'}", flush=True)
        missed += [] if is_caught else [name]
    print(
        f"{len(names)} mutants, {len(missed)} not caught{': ' * bool(missed)}{', '.join(missed)}", flush=True
    )
    return not missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS), help="attacks to run")
    parser.add_argument("--quick", action="store_true", help="shorter phases; rough figures")
    parser.add_argument("--repeat", type=int, default=1, help="so many times in a row")
    parser.add_argument("--mutants", nargs="*", choices=MUTANTS, help="run mutants, which must be caught")
    options = parser.parse_args()
    compiled_ahead()
    if options.mutants is not None:
        return 0 if caught(options.mutants or list(MUTANTS), quick=options.quick) else 1
    passed = [besieged(options.only, quick=options.quick) for _ in range(options.repeat)]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
