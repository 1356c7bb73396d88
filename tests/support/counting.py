"""Writes the counts of every test suite to the file `TEST_COUNTS`, for CI.

Does nothing without that variable.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COUNTED = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def note(line: str) -> None:
    """Add a line to the file."""
    if file := os.environ.get("TEST_COUNTS"):
        with Path(file).open("a") as counts:
            counts.write(f"{line}\n")


def say(line: str) -> None:
    """Print a line, and add it to the file."""
    print(line, flush=True)
    note(line)


def note_suite(places: Sequence[str], stats: Mapping[str, Sequence[Any]]) -> None:
    """Add the counts of a suite by outcome, with its Python and BLAS kernel."""
    counts = ", ".join(f"{len(stats[name]):,} {name}" for name in COUNTED if stats.get(name))
    note(f"{conditions()}: {' '.join(places)}: {counts or 'no tests'}")


def conditions() -> str:
    """Return the Python and the BLAS kernel of this process."""
    kernel = os.environ.get("OPENBLAS_CORETYPE")
    version = ".".join(platform.python_version_tuple()[:2])
    return f"Python {version}, OPENBLAS_CORETYPE {f'= {kernel}' if kernel else 'not set'}"
