"""The page as browsers get it: built where its sources have changed since."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def page_built() -> Path:
    """Its folder. The first build of a clone installs what it needs, which takes some 20 seconds."""
    subprocess.run([sys.executable, str(ROOT / "hatch_build.py")], check=True)
    return ROOT / "frontend" / "dist"
