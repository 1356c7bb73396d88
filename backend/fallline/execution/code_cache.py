"""Where compiled code is kept: a directory named after everything that the code depends on.

Numba looks for changes only in the file of a function itself, not in those of the functions that were compiled into it;
so what tells old code from new is the directory's name. Must not know who compiles, or when.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from fallline.engine import kernels as home
from fallline.execution.processor import made_for, pinned

if sys.platform != "win32":
    import fcntl

CACHE = "NUMBA_CACHE_DIR"
"""Numba's own variable: a directory for compiled code. Ours is one below."""

DONE = "complete"
"""A file in the cache's directory that says that every signature has been compiled."""

NAME = "fallline-"
KEPT = 4
"""Caches of other sources, or other processors, that are left in one place."""

KITCHEN = Path(home.__file__).parent
BESIDE = KITCHEN / "__pycache__"


def cache_directory(environment: Mapping[str, str]) -> Path | None:
    """A directory for compiled code that can be written to (Numba refuses others even for reading): below the one that
    the environment names, else beside the sources, else in the user's cache; None where there is none.

    What has been compiled into one that is only readable is copied: an image's, or that of whoever installed this.
    """
    name = NAME + fingerprint(environment)
    found = [place / name for place in _places(environment)]
    directory = next(filter(_can_write, found), None)
    if directory is not None and not is_complete(directory):
        for other in filter(is_complete, [*found, BESIDE / name]):
            return directory if _copied(other, directory) else None
    return directory


def _places(environment: Mapping[str, str]) -> Iterator[Path]:
    if named := environment.get(CACHE):
        place = Path(named)
        # What a process pointed at is ours, and the processes that it starts share its place.
        yield place.parent if place.name.startswith(NAME) else place
        return
    yield BESIDE
    if own := environment.get("XDG_CACHE_HOME"):
        yield Path(own) / "fallline"
    elif house := environment.get("HOME"):
        yield Path(house) / ".cache" / "fallline"


def is_complete(directory: Path) -> bool:
    """Whether everything has been compiled into it."""
    return (directory / DONE).exists()


def complete(directory: Path) -> None:
    """Say that everything has been compiled into it, and let the oldest of the others go."""
    (directory / DONE).touch()
    others = sorted(directory.parent.glob(NAME + "*"), key=_used, reverse=True)
    for other in [each for each in others if each != directory][KEPT:]:
        shutil.rmtree(other, ignore_errors=True)


def _used(directory: Path) -> float:
    for path in (directory / DONE, directory):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _can_write(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def _copied(source: Path, target: Path) -> bool:
    """Whether the code could be copied; a full disk is as good as none."""
    try:
        skipped = shutil.ignore_patterns(DONE)
        shutil.copytree(source, target, ignore=skipped, copy_function=_copy_whole, dirs_exist_ok=True)
        (target / DONE).touch()
    except OSError:
        return False
    return True


def _copy_whole(source: str, target: str) -> None:
    """So that no other process reads a file of which half is there."""
    half = f"{target}.{os.getpid()}"
    shutil.copyfile(source, half)
    os.replace(half, target)


def fingerprint(environment: Mapping[str, str]) -> str:
    """Short for everything that compiled code depends on: our sources and where they lie (Numba files code under their
    path), the compiler, the machine. Not when they were written, so that they may be copied.
    """
    told = hashlib.sha256()
    for path in sorted(KITCHEN.parent.rglob("*.py")):
        told.update(f"{path}\n".encode())
        told.update(path.read_bytes())
    builds = [version(name) for name in ("numba", "llvmlite", "numpy") if importlib.util.find_spec(name)]
    told.update(repr((builds, sys.version, platform.machine(), made_for(environment))).encode())
    return told.hexdigest()[:16]


def point_numba_at(directory: Path) -> None:
    """Have compiled code read from there and written there, by this process and those it starts; and made for the
    processor that is pinned, if Numba has not been imported yet.
    """
    os.environ.update(pinned(os.environ))
    os.environ[CACHE] = str(directory)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(directory)


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Wait until no other process compiles into it. On Windows two may compile the same, to no harm but the time."""
    with (directory / "lock").open("w") as lock:
        if sys.platform != "win32":
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
