"""A small version of `make chaos`: commands over a bad line to a server that is killed in between."""

from __future__ import annotations

import pytest

from chaos.world import Troubles, chaos


@pytest.mark.parametrize("commands", [40, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_doubled_or_different_whatever_breaks(
    commands: int,
) -> None:
    report = await chaos(7, commands, kills=2, clients=3, troubles=Troubles(kill=1.0, cut=0.5, silence=1.0))
    assert report.wrong == []
    assert report.kills >= 2
    assert report.acknowledged >= commands
