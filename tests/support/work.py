"""Work measured in function calls, independent of the machine and its load."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooMuchWork(BaseException):
    """More calls than the test allows.

    Raised at once, because the rest may take minutes.
    """


class Work:
    """Counts calls of Python and C functions; each step of a generator counts as one."""

    def __init__(self, limit: float) -> None:
        self.calls = 0
        self._limit = limit

    def profile(self, _frame: FrameType, event: str, _argument: Any) -> None:
        if event in ("call", "c_call"):
            self.calls += 1
            if self.calls > self._limit:
                sys.setprofile(None)
                raise TooMuchWork(f"more than {self._limit:,.0f} calls")


@contextmanager
def counted(limit: float = float("inf")) -> Iterator[Work]:
    """Count the calls of this thread in the context.

    Raises TooMuchWork above the limit.
    """
    work = Work(limit)
    sys.setprofile(work.profile)
    try:
        yield work
    finally:
        sys.setprofile(None)
