"""Loads the compiled kernel, compiled in a separate process if it is not cached.

Owns when new runs take the compiled kernel, and the reason if they do not. Owns the cache directory of compiled
code, named after all that it depends on. Numba detects changes only in the file of a function itself, not in the
functions compiled into it. So old and new code are in directories of different names.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from fallline.diagnosis import track
from fallline.diagnosis.track import follow_by
from fallline.engine import kernels
from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.builds import PINNED, lacking, pinned, target
from fallline.execution.memory import settle
from fallline.history import run_history
from fallline.history.pyramid import append_by
from fallline.history.run_history import scan_by
from fallline.vocabulary.columns import merge_by

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
    for path in (Path(track.__file__), Path(run_history.__file__), *sorted(SOURCES.parent.rglob("*.py"))):
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


_log = logging.getLogger(__name__)

NO_NUMBA = "Numba is not installed: install the extra 'fast' (in a clone: pip install '.[fast]')"
NO_PLACE = f"no directory for compiled code is writable: set {CACHE} to one"
SWITCHED_OFF = "FALLLINE_KERNEL is numpy"
COMPILING = "it is being compiled; new runs will use it when it is ready"

STOP_SECONDS = 0.2


class KernelUnavailable(RuntimeError):
    """The compiled kernel is unavailable; the text is the reason, for users."""


def compiled_kernel() -> Kernel:
    """Load or compile the compiled kernel. Raises KernelUnavailable."""
    try:
        from fallline.engine.kernels.compiled import COMPILED, load  # noqa: PLC0415  an optional extra
        from fallline.engine.kernels.compiled_buckets import carried_out  # noqa: PLC0415  an optional extra
        from fallline.engine.kernels.compiled_history import (  # noqa: PLC0415  an optional extra
            append,
            compiled_follow,
            compiled_scan,
        )

        load()
        merge_by(carried_out)
        append_by(append)
        scan_by(compiled_scan(run_history.scan))
        follow_by(compiled_follow(track.follow))
    except Exception as error:  # anything a compiler or a broken file may raise; NumPy is the fallback
        reason = str(error) or type(error).__name__
        raise KernelUnavailable(f"compiled code is unavailable: {reason}") from error
    return COMPILED


def warm() -> Path:
    """Compile missing code; return the directory. Raises KernelUnavailable."""
    directory = _place()
    point_numba_at(directory)
    if is_complete(directory):
        compiled_kernel()
        return directory
    try:
        with locked(directory):
            compiled_kernel()
            complete(directory)
    except OSError as error:
        raise KernelUnavailable(f"compiled code cannot be stored: {error}") from error
    return directory


def _place() -> Path:
    if importlib.util.find_spec("numba") is None:
        raise KernelUnavailable(NO_NUMBA)
    if missing := lacking(os.environ):
        raise KernelUnavailable(
            f"{PINNED}={os.environ[PINNED]} needs {', '.join(missing)}, which this processor lacks"
        )
    directory = cache_directory(os.environ)
    if directory is None:
        raise KernelUnavailable(NO_PLACE)
    return directory


class Preparation:
    """Switches from NumPy to the compiled kernel while the server runs."""

    def __init__(self, kernels: Kernels, choice: str = "auto") -> None:
        self._kernels = kernels
        self._choice = choice
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Use the compiled kernel if it is cached, else start compiling in a process.

        It waits for the compiler, and raises KernelUnavailable, only if the setting requires compiled code.
        """
        if self._choice == "numpy":
            return self._kernels.stay(SWITCHED_OFF)
        try:
            directory = _place()
            if self._choice == "compiled" or is_complete(directory):
                warm()
                return self._kernels.use(compiled_kernel())
        except KernelUnavailable as error:
            if self._choice == "compiled":
                raise
            return self._kernels.stay(str(error))
        self._kernels.stay(COMPILING)
        self._thread = threading.Thread(target=self._compile, name="compiling", daemon=True)
        self._thread.start()
        return None

    def stop(self) -> None:
        """Terminate the compiling process, if there is one."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _compile(self) -> None:
        try:
            why = self._compile_in_process()
            if why is None and not self._stopping.is_set():
                warm()
                self._kernels.use(compiled_kernel())
                settle()
                _log.info("the compiled kernel is ready: new runs use it")
        except (OSError, KernelUnavailable) as error:
            why = str(error)
        if why is not None and not self._stopping.is_set():
            self._kernels.stay(why)
            _log.warning("NumPy stays in use: %s", why)

    def _compile_in_process(self) -> str | None:
        """Fill the cache in a separate process. Returns the error, None if there is none."""
        command = [sys.executable, "-m", "fallline", "warm"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if self._stopping.is_set():
            self._process.terminate()
        _, errors = self._process.communicate()
        if self._process.returncode == 0:
            return None
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        return f"compiling failed: {last[0]}"
