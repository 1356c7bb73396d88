"""Mutation testing of `engine` and `history`: a sample of mutants, drawn by a seed.

    python tests/mutants/run.py [--sample 200] [--seed 13] [--minutes N]

Cosmic Ray makes the mutants of the commit that is checked out, in a copy below `build/mutants`. A mutant that no test
notices is a survivor. Each survivor needs an entry in `explained.toml`; the exit status is 1 where one has none. A
second call for the same commit, sample and seed continues where the first one ended.

Three kinds of mutants are left out:

- of compiled kernels: each would be compiled for a minute; `tests/contracts/test_kernels_agree.py` compares them with
  NumPy's;
- of type annotations, which nobody runs;
- with a bitwise operator in place of an arithmetic one: on floats it raises, so any test notices.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import random
import re
import shlex
import subprocess
import sys
import tarfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build/mutants"
EXPLAINED = Path(__file__).with_name("explained.toml")
PACKAGES = ("backend/fallline/engine", "backend/fallline/history")
NOT_RUN = ("compiled*.py", "__init__.py")
OPTIONS = ("--quiet", "-x", "-p", "no:cacheprovider", "-m", "not long", "-k", "not compiled")
SECONDS = 300
"""After so long a mutant counts as noticed: it loops."""

TRIVIAL = re.compile(r"core/ReplaceBinaryOperator_\w+_(BitAnd|BitOr|BitXor|LShift|RShift)$")
TESTS = (
    "tests/unit/history", "tests/unit/engine", "tests/contracts/test_tables.py", "tests/contracts/test_kernels.py",
    "tests/unit/runs", "tests/unit/exports", "tests/architecture/test_documented.py",
)  # fmt: skip
"""Behind the tests that import the mutated module."""


@dataclass(frozen=True)
class Outcome:
    """One mutant after its tests: where it is, what changed, and whether a test noticed it."""

    module: str
    operator: str
    before: str
    after: str
    killed: bool


def export(folder: Path) -> None:
    """Write the files of the commit into a folder."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")


def modules() -> list[Path]:
    """The modules to mutate, relative to the copy."""
    paths = [path for package in PACKAGES for path in sorted(Path(package).rglob("*.py"))]
    return [path for path in paths if not any(path.match(pattern) for pattern in NOT_RUN)]


def annotation_spans(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where type annotations begin and end: (line, column) each."""
    parts = [
        part
        for node in ast.walk(ast.parse(path.read_text()))
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(part, ast.expr)
    ]
    return [
        ((part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)) for part in parts
    ]


def mutants(size: int, seed: int) -> list[MutationSpec]:
    """The sample, in an order that depends on the seed only."""
    with use_db(":memory:", WorkDB.Mode.create) as database:
        init(modules(), database, {})
        every = [item.mutations[0] for item in database.work_items]
    skipped = {path: annotation_spans(path) for path in {Path(each.module_path) for each in every}}
    eligible = [
        each
        for each in every
        if not TRIVIAL.match(each.operator_name)
        and not any(low <= each.start_pos < high for low, high in skipped[Path(each.module_path)])
    ]
    eligible.sort(key=lambda each: (str(each.module_path), each.operator_name, each.occurrence))
    print(f"{len(eligible):,} mutants of {len(skipped)} modules", flush=True)
    return random.Random(seed).sample(eligible, min(size, len(eligible)))


def tests_of(module: Path) -> list[str]:
    """All tests, those that import the module first."""
    name = ".".join(module.with_suffix("").parts[1:])
    files = [
        path for place in TESTS for path in (Path(place).rglob("test_*.py") if Path(place).is_dir() else [])
    ]
    return [*(str(path) for path in sorted(files) if re.search(rf"\b{name}\b", path.read_text())), *TESTS]


def outcome_of(mutant: MutationSpec) -> Outcome:
    """Apply a mutant, run the tests, take it back."""
    tests = tests_of(Path(mutant.module_path))
    command = shlex.join([sys.executable, "-m", "pytest", *OPTIONS, *tests])
    result = mutate_and_test([mutant], command, SECONDS)
    lines = (result.diff or "").splitlines()
    before, after = (
        "\n".join(
            line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3)
        )
        for sign in "-+"
    )
    killed = str(getattr(result.test_outcome, "value", result.test_outcome)) != "survived"
    return Outcome(str(mutant.module_path), mutant.operator_name, before, after, killed)


def explanations() -> dict[tuple[str, str, str], str]:
    """Reasons by module, line before and line after."""
    rows = tomllib.loads(EXPLAINED.read_text()).get("survivor", [])
    return {(row["module"], row["before"], row["after"]): row["reason"] for row in rows}


def run(size: int, seed: int, minutes: float) -> list[Outcome]:
    """The outcomes of the sample, as far as the time allows."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    place = FOLDER / f"{commit.stdout[:12]}-{size}-{seed}"
    source, results = place / "source", place / "results.jsonl"
    if not results.exists():
        export(source)
        results.touch()
    os.environ.update(PYTHONPATH="", OPENBLAS_NUM_THREADS="1", NUMBA_CACHE_DIR=str(FOLDER / "numba"))
    with contextlib.chdir(source):
        sample = mutants(size, seed)
        done = [Outcome(**json.loads(line)) for line in results.read_text().splitlines()]
        end = time.monotonic() + 60 * minutes
        with results.open("a") as file:
            for number, mutant in enumerate(sample[len(done) :], len(done) + 1):
                if time.monotonic() > end:
                    break
                done.append(outcome_of(mutant))
                file.write(json.dumps(vars(done[-1])) + "\n")
                file.flush()
                print(f"{number} {'killed' if done[-1].killed else 'SURVIVED'} {done[-1].module}", flush=True)
    return done


def report(done: list[Outcome], size: int) -> Iterator[str]:
    """Lines for people."""
    reasons = explanations()
    count = Counter(each.killed for each in done)
    yield f"{len(done)} of {size} mutants tested: {count[True]} killed, {count[False]} survived"
    for each in done:
        if not each.killed:
            reason = reasons.get((each.module, each.before, each.after), "NOT EXPLAINED")
            yield f"\n{each.module}: {reason}\n- {each.before}\n+ {each.after}"


def main() -> int:
    """The exit status: 1 where a survivor is not explained."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--minutes", type=float, default=600.0)
    arguments = parser.parse_args()
    done = run(arguments.sample, arguments.seed, arguments.minutes)
    lines = list(report(done, arguments.sample))
    print("\n".join(lines))
    return 1 if any("NOT EXPLAINED" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
