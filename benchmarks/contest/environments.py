"""Environments of the rivals, one directory per set of pinned packages.

They can be deleted at any time. Nothing in them is a dependency of fallline.
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
"""Pins of an old kernel for an old OpenBLAS; they slow down a current NumPy."""


OWN_PACKAGES = Path(fallline.__file__).parents[1]
"""So that our own rivals use the same fallline as this process."""

Install = Callable[[Path, tuple[str, ...]], None]
"""Installs pinned packages into a directory."""


class Missing(Exception):
    """A rival is unavailable here; the text is the reason."""


def command(entry: Entry, cache: Path = CACHE) -> tuple[list[str], dict[str, str]]:
    """The command and environment of a rival; installs what it needs. Raises Missing."""
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
    """The directory of the entry's packages, filled now if incomplete."""
    requirements = entry.requirements or ()
    language = "node" if entry.in_javascript else "python"
    key = repr((language, sys.version_info[:2], requirements)).encode()
    directory = cache / f"{language}-{hashlib.sha256(key).hexdigest()[:12]}"
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
    """Node itself, not the script of a Python package."""
    return _run([_beside_python("node"), "-p", "process.execPath"]).strip()


def _beside_python(program: str) -> str:
    executable = shutil.which(
        program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if executable is None:
        raise Missing(f"there is no {program}")
    return executable


def _run(command: list[str]) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if done.returncode:
        raise Missing(last_line(done.stderr) or f"{Path(command[0]).name} failed")
    return done.stdout


def last_line(text: str) -> str:
    """The last line with text."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
