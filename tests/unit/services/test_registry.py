"""The registry without a lab."""

from __future__ import annotations

from math import inf

from fallline.services.registry import Registry
from support.clocks import Clock


def test_the_last_acknowledgement_of_an_experiment_is_recorded_on_the_labs_clock() -> None:
    clock = Clock()
    registry = Registry(clock, age=lambda: 0.0)
    entry = registry.add("e", b"", None)
    assert entry.acknowledged == -inf
    clock.now = 1234.5
    registry.acknowledge("e")
    registry.acknowledge("none of that id")
    assert entry.acknowledged == 1234.5
