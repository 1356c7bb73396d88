"""The participants: every file in `rivals/`, with the contents of its header."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

RIVALS = Path(__file__).parents[1] / "rivals"

HEADER = re.compile(r"^(?P<mark>#|//) /// script\n(?P<lines>(?:(?P=mark).*\n)+?)(?P=mark) ///$", re.MULTILINE)
"""Inline script metadata (PEP 723), in the comments of either language."""


@dataclass(frozen=True)
class Entry:
    """A rival before it is started.

    `requirements` are packages with pinned versions, or None for fallline's own environment. With `evaluates` it
    evaluates at certain steps. Then its first steps cost more than later ones.
    """

    path: Path
    name: str
    records: str
    requirements: tuple[str, ...] | None
    precision: str = "float64"
    evaluates: bool = False
    needs: str = ""
    missing: str = ""

    @property
    def key(self) -> str:
        return self.path.stem

    @property
    def in_javascript(self) -> bool:
        return self.path.suffix == ".mjs"

    def absent(self) -> str | None:
        """Reason why it cannot take part, if a required environment variable is not set."""
        return self.missing if self.needs and not os.environ.get(self.needs) else None


def entry(path: Path) -> Entry:
    """The header of a rival's file; raises ValueError without one."""
    match = HEADER.search(path.read_text())
    if match is None:
        raise ValueError(f"{path.name} has no header: see benchmarks/README.md")
    lines = match["lines"].splitlines()
    metadata = tomllib.loads("\n".join(line.removeprefix(match["mark"]).strip() for line in lines))
    requirements = metadata.get("dependencies")
    return Entry(
        path=path,
        requirements=None if requirements is None else tuple(requirements),
        **metadata["tool"]["rival"],
    )


def entries(directory: Path = RIVALS) -> list[Entry]:
    """All rivals, fallline's own first."""
    files = [path for path in directory.iterdir() if path.suffix in (".py", ".mjs")]
    return [
        entry(path)
        for path in sorted(files, key=lambda path: (not path.stem.startswith("fallline"), path.stem))
    ]
