"""Gets the compiled kernel ready: where its code is kept, and a process beside the server that compiles it.

Owns the cache's place, and the moment at which new runs take the compiled kernel. Must not know runs or HTTP.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from fallline.engine import kernels as home
from fallline.engine.kernels.choice import Kernels, KernelUnavailable, compiled_kernel, processor

_log = logging.getLogger(__name__)

CACHE = "NUMBA_CACHE_DIR"
"""Numba's own variable: a directory for compiled code. Ours is one below, named after everything it depends on."""

DONE = "complete"
"""A file in the cache's directory that says that every signature has been compiled."""

NO_NUMBA = "Numba is not installed: the extra 'fast' brings it (pip install 'fallline[fast]')"
NO_PLACE = f"no directory for compiled code can be written to: name one by {CACHE}"
SWITCHED_OFF = "FALLLINE_KERNEL is numpy"
COMPILING = "it is being compiled; runs that begin later will take it"

STOP_SECONDS = 0.2

KITCHEN = Path(home.__file__).parent


def cache_directory(environment: Mapping[str, str]) -> Path | None:
    """Where compiled code is kept: below the directory that the environment names, else beside the sources, else in the
    user's cache; None where nothing can be written to.

    The name holds a fingerprint, since Numba looks for changes only in the file of a function itself and not in those
    of the functions that were compiled into it.
    """
    named, own, house = (environment.get(name) for name in (CACHE, "XDG_CACHE_HOME", "HOME"))
    places = [Path(named)] if named else [KITCHEN / "__pycache__"]
    if not named and (own or house):
        places.append((Path(own) if own else Path(house or "") / ".cache") / "fallline")
    name = f"fallline-{fingerprint(environment)}"
    for place in places:
        # A cache that was pointed at before keeps its place: a child of the process that pointed at it shares it.
        found = place if place.name == name else place / name
        if _can_write(found):
            return found
    return None


def _can_write(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def fingerprint(environment: Mapping[str, str]) -> str:
    """Short for everything that compiled code depends on: our sources, the compiler, the machine."""
    told = hashlib.sha256()
    for path in sorted(KITCHEN.parent.rglob("*.py")):
        told.update(f"{path} {path.stat().st_mtime}".encode())
        told.update(path.read_bytes())
    pinned = environment.get("NUMBA_CPU_NAME") or processor()
    builds = [version(name) for name in ("numba", "llvmlite", "numpy") if importlib.util.find_spec(name)]
    told.update(repr((builds, sys.version, platform.machine(), pinned)).encode())
    return told.hexdigest()[:16]


def point_numba_at(directory: Path) -> None:
    """Have compiled code read from there and written there, by this process and those it starts."""
    os.environ[CACHE] = str(directory)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(directory)


def warm() -> Path:
    """Compile every signature into the cache, and say so there; returns its directory. Raises KernelUnavailable."""
    directory = _place()
    point_numba_at(directory)
    compiled_kernel()
    (directory / DONE).touch()
    return directory


def _place() -> Path:
    if importlib.util.find_spec("numba") is None:
        raise KernelUnavailable(NO_NUMBA)
    directory = cache_directory(os.environ)
    if directory is None:
        raise KernelUnavailable(NO_PLACE)
    return directory


class Preparation:
    """The way from NumPy to the compiled kernel, walked while the server serves."""

    def __init__(self, kernels: Kernels, wanted: str = "auto") -> None:
        self._kernels = kernels
        self._wanted = wanted
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take the compiled kernel at once where its code lies ready, else have it compiled elsewhere. Never waits for
        a compiler, except where the setting asks for nothing but compiled code; raises KernelUnavailable only then.
        """
        if self._wanted == "numpy":
            return self._kernels.stay(SWITCHED_OFF)
        try:
            directory = _place()
            if self._wanted == "compiled" or (directory / DONE).exists():
                warm()
                return self._kernels.use(compiled_kernel())
        except KernelUnavailable as error:
            if self._wanted == "compiled":
                raise
            return self._kernels.stay(str(error))
        self._kernels.stay(COMPILING)
        self._thread = threading.Thread(target=self._compile, name="compiling", daemon=True)
        self._thread.start()
        return None

    def stop(self) -> None:
        """End the process that compiles, if there is one. It has the lowest priority, so nobody waits for its end."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _compile(self) -> None:
        try:
            why = self._compiled_elsewhere()
            if why is None and not self._stopping.is_set():
                warm()
                self._kernels.use(compiled_kernel())
                _log.info("the compiled kernel is ready: runs that begin now take it")
        except (OSError, KernelUnavailable) as error:
            why = str(error)
        if why is not None and not self._stopping.is_set():
            self._kernels.stay(why)
            _log.warning("NumPy stays in use: %s", why)

    def _compiled_elsewhere(self) -> str | None:
        """Compile in a process of its own, which fills the cache; returns what went wrong, if anything did."""
        command = [sys.executable, "-m", "fallline", "warm"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if self._stopping.is_set():
            self._process.terminate()
        _, complaint = self._process.communicate()
        if self._process.returncode == 0:
            return None
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it ended without a word"]
        return f"compiling failed: {last[0]}"
