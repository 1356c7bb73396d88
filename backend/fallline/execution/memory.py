"""The memory limit of this process, and the part that all checkpoints share.

Sources of the limit: the kernel's cgroup-v2.rst ("memory.max") and cgroup-v1/memory.rst ("memory.limit_in_bytes").
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from weakref import WeakSet

from fallline.runs.past.checkpoints import Checkpoints

MEGABYTE = 1 << 20

UNKNOWN = 2048 * MEGABYTE
"""Assumed if neither a container nor the system has a limit."""

NO_LIMIT = 1 << 60
"""Without a limit, cgroups of version 1 report a larger number."""

PROCESS = 400 * MEGABYTE
"""Memory beside experiments: Python, NumPy, compiled code, responses, uploads."""

LEAST = 64 * MEGABYTE


def memory_for_experiments(limit: int) -> int:
    """Return the bytes for experiments: half of the limit, or what `PROCESS` leaves."""
    return max(min(limit // 2, limit - PROCESS), LEAST)


def memory_limit(root: Path = Path("/")) -> int:
    """Return the most bytes that this process may use."""
    return min([*_of_groups(root), _of_the_machine()])


def _of_the_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no such call on Windows
        return UNKNOWN


def _of_groups(root: Path) -> Iterator[int]:
    """Yield the limits of this process's control groups. All of them hold."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, entry = line.partition(":")
        controllers, _, group = entry.partition(":")
        if controllers == "":
            folder, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # Inside a container the path may be a missing one of the host: then the top is the container's.
        path = PurePosixPath(group.lstrip("/"))
        for part in (path, *path.parents):
            limit = _text(folder / part / name).strip()
            if limit.isdigit() and int(limit) < NO_LIMIT:
                yield int(limit)


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


class SharedBudget:
    """A number of bytes for all holders. A deleted holder no longer counts.

    One holder gets at most half of what the others leave, so no run can take all of it. A holder above its present
    share drops states when it stores the next one.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._holders: WeakSet[Checkpoints] = WeakSet()
        self._lock = threading.Lock()

    def register(self, holder: Checkpoints) -> None:
        """Count this holder's bytes until it is deleted."""
        with self._lock:
            self._holders.add(holder)

    def available_to(self, holder: Checkpoints) -> int:
        """Return the bytes for this holder: half of what the others leave."""
        with self._lock:
            others = sum(each.bytes_beyond for each in self._holders if each is not holder)
        return max(self._most_bytes - others, 0) // 2
