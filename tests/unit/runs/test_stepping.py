"""Play and step jobs as they are stored and put back."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.runs.stepping import Stepping
from fallline.vocabulary.commands import SLOWEST


@pytest.mark.parametrize(
    ("stored", "speed"), [(1e-12, SLOWEST), (1e-300, SLOWEST), (0.5, 0.5), (1e6, 1e6), ("max", "max")]
)
def test_a_stored_pace_below_the_slowest_is_raised(stored: Any, speed: Any) -> None:
    stepping = Stepping()
    stepping.put_back({"speed": stored, "pace": "samples", "unfinished": {}})
    assert stepping.speed == {"speed": speed, "pace": "samples"}
    stepping.play_on(now=1000.0)
    wake = stepping.wake_at(1000.0)
    assert wake is not None
    assert wake <= 1000.0 + 1 / SLOWEST
