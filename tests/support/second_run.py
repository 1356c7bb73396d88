"""Runs pytest, in CI with a second run of the failed tests alone.

    python -m support.second_run PYTEST_ARGUMENTS

The second run needs CI = "true". Without it, a failure counts at once. pytest's own cache lists the failed tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from support.counting import say

MOST = 10
"""Failures that may come from timing. With more, the suite is broken and none runs again."""

SOME_FAILED = 1
"""pytest's exit status if tests failed; other codes mean that the suite could not run."""


def run(arguments: Sequence[str], *, again: bool) -> int:
    """Run pytest, and with `again` repeat the failed tests. Returns its exit status."""
    if not again:
        return _pytest(arguments)
    with tempfile.TemporaryDirectory() as cache:
        options = (*arguments, "-o", f"cache_dir={cache}")
        status, first = _pytest(options), _failed(cache)
        if status != SOME_FAILED or not first:
            return status
        if len(first) > MOST:
            say(f"{len(first)} tests failed, more than {MOST}: none runs again")
            return status
        print(f"== pytest, once more and alone: {len(first)} that failed", flush=True)
        status = _pytest((*options, "-n", "0", "--last-failed"))
        left = _failed(cache)
        say(f"{len(first)} of these tests needed a second run: {', '.join(first)}")
        if left:
            say(f"{len(left)} failed again: {', '.join(left)}")
        return status


def _pytest(arguments: Sequence[str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _failed(cache: str) -> list[str]:
    """Return pytest's names of the failed tests of the last run."""
    file = Path(cache, "v/cache/lastfailed")
    return sorted(json.loads(file.read_text())) if file.exists() else []


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], again=os.environ.get("CI") == "true"))
