"""Lighthouse over the bundled page, as a desktop: the median of five runs must reach each goal.

python tests/browser/lighthouse.py [RUNS]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from playwright.sync_api import sync_playwright  # noqa: E402

from browser.chromium import NODE, QUIET, find  # noqa: E402
from support.page import page_built  # noqa: E402
from support.serving import serving  # noqa: E402

LIGHTHOUSE = ROOT / "tests/frontend/node_modules/lighthouse/cli/index.js"
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100}
RUNS = 5


def measure(address: str, chromium: str, folder: Path) -> dict[str, Any]:
    """Return the report of one run in a browser of its own. It sends nothing to anybody."""
    report = folder / "report.json"
    flags = ["--headless", *QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    subprocess.run(
        [
            str(NODE),
            str(LIGHTHOUSE),
            f"{address}/",
            "--preset=desktop",
            f"--only-categories={','.join(GOALS)}",
            "--output=json",
            f"--output-path={report}",
            f"--chrome-flags={' '.join(flags)}",
            "--no-enable-error-reporting",
            "--quiet",
        ],
        env={**os.environ, "CHROME_PATH": chromium},
        stdin=subprocess.DEVNULL,
        check=True,
    )
    read: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return read


def scores(report: dict[str, Any]) -> dict[str, int]:
    """Return the score of each category, 0 to 100."""
    return {name: round(100 * (report["categories"][name]["score"] or 0)) for name in GOALS}


def lost(report: dict[str, Any]) -> list[str]:
    """Return the audits that cost a category something, and their figures."""
    return [
        f"{name}: {audit['title']} {audit.get('displayValue', '')} ({audit['score']})".replace("\xa0", " ")
        for name in GOALS
        for each in report["categories"][name]["auditRefs"]
        if each["weight"] and (audit := report["audits"][each["id"]])["score"] not in (None, 1)
    ]


def main(runs: int) -> int:
    page_built()
    with sync_playwright() as playwright:
        chromium = find(playwright.chromium)
    assert chromium, "no Chromium: python tests/browser/chromium.py installs one"
    with serving("--memory") as address, tempfile.TemporaryDirectory() as folder:
        reports = [measure(address, chromium, Path(folder)) for _ in range(runs)]
    every = [scores(report) for report in reports]
    medians = {name: statistics.median(each[name] for each in every) for name in GOALS}
    for name, goal in GOALS.items():
        print(
            f"{name}: {medians[name]:.0f} of at least {goal} ({', '.join(str(each[name]) for each in every)})"
        )
    for line in sorted({line for report in reports for line in lost(report)}):
        print(f"  {line}")
    return 0 if all(medians[name] >= goal for name, goal in GOALS.items()) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
