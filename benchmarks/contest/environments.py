"""Environments of the rivals' own, made once and thrown away at will: none of what they need is a dependency of ours.

Owns the directory where they are kept, one per set of pinned packages. Must not know workloads.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fallline
from contest.entries import Entry

CACHE = Path(__file__).parents[1] / ".rivals"
COMPLETE = "complete"

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
PINNED_KERNEL = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""They pin an old kernel on machines whose old OpenBLAS needs it, and slow a current NumPy."""


OWN_PACKAGES = Path(fallline.__file__).parents[1]
"""So that our own rivals are of the same fallline as this process, wherever it was found."""

Install = Callable[[Path, tuple[str, ...]], None]
"""Puts pinned packages into a directory."""


class Missing(Exception):
    """A rival cannot be had here; the text says why."""


def command(entry: Entry, cache: Path = CACHE) -> tuple[list[str], dict[str, str]]:
    """The command that starts a rival and its environment, with what it needs installed. Raises Missing."""
    if (why := entry.absent()) is not None:
        raise Missing(why)
    variables = {name: value for name, value in os.environ.items() if name not in PINNED_KERNEL} | ONE_THREAD
    if entry.in_javascript:
        directory = _made(entry, cache, _install_node_packages)
        return [_node(), "--no-warnings", str(entry.path)], variables | {"RIVAL_MODULES": str(directory)}
    if entry.requirements is None:
        return [sys.executable, str(entry.path)], variables | {"PYTHONPATH": str(OWN_PACKAGES)}
    directory = _made(entry, cache, _install_python_packages)
    variables.pop("PYTHONPATH", None)
    return [str(directory / "bin" / "python"), str(entry.path)], variables


def _made(entry: Entry, cache: Path, install: Install) -> Path:
    """The directory of the entry's packages, filled now if it is not complete."""
    requirements = entry.requirements or ()
    language = "node" if entry.in_javascript else "python"
    told = repr((language, sys.version_info[:2], requirements)).encode()
    directory = cache / f"{language}-{hashlib.sha256(told).hexdigest()[:12]}"
    if not (directory / COMPLETE).exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        install(directory, requirements)
        (directory / COMPLETE).touch()
    return directory


def _install_python_packages(directory: Path, requirements: tuple[str, ...]) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", str(directory)])
    pip = [sys.executable, "-m", "pip", "--python", str(directory / "bin" / "python")]
    _run([*pip, "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", *requirements])


def _install_node_packages(directory: Path, requirements: tuple[str, ...]) -> None:
    if requirements:
        npm = [_beside_python("npm"), "install", "--prefix", str(directory), "--ignore-scripts"]
        _run([*npm, "--no-audit", "--no-fund", "--loglevel=error", *requirements])


def _node() -> str:
    """Node itself, not the script that a Python package puts in its place."""
    return _run([_beside_python("node"), "-p", "process.execPath"]).strip()


def _beside_python(program: str) -> str:
    found = shutil.which(
        program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if found is None:
        raise Missing(f"there is no {program}")
    return found


def _run(command: list[str]) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if done.returncode:
        raise Missing(last_line(done.stderr) or f"{Path(command[0]).name} failed")
    return done.stdout


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
