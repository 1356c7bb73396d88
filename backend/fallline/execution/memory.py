"""The memory limit of this process, the part that all checkpoints share, the return of freed memory, and the collector.

Sources of the limit: the kernel's cgroup-v2.rst ("memory.max") and cgroup-v1/memory.rst ("memory.limit_in_bytes").
"""

from __future__ import annotations

import ctypes
import gc
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

RETURNED_BYTES = MEGABYTE // 4
"""Blocks from this size on go back to the system as soon as they are freed."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


def return_freed_memory() -> bool:
    """Make the C library give back freed blocks from `RETURNED_BYTES` on; return whether it can.

    By default, glibc raises this size to the largest block freed so far. Columns of histories and frames then lie
    between small blocks that stay, and their memory is lost. Sixteen experiments at full speed grew by 28 MB in 24
    s, and by 12 MB with a fixed size. Training was not slower (5,000 samples, two layers of 64 units).
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    return all(set_option(option, RETURNED_BYTES) for option in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD))


def settle() -> None:
    """Freeze permanent objects, so that garbage collection is short.

    A pass over them stops everything: 65 ms for a new server's objects, 35 ms more for the compiler's.
    """
    gc.collect()
    gc.freeze()


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
