"""Gets the compiled kernel ready: at once where its code lies on disk, else by a process beside the server.

Owns the moment at which new runs take the compiled kernel, and says why they do not. Must not know runs or HTTP.
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
from fallline.execution.code_cache import (
    CACHE,
    alone,
    cache_directory,
    complete,
    is_complete,
    point_numba_at,
)
from fallline.execution.processor import PINNED, lacking

_log = logging.getLogger(__name__)

NO_NUMBA = "Numba is not installed: the extra 'fast' brings it (in a clone: pip install '.[fast]')"
NO_PLACE = f"no directory for compiled code can be written to: name one by {CACHE}"
SWITCHED_OFF = "FALLLINE_KERNEL is numpy"
COMPILING = "it is being compiled; runs that begin later will take it"

STOP_SECONDS = 0.2


def warm() -> Path:
    """Have every signature in the cache, compiled or found there; returns its directory. Raises KernelUnavailable."""
    directory = _place()
    point_numba_at(directory)
    if is_complete(directory):
        compiled_kernel()
        return directory
    try:
        with alone(directory):
            compiled_kernel()
            complete(directory)
    except OSError as error:
        raise KernelUnavailable(f"compiled code cannot be kept: {error}") from error
    return directory


def _place() -> Path:
    if importlib.util.find_spec("numba") is None:
        raise KernelUnavailable(NO_NUMBA)
    if missing := lacking(os.environ):
        raise KernelUnavailable(
            f"this processor lacks {', '.join(missing)}, for which {PINNED}={os.environ[PINNED]} compiles"
        )
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
            if self._wanted == "compiled" or is_complete(directory):
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
