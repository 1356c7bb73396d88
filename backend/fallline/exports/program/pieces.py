"""Selects the functions that a program needs, and the constants in capitals that they use.

They come from the engine, without annotations and without `out`, the array for a result: a program needs no buffers.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from fallline.engine import randomness
from fallline.engine.data import preparation
from fallline.engine.data.datasets import generated
from fallline.engine.methods import (
    activations,
    initializers,
    losses,
    optimizers,
    schedules,
    terms,
)
from fallline.exports.program import embedded

MODULES = (
    randomness,
    generated,
    preparation,
    embedded,
    initializers,
    activations,
    losses,
    optimizers,
    schedules,
    terms,
)
"""The modules in the order of a program: a function stands above its callers."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A function or constant of a program: its text, and all names that it uses."""

    name: str
    module: str
    text: str
    uses: frozenset[str]


@cache
def pieces() -> dict[str, Piece]:
    """Return all public functions and constants by name, in the order of a program."""
    return {piece.name: piece for module in MODULES for piece in _pieces(module)}


def _pieces(module: ModuleType) -> Iterator[Piece]:
    source, title = inspect.getsource(module), module.__name__.rpartition(".")[2]
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            text = _plain(node, source)
            # A parameter is not a function, even if a function has the same name (`momentum`).
            parameters = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
            yield Piece(node.name, title, text, names_in(node) - parameters)
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id.isupper():
                text = ast.get_source_segment(source, node) or ""
                yield Piece(target.id, title, text, names_in(node.value))


def _plain(node: ast.FunctionDef, source: str) -> str:
    """The text of a function without annotations and `out`."""
    for argument in (*node.args.args, *node.args.kwonlyargs):
        argument.annotation = None
    node.returns = None
    head = f"def {node.name}({ast.unparse(node.args)}):".replace(", out=None", "")
    body = source.splitlines()[node.body[0].lineno - 1 : node.end_lineno]
    return "\n".join([head, *body]).replace(", out=out)", ")").replace(", out)", ")")


def names_in(node: ast.AST) -> frozenset[str]:
    """Return all names that are read or written below the node."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def needed(code: str) -> list[Piece]:
    """Return all pieces that this code needs, in the order of a program."""
    known, selected, queue = pieces(), set[str](), list(names_in(ast.parse(code)))
    while queue:
        name = queue.pop()
        if name in known and name not in selected:
            selected.add(name)
            queue += known[name].uses
    return [piece for name, piece in known.items() if name in selected]
