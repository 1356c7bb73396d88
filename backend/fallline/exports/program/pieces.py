"""Cuts out of `parts` the functions that a program calls, those that they call, and the imports of all of them.

Must not know what the program does.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from fallline.exports.program.parts import (
    activations,
    datasets,
    initializers,
    losses,
    optimizers,
    randomness,
    samples,
    schedules,
)

MODULES = (randomness, datasets, samples, initializers, activations, losses, optimizers, schedules)
"""In the order in which a program tells them: what a function calls stands above it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A function of a program: its text, and every name that it uses."""

    name: str
    module: str
    text: str
    uses: frozenset[str]


@cache
def pieces() -> dict[str, Piece]:
    """All functions of all parts, by name."""
    return {piece.name: piece for module in MODULES for piece in _of(module)}


def _of(module: ModuleType) -> Iterator[Piece]:
    source = inspect.getsource(module)
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            text = ast.get_source_segment(source, node)
            # What it is given is its own, even if a function has the same name (`momentum`).
            given = {argument.arg for argument in node.args.args}
            yield Piece(node.name, module.__name__.rpartition(".")[2], text or "", names_in(node) - given)


def names_in(node: ast.AST) -> frozenset[str]:
    """Every name that is read or written below the node."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def needed(code: str) -> list[Piece]:
    """The functions that this code uses, and those that they use, in the order of `MODULES`."""
    known, found, open_names = pieces(), set[str](), list(names_in(ast.parse(code)))
    while open_names:
        name = open_names.pop()
        if name in known and name not in found:
            found.add(name)
            open_names += known[name].uses
    return [piece for name, piece in known.items() if name in found]
