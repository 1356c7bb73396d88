"""Selects from `parts` the functions that a program calls, and those that they call.

They come from `parts`, and from the rows of the engine's tables that are plain functions already.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from fallline.engine.optimizers import OPTIMIZERS
from fallline.engine.schedules import SCHEDULES
from fallline.exports.program.parts import (
    activations,
    datasets,
    initializers,
    losses,
    randomness,
    samples,
)

MODULES = (randomness, datasets, samples, initializers, activations, losses, optimizers, schedules)
"""The modules in the order of a program: a function stands above its callers."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A function of a program: its text, and all names that it uses."""

    name: str
    module: str
    text: str
    uses: frozenset[str]


@cache
def pieces() -> dict[str, Piece]:
    """Return all functions of all parts by name."""
    return {piece.name: piece for module in MODULES for piece in _of(module)}


def _of(module: ModuleType) -> Iterator[Piece]:
    source = inspect.getsource(module)
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            text = ast.get_source_segment(source, node)
            # A parameter is not a function, even if a function has the same name (`momentum`).
            parameters = {argument.arg for argument in node.args.args}
            yield Piece(
                node.name, module.__name__.rpartition(".")[2], text or "", names_in(node) - parameters
            )


def names_in(node: ast.AST) -> frozenset[str]:
    """Return all names that are read or written below the node."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def needed(code: str) -> list[Piece]:
    """Return the functions that this code uses, and those that they use, in the order of `MODULES`."""
    functions, selected, queue = pieces(), set[str](), list(names_in(ast.parse(code)))
    while queue:
        name = queue.pop()
        if name in functions and name not in selected:
            selected.add(name)
            queue += functions[name].uses
    return [piece for name, piece in functions.items() if name in selected]
