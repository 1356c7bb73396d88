"""Functions that note their calls."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def noting(note: Callable[..., object], function: Callable[P, R]) -> Callable[P, R]:
    """Return the function; each call first calls `note` with the same arguments."""

    def both(*arguments: P.args, **named: P.kwargs) -> R:
        note(*arguments, **named)
        return function(*arguments, **named)

    return both
