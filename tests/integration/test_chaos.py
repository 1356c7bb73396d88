"""A small `make chaos`: commands over a bad line to a server that is killed."""

from __future__ import annotations

import pytest

from chaos.world import Troubles, chaos


@pytest.mark.parametrize(("commands", "kills"), [(20, 1), pytest.param(100, 2, marks=pytest.mark.long)])
@pytest.mark.timeout(300)
async def test_no_acknowledged_command_is_lost_repeated_or_changed_by_faults(
    commands: int, kills: int
) -> None:
    report = await chaos(
        7, commands, kills=kills, clients=3, troubles=Troubles(kill=2.0 / kills, cut=0.5, silence=1.0)
    )
    assert report.wrong == []
    assert report.kills >= kills
    assert report.acknowledged >= commands
