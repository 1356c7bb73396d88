"""A suite that depends on a busy machine's timing: in continuous integration what fails runs once more, alone.

    python -m support.second_run ARGUMENTS    of pytest

Only where CI is "true". Elsewhere a failure is a failure. Needs no plugin: pytest's own cache names what failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from support.counting import note

MOST = 10
"""Failures that may be accidents of timing; where more fail, the suite is broken and none runs again."""

SOME_FAILED = 1
"""pytest's exit status where tests ran and failed; others are of suites that could not run."""


def run(arguments: Sequence[str], *, again: bool) -> int:
    """Run pytest, and once more what failed if `again`. Returns its exit status."""
    if not again:
        return _pytest(arguments)
    with tempfile.TemporaryDirectory() as cache:
        kept = (*arguments, "-o", f"cache_dir={cache}")
        status, first = _pytest(kept), _failed(cache)
        if status != SOME_FAILED or not first:
            return status
        if len(first) > MOST:
            _say(f"{len(first)} tests failed, more than {MOST}: none runs again")
            return status
        print(f"== pytest, once more and alone: {len(first)} that failed", flush=True)
        status = _pytest((*kept, "-n", "0", "--last-failed"))
        left = _failed(cache)
        _say(f"{len(first)} of these tests needed a second run: {', '.join(first)}")
        if left:
            _say(f"{len(left)} failed again: {', '.join(left)}")
        return status


def _pytest(arguments: Sequence[str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _failed(cache: str) -> list[str]:
    """The tests that failed in the last run, by their names for pytest."""
    file = Path(cache, "v/cache/lastfailed")
    return sorted(json.loads(file.read_text())) if file.exists() else []


def _say(line: str) -> None:
    print(line, flush=True)
    note(line)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], again=os.environ.get("CI") == "true"))
