"""A small `make siege`."""

from __future__ import annotations

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
