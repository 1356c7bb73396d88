"""`make powerloss`: power losses at random calls, and mutants to catch.

python tests/powerloss/run.py [--images 100] [--commands 40] [--seeds 1 2 3]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from powerloss.world import MUTANTS, powerloss  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100, help="for each seed")
    parser.add_argument("--commands", type=int, default=40, help="of each of three users")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    failed = False
    for seed in options.seeds:
        report = asyncio.run(powerloss(seed, options.commands, options.images))
        print(f"seed {seed}: {report}", flush=True)
        failed = failed or bool(report.wrong)
    for mutant in MUTANTS:
        report = asyncio.run(powerloss(options.seeds[0], options.commands, options.images, mutant))
        outcome = "caught" if report.wrong else "NOT CAUGHT"
        print(f"mutant {mutant}: {outcome}: {report}", flush=True)
        failed = failed or not report.wrong
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
