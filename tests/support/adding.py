"""Detects float sums with the built-in sum, which Python 3.12 rounds differently."""

from __future__ import annotations

import builtins
import sys
from typing import Any

_SUM = builtins.sum


def watch() -> None:
    """Make the built-in sum raise if `fallline` adds floats with it."""
    builtins.sum = _whole_numbers_only


def _whole_numbers_only(values: Any, /, start: Any = 0) -> Any:
    total = _SUM(values, start)
    if isinstance(total, float):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.split(".")[0] == "fallline":
            raise AssertionError(
                f"{caller} adds floats with the built-in sum, which rounds differently on Python 3.11 and 3.12: "
                "use np.sum, or math.fsum if no sum can overflow"
            )
    return total
