"""The memory of an experiment is counted when it may have changed."""

from __future__ import annotations

import pytest

from fallline.runs import usage
from fallline.runs.run import Run
from support.lives import Life, edit


def test_memory_is_counted_after_steps_and_not_after_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []

    def run_bytes(run: Run) -> int:
        counted.append(run.name)
        return 0

    life = Life()
    life.step(5)
    monkeypatch.setattr(usage, "run_bytes", run_bytes)
    life.do(edit("gd", learning_rate=0.05))
    assert counted == []
    life.step(1)
    assert set(counted) == {"gd", "sgd"}
