"""Time to parse uploaded tables: the largest, and files that take long. Medians on one core.

python benchmarks/bench_tables.py [--quick]

Prints one line per file: description, milliseconds, result. The goal is at most a second.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from fallline.engine.data.tabular.table import MOST_BYTES, read_table
from fallline.vocabulary.errors import FalllineError

GOAL = "at most 1,000 ms"


def lines(cells: list[list[str]], delimiter: str = ",") -> bytes:
    """Records with a header, cut to the maximum size of a body."""
    names = [f"c{place}" for place in range(len(cells[0]))]
    return "\n".join(delimiter.join(row) for row in [names, *cells]).encode()[:MOST_BYTES]


def files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    shares = rng.random((5_000, 32))
    long = [[f"{value:.7f}" for value in row] for row in rng.normal(size=(4_000, 26))]
    short = [[f"{value:.3f}" for value in row] for row in shares]
    return {
        "numbers of eight digits, 26 columns": lines(long),
        "numbers, 5,000 rows of 32": lines(short),
        "decimal commas, 5,000 rows of 32": lines(
            [[cell.replace(".", ",") for cell in row] for row in short], ";"
        ),
        "categories, 5,000 rows of 32": lines([[f"k{int(30 * value)}" for value in row] for row in shares]),
        "two numbers a line, 262,144 lines": b"1,2\n" * (MOST_BYTES // 4),
        "one line of a million commas": b"," * MOST_BYTES,
        "one field of a megabyte": b"a" * MOST_BYTES,
        "a quote that never closes": b'"' + b"1,2\n" * (MOST_BYTES // 4 - 1),
        "quotes alone": b'"' * MOST_BYTES,
        "a quote on every line": b'1,"\n' * (MOST_BYTES // 4),
    }


def outcome(body: bytes) -> str:
    try:
        table = read_table(body)
    except FalllineError as error:
        return f"refused: {error.detail[:60]}"
    return f"{table.rows:,} rows of {len(table.columns)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    repeats = 3 if parser.parse_args().quick else 15
    for what, body in files().items():
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            result = outcome(body)
            times.append(1e3 * (time.perf_counter() - began))
        print(
            f"{what:<38} {len(body):>9,} bytes {statistics.median(times):>8.1f} ms   {GOAL}   {result}",
            flush=True,
        )


if __name__ == "__main__":
    main()
