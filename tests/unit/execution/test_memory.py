"""The memory limit of a container, read from files as Linux writes them, and the return of freed memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fallline.execution import memory
from fallline.execution.memory import MEGABYTE, memory_for_experiments, memory_limit

MACHINE = 8_000 * MEGABYTE


@pytest.fixture(autouse=True)
def a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_of_the_machine", lambda: MACHINE)


def root_with(folder: Path, groups: str, **limits: str) -> Path:
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(groups)
    for path, limit in limits.items():
        file = folder / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(limit + "\n")
    return folder


GIB = str(1024 * MEGABYTE)


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/\n", {"memory.max": GIB}, 1024),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": GIB}, 1024),
        ("0::/of/the/host\n", {"memory.max": GIB}, 1024),
        ("4:memory:/x\n0::/\n", {"memory/x/memory.limit_in_bytes": GIB}, 1024),
        ("4:cpu,memory:/of/the/host\n", {"memory/memory.limit_in_bytes": GIB}, 1024),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": str(2**63 - 4096)}, 8_000),
        ("4:cpu:/\n", {"memory/memory.limit_in_bytes": GIB}, 8_000),
        ("0::/\n", {"memory.max": "max"}, 8_000),
        ("0::/\n", {"memory.max": str(2 * MACHINE)}, 8_000),
        ("", {}, 8_000),
    ],
)
def test_the_lowest_limit_holds(tmp_path: Path, groups: str, limits: dict[str, str], expected: int) -> None:
    assert memory_limit(root_with(tmp_path, groups, **limits)) == expected * MEGABYTE


def test_without_a_limit_the_memory_of_the_machine_counts(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) == MACHINE


@pytest.mark.parametrize(
    ("limit", "expected"), [(16_000, 8_000), (1_024, 512), (800, 400), (512, 112), (256, 64)]
)
def test_the_process_itself_has_to_fit_beside_experiments(limit: int, expected: int) -> None:
    assert memory_for_experiments(limit * MEGABYTE) == expected * MEGABYTE


CHURN = """
import sys
import numpy as np
import subprocess
import sys
from pathlib import Path
from fallline.execution.memory import return_freed_memory

def resident():
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon"))) << 10

if sys.argv[1] == "returned":
    assert return_freed_memory()
np.ones(1 << 20)  # glibc raises its threshold to the size of a large block that is freed, up to 32 MB
before = resident()
columns, kept = [], []
for _ in range(100):
    columns.append(np.ones(40_000))
    kept.append(np.ones(1_000))
del columns
print(resident() - before)
"""


def test_freed_columns_between_small_blocks_go_back_to_the_system() -> None:
    def grown(mode: str) -> float:
        done = subprocess.run([sys.executable, "-c", CHURN, mode], capture_output=True, text=True, check=True)
        return int(done.stdout) / MEGABYTE

    assert grown("returned") < 4
    assert grown("by default") > 16
