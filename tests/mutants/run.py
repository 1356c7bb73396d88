"""Mutation testing of `engine` and `history`: a sample of mutants, drawn by a seed.

    python tests/mutants/run.py [--sample 200] [--seed 13] [--minutes N] [--jobs N]

Cosmic Ray makes the mutants of the commit that is checked out, in copies below `build/mutants`. A mutant that no test
notices is a survivor. Each survivor needs an entry in `explained.toml`; the exit status is 1 where one has none, or
where a test fails without a mutant. A second call for the same modules, sample and seed continues where the first one
ended. It tests survivors without an entry again, since a new test may notice them.

Three kinds of mutants are left out:

- of compiled kernels: each would be compiled for a minute; `tests/contracts/test_kernels_agree.py` compares them with
  NumPy's;
- of type annotations, which nobody runs;
- with a bitwise operator in place of an arithmetic one: on floats it raises, so any test notices.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import linecache
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
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
LOOPING_SECONDS = 120
"""A mutant counts as noticed if one test takes longer: it loops. The slowest takes 8 s."""

OPTIONS = (
    *("--quiet", "-x", "-p", "no:cacheprovider", "-m", "not long", "-k", "not compiled"),
    *("-o", f"faulthandler_timeout={LOOPING_SECONDS}", "-o", "faulthandler_exit_on_timeout=true"),
)
LONGER = 4.0
"""The same if all tests take so many times longer than those of the commit."""

TRIVIAL = re.compile(r"core/ReplaceBinaryOperator_\w+_(BitAnd|BitOr|BitXor|LShift|RShift)$")
TESTS = (
    "tests/unit/history", "tests/unit/engine", "tests/contracts/test_tables.py", "tests/contracts/test_kernels.py",
    "tests/unit/runs", "tests/unit/exports", "tests/architecture/test_documented.py",
)  # fmt: skip
"""They run after those that import the mutated module."""


@dataclass(frozen=True)
class Outcome:
    """One mutant after its tests: where it is, what changed, and whether a test noticed it."""

    module: str
    operator: str
    before: str
    after: str
    killed: bool


def clone_into(folder: Path) -> None:
    """Write the commit into a folder. It is a repository, since some tests ask git for its files."""
    subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, folder], check=True)


def modules() -> list[Path]:
    """The modules to mutate, relative to the copy."""
    paths = [path for package in PACKAGES for path in sorted(Path(package).rglob("*.py"))]
    return [path for path in paths if not any(path.match(pattern) for pattern in NOT_RUN)]


def annotation_spans(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the start and the end of each type annotation, as (line, column)."""
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
    return in_order(eligible, seed)[:size]


def in_order(every: list[MutationSpec], seed: int) -> list[MutationSpec]:
    """Shuffle mutants by the lines that they change: other lines' changes leave most of a sample as it was."""
    places: list[str] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for each in every:
        line = linecache.getline(str(each.module_path), each.start_pos[0]).strip()
        change = (str(each.module_path), each.operator_name, line)
        places.append(hashlib.sha256(repr((seed, change, seen[change])).encode()).hexdigest())
        seen[change] += 1
    return [every[number] for _, number in sorted(zip(places, range(len(every)), strict=True))]


def tests_that_import(module: Path) -> list[str]:
    """Return the test files that import the module; files with its name come first."""
    name = ".".join(module.with_suffix("").parts[1:])
    files = [
        path for place in TESTS for path in (Path(place).rglob("test_*.py") if Path(place).is_dir() else [])
    ]
    importing = [path for path in files if re.search(rf"\b{name}\b", path.read_text())]
    return [str(path) for path in sorted(importing, key=lambda path: (module.stem not in path.stem, path))]


def seconds_without_a_mutant() -> float:
    """The time that all tests take. Exits where one fails: it would notice every mutant."""
    print("the tests without a mutant", flush=True)
    began = time.monotonic()
    if subprocess.run([sys.executable, "-m", "pytest", *OPTIONS, *TESTS], check=False).returncode:
        sys.exit("a test fails without a mutant")
    return time.monotonic() - began


def work_in_a_copy(folder: Path) -> None:
    """Let this process work in a copy of its own below a folder."""
    copy = tempfile.mkdtemp(dir=folder)
    clone_into(Path(copy))
    os.chdir(copy)


def outcome_of(mutant: MutationSpec, seconds: float) -> Outcome:
    """Apply a mutant, run the tests, take it back."""
    pytest = [sys.executable, "-m", "pytest", *OPTIONS]
    parts = [tests_that_import(Path(mutant.module_path)), TESTS]
    # pytest exits with 5 where all tests of these files are left out, which is no failure
    commands = [f"{{ {shlex.join([*pytest, *tests])} || [ $? = 5 ]; }}" for tests in parts if tests]
    result = mutate_and_test([mutant], shlex.join(["sh", "-c", " && ".join(commands)]), seconds)
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


def run(size: int, seed: int, minutes: float, jobs: int) -> list[Outcome]:
    """The outcomes of the sample, as far as the time allows."""
    os.environ.update(PYTHONPATH="", OPENBLAS_NUM_THREADS="1", NUMBA_CACHE_DIR=str(FOLDER / "numba"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as copies:
        work_in_a_copy(Path(copies))
        try:
            return _run(Path(copies), size, seed, minutes, jobs)
        finally:
            os.chdir(ROOT)


def _run(copies: Path, size: int, seed: int, minutes: float, jobs: int) -> list[Outcome]:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in modules())).hexdigest()[:12]
    results = FOLDER / f"{digest}-{size}-{seed}.json"
    done: dict[int, Outcome] = {}
    if results.exists():
        done = {int(number): Outcome(**each) for number, each in json.loads(results.read_text()).items()}
    reasons, sample = explanations(), mutants(size, seed)
    left = [
        number
        for number in range(len(sample))
        if number not in done or (not done[number].killed and key(done[number]) not in reasons)
    ]
    end = time.monotonic() + 60 * minutes
    seconds = LONGER * seconds_without_a_mutant() if left else 0.0
    with ProcessPoolExecutor(jobs, initializer=work_in_a_copy, initargs=(copies,)) as pool:
        tested = {pool.submit(outcome_of, sample[number], seconds): number for number in left}
        for each in as_completed(tested):
            if each.cancelled():
                continue
            outcome = done[tested[each]] = each.result()
            results.write_text(json.dumps({number: vars(one) for number, one in done.items()}))
            print(f"{len(done)} {'killed' if outcome.killed else 'SURVIVED'} {outcome.module}", flush=True)
            if time.monotonic() > end:
                pool.shutdown(wait=False, cancel_futures=True)
    return list(done.values())


def key(outcome: Outcome) -> tuple[str, str, str]:
    """Return the module and lines by which an explanation is found."""
    return outcome.module, outcome.before, outcome.after


def report(done: list[Outcome], size: int) -> Iterator[str]:
    """Lines for people."""
    reasons = explanations()
    count = Counter(each.killed for each in done)
    yield f"{len(done)} of {size} mutants tested: {count[True]} killed, {count[False]} survived"
    for each in done:
        if not each.killed:
            reason = reasons.get(key(each), "NOT EXPLAINED")
            yield f"\n{each.module}: {reason}\n- {each.before}\n+ {each.after}"


def main() -> int:
    """The exit status: 1 where a survivor is not explained."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that test at once")
    arguments = parser.parse_args()
    done = run(arguments.sample, arguments.seed, arguments.minutes, arguments.jobs)
    lines = list(report(done, arguments.sample))
    print("\n".join(lines))
    return 1 if any("NOT EXPLAINED" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
