"""How much memory this process may use: the container's limit, or what the machine has.

Sources: the kernel's cgroup-v2.rst ("memory.max") and cgroup-v1/memory.rst ("memory.limit_in_bytes"). Must not know
what the memory is for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MEGABYTE = 1 << 20

UNKNOWN = 2048 * MEGABYTE
"""Where neither a container nor the system says."""

NO_LIMIT = 1 << 60
"""What cgroups of version 1 say without a limit is larger."""

PROCESS = 400 * MEGABYTE
"""What the process takes beside experiments: Python, NumPy and compiled code, answers on their way, uploads."""

LEAST = 64 * MEGABYTE


def memory_for_experiments(limit: int) -> int:
    """Bytes for experiments out of this limit: half, or less where the process itself would not fit beside them."""
    return max(min(limit // 2, limit - PROCESS), LEAST)


def memory_limit(root: Path = Path("/")) -> int:
    """Bytes that this process may use at most."""
    return min([*_of_groups(root), _of_the_machine()])


def _of_the_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no such call on Windows
        return UNKNOWN


def _of_groups(root: Path) -> Iterator[int]:
    """The limits of the control groups that this process is in. A group inside another obeys both."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, told = line.partition(":")
        controllers, _, group = told.partition(":")
        if controllers == "":
            folder, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # Inside a container the path may be that of the host, which is not there: then the top is the container's.
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
