"""Keeps the program's numbers free of the built-in sum, which rounds floats otherwise from Python 3.12 on."""

from __future__ import annotations

import builtins
import sys
from typing import Any

_SUM = builtins.sum


def watch() -> None:
    """Let the built-in sum fail in this process wherever `fallline` adds floats with it."""
    builtins.sum = _whole_numbers_only


def _whole_numbers_only(values: Any, /, start: Any = 0) -> Any:
    total = _SUM(values, start)
    if isinstance(total, float):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.split(".")[0] == "fallline":
            raise AssertionError(
                f"{caller} adds floats with the built-in sum, which gives other last digits on Python 3.11 than "
                "on 3.12: take np.sum, or math.fsum where no sum may overflow."
            )
    return total
