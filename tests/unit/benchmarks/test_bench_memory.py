"""The verdict of the comparison of counted and resident bytes. Nothing is measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

import bench_memory
from bench_memory import Kind


def measuring(counted: int, grown: int) -> Callable[..., object]:
    async def measured(kind: Kind, count: int, *, traced: bool) -> tuple[int, int]:
        return counted, grown

    return measured


@pytest.mark.parametrize(
    ("how", "counted", "misses"),
    [
        ("resident", 1_000, False),
        ("resident", 1_099, False),
        ("resident", 1_101, True),
        ("resident", 899, True),
        ("traced", 5_000, False),
    ],
)
def test_a_kind_whose_counted_and_resident_bytes_differ_fails(
    monkeypatch: pytest.MonkeyPatch, how: str, counted: int, misses: bool
) -> None:
    monkeypatch.setattr(bench_memory, "measured", measuring(counted, 1_000))
    monkeypatch.setattr(bench_memory, "point_numba_at", lambda directory: None)
    monkeypatch.setattr(sys, "argv", ["bench_memory.py", "--only", "tiny", "--here", how])
    assert status_of_main() == misses


@pytest.mark.parametrize("missing", [None, "tiny", "lookback"])
def test_one_kind_that_misses_the_goal_fails_after_all_are_measured(
    monkeypatch: pytest.MonkeyPatch, missing: str | None
) -> None:
    measured: list[tuple[str, str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        name, how = command[command.index("--only") + 1], command[command.index("--here") + 1]
        measured.append((name, how))
        return SimpleNamespace(returncode=int(name == missing and how == "resident"))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(bench_memory, "point_numba_at", lambda directory: None)
    monkeypatch.setattr(sys, "argv", ["bench_memory.py"])
    assert status_of_main() == (missing is not None)
    assert measured == [(name, how) for name in bench_memory.KINDS for how in ("resident", "traced")]


def status_of_main() -> int:
    try:
        bench_memory.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
