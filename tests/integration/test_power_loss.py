"""A small `make powerloss`: the state of the disk when the power fails."""

from __future__ import annotations

import pytest

from powerloss.world import powerloss


async def test_a_power_loss_costs_nothing_that_was_acknowledged_and_leaves_nothing_half_there() -> None:
    report = await powerloss(7, 15, 15)
    assert report.wrong == []


@pytest.mark.parametrize("mutant", ["normal", "hasty"])
async def test_a_store_that_does_not_wait_for_the_disk_is_caught(mutant: str) -> None:
    """One of several seeds must fail: the time between two syncs decides which moments matter."""
    for seed in range(7, 13):
        if (await powerloss(seed, 9, 12, mutant)).wrong:
            return
    pytest.fail("not caught")
