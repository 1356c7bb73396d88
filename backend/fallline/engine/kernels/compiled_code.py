"""Compiler options. Only this module's importers need Numba (extra `fast`)."""

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
"""Licences for sums.

Never all of fastmath: it assumes that NaN and infinity never occur, and drops the test for diverged steps.
"""

AS_WRITTEN = frozenset({"contract"})


def compiled(function: Function) -> Function:
    """Compile on first call, without the GIL, cached on disk; may reorder sums."""
    return _compiled(function, REORDERED)


def compiled_in_place(function: Function) -> Function:
    """As `compiled`, always inlined: for short work once per step."""
    return _compiled(function, REORDERED, forceinline=True)


def compiled_as_written(function: Function) -> Function:
    """As `compiled_in_place`, for arithmetic that depends on its order."""
    return _compiled(function, AS_WRITTEN, forceinline=True)


def compiled_to_the_bit(function: Function) -> Function:
    """As `compiled`, with the same bits in every context."""
    return _compiled(function, frozenset())


def compiled_for(signature: Any) -> Callable[[Function], Function]:
    """As `compiled_to_the_bit`, for one signature: arrays of any layout would else be compiled again and again."""
    return lambda function: _compiled(function, frozenset(), signature=signature)


def _compiled(
    function: Function, fastmath: frozenset[str], *, forceinline: bool = False, signature: Any = None
) -> Function:
    options = {
        "nogil": True,
        "cache": True,
        "error_model": "numpy",
        "_nrt": False,
        "forceinline": forceinline,
    }
    function_compiled = njit(signature, fastmath=set(fastmath), **options)(function)
    return cast(Function, function_compiled)
