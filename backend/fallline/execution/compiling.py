"""Loads the compiled kernel, compiled in a separate process if it is not cached.

Owns when new runs take the compiled kernel, and the reason if they do not.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from fallline.engine.kernels.choice import Kernels, KernelUnavailable, compiled_kernel
from fallline.execution.builds import PINNED, lacking
from fallline.execution.code_cache import (
    CACHE,
    cache_directory,
    complete,
    is_complete,
    locked,
    point_numba_at,
)

_log = logging.getLogger(__name__)

NO_NUMBA = "Numba is not installed: install the extra 'fast' (in a clone: pip install '.[fast]')"
NO_PLACE = f"no directory for compiled code is writable: set {CACHE} to one"
SWITCHED_OFF = "FALLLINE_KERNEL is numpy"
COMPILING = "it is being compiled; new runs will use it when it is ready"

STOP_SECONDS = 0.2


def warm() -> Path:
    """Compile what is not cached; return the directory. Raises KernelUnavailable."""
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
