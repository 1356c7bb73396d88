"""The lines of every optimizer, as in a notebook: the assignments of its row's function.

Activations and losses have lines of text in their rows, since their functions are written for accuracy, not for
reading.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from fallline.engine.methods.optimizers import OPTIMIZERS, Optimizer

FUNCTIONS = {"erfc": "np.vectorize(math.erfc)"}
"""Functions of lines that NumPy lacks, and their definitions."""

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ChangeLines:
    """An optimizer's lines: some once per step, and some for every parameter `{P}`.

    `d{P}` is the parameter's gradient, `{lr}` and `{weight_decay}` its rate and its decay. An optimizer with tables has
    lines of all parameters together, P, only.
    """

    each: Lines
    once: Lines = ()


def change_lines(row: Optimizer) -> ChangeLines:
    """The lines of a row: the assignments of its function, and of one that it returns.

    A line is of every parameter if it uses a parameter's array.
    """
    lines = list(_assignments(row.step))
    if row.tables:
        return ChangeLines(
            (), tuple((node.targets[0].id, _template(node.value, source, {})) for node, source in lines)
        )
    placeholders = {"P": "{P}", "dP": "d{P}", "lr": "{lr}", "weight_decay": "{weight_decay}"}
    placeholders |= {name: f"{name}_{{P}}" for name in row.vectors}
    for node, _ in lines:
        name = node.targets[0].id
        if any(isinstance(each, ast.Name) and each.id in placeholders for each in ast.walk(node.value)):
            placeholders.setdefault(name, f"{name}_{{P}}")
    templates = [(node.targets[0].id, _template(node.value, source, placeholders)) for node, source in lines]
    return ChangeLines(
        each=tuple((placeholders[name], line) for name, line in templates if name in placeholders),
        once=tuple((name, line) for name, line in templates if name not in placeholders),
    )


def _assignments(function: Callable[..., Any]) -> Iterator[tuple[Any, str]]:
    """Each assignment `name = expression` of a function, with the function's source."""
    source = inspect.getsource(function)
    for node in cast(ast.FunctionDef, ast.parse(source).body[0]).body:
        if isinstance(node, ast.Assign):
            yield node, source
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
            yield from _assignments(function.__globals__[cast(ast.Name, node.value.func).id])


def _template(node: ast.expr, source: str, placeholders: dict[str, str]) -> str:
    """The text of an expression of one line, with placeholders for some names."""
    text, start = ast.get_source_segment(source, node) or "", node.col_offset
    for each in sorted(ast.walk(node), key=lambda each: -getattr(each, "col_offset", 0)):
        if isinstance(each, ast.Name) and each.id in placeholders:
            first = each.col_offset - start
            text = text[:first] + placeholders[each.id] + text[first + len(each.id) :]
    return text


CHANGE_LINES = {name: change_lines(row) for name, row in OPTIMIZERS.items()}
