"""The cache directory of compiled code, named after all that it depends on.

Numba detects changes only in the file of a function itself, not in the functions compiled into it. So old and new code
are in directories of different names.
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

from fallline.engine import kernels
from fallline.execution.builds import pinned, target

if sys.platform != "win32":
    import fcntl

CACHE = "NUMBA_CACHE_DIR"
"""Numba's variable for the directory of compiled code. Ours is a subdirectory."""

DONE = "complete"
"""A file in the cache directory: every signature has been compiled."""

NAME = "fallline-"
MOST_OTHERS = 8
"""Caches of other sources or processors that are not deleted."""

SOURCES = Path(kernels.__file__).parent
BESIDE_SOURCES = SOURCES / "__pycache__"


def cache_directory(environment: Mapping[str, str]) -> Path | None:
    """Return a writable directory for compiled code, or None.

    Numba refuses read-only ones, even to read. It is below the directory in the environment, else beside the sources,
    else in the user's cache. A complete cache in a read-only directory is copied, for example from an image or another
    user's installation.
    """
    name = NAME + fingerprint(environment)
    candidates = [place / name for place in _places(environment)]
    directory = next(filter(_can_write, candidates), None)
    if directory is not None and not is_complete(directory):
        for other in filter(is_complete, [*candidates, BESIDE_SOURCES / name]):
            return directory if _copied(other, directory) else None
    return directory


def _places(environment: Mapping[str, str]) -> Iterator[Path]:
    if named := environment.get(CACHE):
        place = Path(named)
        # A parent process has set the variable to our own subdirectory.
        yield place.parent if place.name.startswith(NAME) else place
        return
    yield BESIDE_SOURCES
    if own := environment.get("XDG_CACHE_HOME"):
        yield Path(own) / "fallline"
    elif home := environment.get("HOME"):
        yield Path(home) / ".cache" / "fallline"


def is_complete(directory: Path) -> bool:
    """Return whether the cache has every signature."""
    return (directory / DONE).exists()


def complete(directory: Path) -> None:
    """Mark the cache as complete, and delete the oldest other caches."""
    (directory / DONE).touch()
    others = sorted(directory.parent.glob(NAME + "*"), key=_used, reverse=True)
    for other in [each for each in others if each != directory][MOST_OTHERS:]:
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
    """Copy the code. Return False if that fails, as on a full disk."""
    try:
        skipped = shutil.ignore_patterns(DONE)
        shutil.copytree(source, target, ignore=skipped, copy_function=_copy_whole, dirs_exist_ok=True)
        (target / DONE).touch()
    except OSError:
        return False
    return True


def _copy_whole(source: str, target: str) -> None:
    """Copy a file so that no other process reads half of it."""
    half = f"{target}.{os.getpid()}"
    shutil.copyfile(source, half)
    os.replace(half, target)


def fingerprint(environment: Mapping[str, str]) -> str:
    """Return a short hash of everything that compiled code depends on.

    That is our sources and their path (Numba indexes code by path), the compiler and the machine. File times do not
    count, so sources can be copied.
    """
    digest = hashlib.sha256()
    for path in sorted(SOURCES.parent.rglob("*.py")):
        digest.update(f"{path}\n".encode())
        digest.update(path.read_bytes())
    builds = [version(name) for name in ("numba", "llvmlite", "numpy") if importlib.util.find_spec(name)]
    digest.update(repr((builds, sys.version, platform.machine(), target(environment))).encode())
    return digest.hexdigest()[:16]


def point_numba_at(directory: Path) -> None:
    """Make this process and its children read and write compiled code there.

    If Numba has not been imported yet, it also compiles for the pinned processor.
    """
    os.environ.update(pinned(os.environ))
    os.environ[CACHE] = str(directory)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(directory)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Wait until no other process compiles there. Windows has no such lock."""
    with (directory / "lock").open("w") as lock:
        if sys.platform != "win32":
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
