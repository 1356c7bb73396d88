"""How functions are compiled. Must not know what they compute.

Only imported where the extra `fast` is installed: this module is where Numba enters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

REORDERED = frozenset({"reassoc", "contract", "arcp", "nsz"})
"""What the compiler may do with sums. Never all of fastmath: that lets it take NaN and infinity for impossible, and
drop the very test that finds a diverged step."""

AS_WRITTEN = frozenset({"contract"})


def compiled(function: Function) -> Function:
    """Compile at the first call, without the GIL, and keep the code on disk; sums may be taken in another order."""
    return _compiled(function, REORDERED)


def compiled_in_place(function: Function) -> Function:
    """As `compiled`, and always made part of its caller: for what is called once a step on a handful of numbers."""
    return _compiled(function, REORDERED, forceinline=True)


def compiled_as_written(function: Function) -> Function:
    """As `compiled_in_place`, for arithmetic that lives off the very order in which it is written."""
    return _compiled(function, AS_WRITTEN, forceinline=True)


def compiled_to_the_bit(function: Function) -> Function:
    """As `compiled`, for what is to come out the same whatever stands beside it in a loop."""
    return _compiled(function, frozenset())


def _compiled(function: Function, fastmath: frozenset[str], *, forceinline: bool = False) -> Function:
    options = {
        "nogil": True,
        "cache": True,
        "error_model": "numpy",
        "_nrt": False,
        "forceinline": forceinline,
    }
    made = njit(fastmath=set(fastmath), **options)(function)
    return cast(Function, made)
