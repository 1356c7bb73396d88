"""Run every benchmark, also after one that fails, and write what they print into RESULTS.md.

python benchmarks/run.py [--quick] [bench_tables bench_history ...]

The first sections of RESULTS.md are by bench_engine.py itself. The lines of every other benchmark follow. Nothing is
written with --quick or with names. The status is 1 if a benchmark failed; the last line names those.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(path: Path, options: list[str]) -> tuple[int, str]:
    """Run one benchmark and show its lines at once; return its status and its lines."""
    print(f"== {path.name}", flush=True)
    lines = []
    with subprocess.Popen(
        [sys.executable, str(path), *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def main(folder: Path = HERE) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="rough figures")
    parser.add_argument("names", nargs="*", help="only these benchmarks")
    options = parser.parse_args()
    paths = [folder / f"{name}.py" for name in options.names] or sorted(folder.glob("bench_*.py"))
    results, is_whole = folder / "RESULTS.md", not (options.quick or options.names)
    if is_whole:
        results.unlink(missing_ok=True)  # else a failed bench_engine.py would leave older figures
    sections, failed = [], []
    for path in paths:
        status, lines = run(path, ["--quick"] if options.quick else [])
        if status:
            failed.append(path.name)
        if path.name != "bench_engine.py":
            verdict = f"**Failed with status {status}.**\n\n" if status else ""
            sections.append(f"\n## {path.name}\n\n{verdict}```text\n{lines}```\n")
    if is_whole:
        with results.open("a") as file:
            file.writelines(sections)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
