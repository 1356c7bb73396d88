"""Play and step jobs, stored and restored."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.runs.stepping import MOST_UNFINISHED, PATIENCE_SECONDS, StepJob, Stepping
from fallline.vocabulary.commands import SLOWEST
from fallline.vocabulary.journal import Receipt


@pytest.mark.parametrize(
    ("stored", "speed"), [(1e-12, SLOWEST), (1e-300, SLOWEST), (0.5, 0.5), (1e6, 1e6), ("max", "max")]
)
def test_a_stored_pace_below_the_slowest_is_raised(stored: Any, speed: Any) -> None:
    stepping = Stepping()
    stepping.restore({"speed": stored, "pace": "samples", "unfinished": {}})
    assert stepping.speed == {"speed": speed, "pace": "samples"}
    stepping.resume_play(now=1000.0)
    wake = stepping.wake_at(1000.0)
    assert wake is not None
    assert wake <= 1000.0 + 1 / SLOWEST


def test_the_latest_interrupted_jobs_are_stored() -> None:
    stepping = Stepping()
    for number in range(MOST_UNFINISHED + 10):
        job = StepJob({}, {}, lambda _: None)
        job.caller = object()
        stepping.begin(job, Receipt(f"key-{number}", b"digest"))
        stepping.note_caller(job.caller, 0.0)
        assert stepping.drop_unattended(PATIENCE_SECONDS) == [job]
    keys = list(stepping.as_json()["unfinished"])
    assert keys == [f"key-{number}" for number in range(10, MOST_UNFINISHED + 10)]
