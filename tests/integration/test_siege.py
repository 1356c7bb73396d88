"""A small `make siege`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from siege.mutants import MUTANTS
from siege.report import Report
from siege.run import ATTACK_SECONDS, ATTACKS, attacked


async def test_a_small_siege_is_withstood() -> None:
    report = Report()
    await attacked("without_storage", report, ATTACK_SECONDS, quick=True)
    assert report.rows
    assert not report.missed


async def test_a_small_siege_catches_a_mutant() -> None:
    report = Report()
    await attacked("without_storage", report, ATTACK_SECONDS, quick=True, mutants=("deleted-for-room",))
    assert [row.what for _, row in report.missed if MUTANTS["deleted-for-room"].row in row.what]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_says_which_attack_must_catch_it(name: str) -> None:
    assert MUTANTS[name].attack in [module for modules in ATTACKS.values() for module in modules]


@pytest.mark.parametrize(
    "plant_all",
    [
        "from siege.mutants import MUTANTS; [mutant.plant() for mutant in MUTANTS.values()]",
        "from chaos.server import MUTANTS; [plant() for plant in MUTANTS.values()]",
    ],
)
def test_mutants_replace_only_what_exists(plant_all: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", plant_all],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
