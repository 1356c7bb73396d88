"""How much work something is, counted in calls of functions: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooMuchWork(BaseException):
    """More calls than the test allows. Raised at once: what it is about may take minutes."""


class Work:
    """The calls so far, of Python's functions and of those written in C; each turn of a generator is one."""

    def __init__(self, limit: float) -> None:
        self.calls = 0
        self._limit = limit

    def seen(self, _frame: FrameType, event: str, _argument: Any) -> None:
        if event in ("call", "c_call"):
            self.calls += 1
            if self.calls > self._limit:
                sys.setprofile(None)
                raise TooMuchWork(f"more than {self._limit:,.0f} calls")


@contextmanager
def counted(limit: float = float("inf")) -> Iterator[Work]:
    """Count the calls that this thread makes meanwhile. Raises TooMuchWork beyond the limit."""
    work = Work(limit)
    sys.setprofile(work.seen)
    try:
        yield work
    finally:
        sys.setprofile(None)
