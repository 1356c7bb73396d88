"""Runs tests on the oldest and newest supported Python, with and without a BLAS kernel that is named.

    python -m support.pythons [--all]

`make test` has run one combination: this Python in this environment. The fewest others follow with which each Python
and each kernel has its turn; with `--all`, all others. Then all shown numbers must be the same on both Pythons with
each kernel, to the bit. Environments are in `.venvs`, installed from the lock.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from support.counting import note, say

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements/test.txt"

SUPPORTED = ("3.11", "3.12", "3.13")

KERNEL = "Haswell"
"""The BLAS kernel to select; every x86 processor with AVX2 has its instructions."""

TESTS = (
    "-n",
    "3",
    "--dist",
    "worksteal",
    "-m",
    "not long",
    "tests/integration",
    "tests/unit",
    "tests/contracts",
)


@dataclass(frozen=True)
class Combination:
    """A Python version and the BLAS kernel in `OPENBLAS_CORETYPE`, if any."""

    version: str
    kernel: str | None

    def __str__(self) -> str:
        return f"Python {self.version}, OPENBLAS_CORETYPE {f'= {self.kernel}' if self.kernel else 'not set'}"

    def environment(self) -> dict[str, str]:
        """Return the environment of its test process."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
        kernel = {"OPENBLAS_CORETYPE": self.kernel} if self.kernel else {}
        paths = os.pathsep.join(str(ROOT / name) for name in ("backend", "tests"))
        return {
            **inherited,
            **kernel,
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPATH": paths,
        }


def combinations(versions: Iterable[str], kernels: Iterable[str | None]) -> list[Combination]:
    """Return the oldest and the newest version with every kernel."""
    ordered = sorted(versions, key=SUPPORTED.index)
    return [
        Combination(each, kernel) for each in dict.fromkeys((ordered[0], ordered[-1])) for kernel in kernels
    ]


def fewest(all_of_them: Iterable[Combination], own: Combination) -> list[Combination]:
    """Return the own combination and the fewest others with which each Python and each kernel has its turn."""
    every = list(all_of_them)
    versions = [each for each in dict.fromkeys(one.version for one in every) if each != own.version]
    kernels = [each for each in dict.fromkeys(one.kernel for one in every) if each != own.kernel]
    others = zip_longest(((each,) for each in versions), ((each,) for each in kernels))
    return [
        own,
        *(
            Combination(version[0] if version else own.version, kernel[0] if kernel else own.kernel)
            for version, kernel in others
        ),
    ]


def kernels_here(machine: str, features: Iterable[str]) -> list[str | None]:
    """Return no kernel, and `KERNEL` if the processor can run it."""
    has_avx2 = machine in ("x86_64", "AMD64") and not {"AVX2", "X86_V3"}.isdisjoint(features)
    return [None, KERNEL] if has_avx2 else [None]


def interpreters(runs: Callable[[str, str], str | None]) -> dict[str, str]:
    """Return supported Pythons that can make virtual environments, by version.

    `runs` returns a program's output.
    """
    candidates = {f"python{version}": version for version in SUPPORTED}
    program = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"
    return {version: name for name, version in candidates.items() if runs(name, program) == version}


def _runs(name: str, program: str) -> str | None:
    """Return the interpreter's output, None if it is missing or fails."""
    if shutil.which(name) is None:
        return None
    done = subprocess.run([name, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _own() -> Combination:
    """Return the combination of `make test`."""
    return Combination(_version(), os.environ.get("OPENBLAS_CORETYPE") or None)


def _version() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _features() -> list[str]:
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return [*simd.get("baseline", ()), *simd.get("found", ())]


def _prepared(version: str, interpreter: str) -> str:
    """Return the Python of a test environment, created if missing."""
    if version == _version():
        return sys.executable
    place = ROOT / ".venvs" / version
    python, stamp = place / "bin/python", place / "installed"
    if not (stamp.exists() and stamp.read_bytes() == LOCK.read_bytes()):
        print(f"== installing the test dependencies into {place.relative_to(ROOT)}", flush=True)
        subprocess.run([interpreter, "-m", "venv", "--clear", place], check=True)
        options = ("--quiet", "--disable-pip-version-check", "--no-compile", "--only-binary", ":all:")
        install = (python, "-m", "pip", "install", *options, "--require-hashes", "-r", LOCK)
        subprocess.run(install, stdin=subprocess.DEVNULL, check=True)
        stamp.write_bytes(LOCK.read_bytes())
    return str(python)


def _run(python: str, environment: Mapping[str, str], *arguments: str, quiet: bool = False) -> bool:
    """Run a module. Return whether it succeeds."""
    done = subprocess.run(
        [python, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None,
        check=False,
    )
    return done.returncode == 0


def _suites(pythons: Mapping[str, str], all_of_them: Iterable[Combination]) -> list[str]:
    """Run the tests with every combination. Returns the failures."""
    failed = []
    for each in all_of_them:
        if each == _own():
            print(f"== {each}: make test runs this one", flush=True)
            continue
        print(f"== pytest, {each}", flush=True)
        began = time.monotonic()
        if not _run(pythons[each.version], each.environment(), "support.second_run", "--quiet", *TESTS):
            failed.append(f"tests, {each}")
        print(f"== {time.monotonic() - began:.0f} s", flush=True)
    return failed


def _numbers(pythons: Mapping[str, str], all_of_them: Iterable[Combination]) -> list[str]:
    """Compare the shown numbers of the Pythons, for every kernel.

    Returns the failures.
    """
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for kernel in dict.fromkeys(each.kernel for each in all_of_them):
            files = []
            for each in (each for each in all_of_them if each.kernel == kernel):
                files.append(str(Path(folder, each.version)))
                if not _run(
                    pythons[each.version], each.environment(), "support.shown_numbers", "write", files[-1]
                ):
                    failed.append(f"shown numbers, {each}")
            title = f"shown numbers on {' and '.join(pythons)}, OPENBLAS_CORETYPE {kernel or 'not set'}"
            print(f"== {title}", flush=True)
            same = _run(sys.executable, _own().environment(), "support.shown_numbers", "compare", *files)
            note(f"{title}: {'the same' if same else 'different'}")
            failed += [] if same else [title]
    return failed


def main() -> int:
    """Run the tests and compare the numbers.

    Returns exit status 1 if a test fails or a number differs.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="each Python with each kernel")
    is_complete = parser.parse_args().all
    interpreter_of = {**interpreters(_runs), _version(): sys.executable}
    chosen = combinations(interpreter_of, kernels_here(platform.machine(), _features()))
    pythons = {each.version: _prepared(each.version, interpreter_of[each.version]) for each in chosen}
    for version, python in pythons.items():
        print(f"== compiling the kernels for Python {version}", flush=True)
        _run(python, Combination(version, None).environment(), "fallline", "warm", quiet=True)
    failed = _suites(pythons, chosen if is_complete else fewest(chosen, _own()))
    if len(pythons) == 1:
        say(f"Python {_version()} is the only supported version here")
    else:
        failed += _numbers(pythons, chosen)
    for each in failed:
        say(f"failed: {each}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
