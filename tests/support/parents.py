"""Processes that a test started end with the test."""

from __future__ import annotations

import ctypes
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl(2)."""


def end_with_parent() -> None:
    """Have Linux kill this process when its parent ends, however that happens.

    A killed siege would leave a server that trains on, and spoils every figure measured after it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
