"""Selects the functions that a program needs.

They come from `parts`, and from the engine's tables whose rows are plain functions.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.exports.program.parts import (
    activations,
    datasets,
    initializers,
    losses,
    randomness,
    samples,
)

MODULES = (randomness, datasets, samples, initializers, activations, losses)
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
    """Return all functions by name, in the order of a program."""
    functions = [function for module in MODULES for function in _functions(module)]
    functions += [row.step for row in OPTIMIZERS.values()]
    functions += [row.factor for row in SCHEDULES.values()]
    return {piece.name: piece for piece in map(_piece, functions)}


def _functions(module: Any) -> Iterator[Callable[..., Any]]:
    """The functions of a module, in the order of its text."""
    members = (value for _, value in inspect.getmembers(module, inspect.isfunction))
    own = (value for value in members if value.__module__ == module.__name__)
    yield from sorted(own, key=lambda function: function.__code__.co_firstlineno)


def _piece(function: Callable[..., Any]) -> Piece:
    source = inspect.getsource(function)
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef)
    # A parameter is not a function, even if a function has the same name (`momentum`).
    parameters = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    module = function.__module__.rpartition(".")[2]
    return Piece(node.name, module, _without_types(node, source), names_in(node) - parameters)


def _without_types(node: ast.FunctionDef, source: str) -> str:
    """The text of a function without its annotations."""
    for argument in (*node.args.args, *node.args.kwonlyargs):
        argument.annotation = None
    body = source.splitlines()[node.body[0].lineno - 1 :]
    return "\n".join([f"def {node.name}({ast.unparse(node.args)}):", *body])


def names_in(node: ast.AST) -> frozenset[str]:
    """Return all names that are read or written below the node."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def needed(code: str) -> list[Piece]:
    """Return all functions that this code needs, in the order of a program."""
    functions, selected, queue = pieces(), set[str](), list(names_in(ast.parse(code)))
    while queue:
        name = queue.pop()
        if name in functions and name not in selected:
            selected.add(name)
            queue += functions[name].uses
    return [piece for name, piece in functions.items() if name in selected]
