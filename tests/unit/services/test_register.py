"""Which experiments there are, without a lab around them."""

from __future__ import annotations

from math import inf

from fallline.services.register import Register
from support.clocks import Clock


def test_the_last_acknowledgement_of_an_experiment_is_recorded_on_the_labs_clock() -> None:
    clock = Clock()
    register = Register(clock, passed=lambda: 0.0)
    entry = register.enter("e", b"", None)
    assert entry.acknowledged == -inf
    clock.now = 1234.5
    register.acknowledge("e")
    register.acknowledge("none of that id")
    assert entry.acknowledged == 1234.5
