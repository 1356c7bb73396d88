"""`make chaos`: commands through cuts, silences and kills, and mutants to catch.

python tests/chaos/run.py [--acknowledged 1000] [--seeds 1 2 3]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from chaos.server import MUTANTS  # noqa: E402
from chaos.world import chaos  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acknowledged", type=int, default=1000, help="commands for each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    failed = False
    for seed in options.seeds:
        report = asyncio.run(chaos(seed, options.acknowledged))
        print(f"seed {seed}: {report}", flush=True)
        failed = failed or bool(report.wrong)
    for mutant in (name for name in MUTANTS if name != "none"):
        report = asyncio.run(chaos(options.seeds[0], options.acknowledged, mutant=mutant))
        outcome = f"caught: {report.wrong[0]}" if report.wrong else f"NOT CAUGHT: {report}"
        print(f"mutant {mutant}: {outcome}", flush=True)
        failed = failed or not report.wrong
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
