"""The lines of every activation, loss and optimizer, as in a notebook.

An optimizer's lines are the assignments of its row's function. Activations and losses have lines of text, since their
functions are written for accuracy, not for reading; a test compares both. Samples are rows.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from fallline.engine.methods.optimizers import OPTIMIZERS, Optimizer


@dataclass(frozen=True, slots=True)
class ActivationLines:
    """An activation: expressions of `{z}` and `{a}` for outputs and slope.

    An empty slope is 1 everywhere.
    """

    outputs: str
    slope: str


ACTIVATION_LINES: dict[str, ActivationLines] = {
    "relu": ActivationLines("np.maximum({z}, 0)", "({z} > 0)"),
    "leaky_relu": ActivationLines("np.maximum({z}, 0.01 * {z})", "np.where({z} > 0, 1, 0.01)"),
    "elu": ActivationLines("np.maximum({z}, 0) + np.expm1(np.minimum({z}, 0))", "np.exp(np.minimum({z}, 0))"),
    "gelu": ActivationLines(
        "{z} * erfc(-{z} / np.sqrt(2)) / 2",
        "(erfc(-{z} / np.sqrt(2)) / 2 + {z} * np.exp(-({z}**2) / 2) / np.sqrt(2 * np.pi))",
    ),
    "softplus": ActivationLines("np.logaddexp(0, {z})", "(1 / (1 + np.exp(-{z})))"),
    "tanh": ActivationLines("np.tanh({z})", "(1 - {a}**2)"),
    "sigmoid": ActivationLines("1 / (1 + np.exp(-{z}))", "{a} * (1 - {a})"),
    "identity": ActivationLines("{z}", ""),
}

FUNCTIONS = {"erfc": "np.vectorize(math.erfc)"}
"""Functions of the lines that NumPy lacks, and their definitions."""

Lines = tuple[tuple[str, str], ...]

LOSS_LINES: dict[str, Lines] = {
    "mse": (("loss", "np.mean((y - y_pred)**2)"), ("dy_pred", "(y_pred - y) / m")),
    "huber": (
        ("error", "y_pred - y"),
        ("cut", "np.clip(error, -delta, delta)"),
        ("loss", "np.mean(cut * (error - cut / 2))"),
        ("dy_pred", "cut / m"),
    ),
    "binary_cross_entropy": (
        ("side", "1 - 2 * y"),
        ("wrong", "side * y_pred"),
        ("loss", "np.mean(np.logaddexp(0, wrong))"),
        ("dy_pred", "side / (1 + np.exp(-wrong)) / m"),
    ),
    "softmax_cross_entropy": (
        ("one_hot", "(y == np.arange({classes})) * 1.0"),
        ("shifted", "y_pred - y_pred.max(axis=1, keepdims=True)"),
        ("e", "np.exp(shifted)"),
        ("p", "e / e.sum(axis=1, keepdims=True)"),
        ("loss", "np.mean(np.log(e.sum(axis=1)) - (shifted * one_hot).sum(axis=1))"),
        ("dy_pred", "(p - one_hot) / m"),
    ),
}
"""From `y_pred` and `y` to `loss` and `dy_pred`, the gradient of the objective."""


@dataclass(frozen=True, slots=True)
class ChangeLines:
    """An optimizer's lines: those once per step, and those of every parameter `{P}`.

    `d{P}` is the parameter's gradient.
    """

    each: Lines
    once: Lines = ()


def change_lines(row: Optimizer) -> ChangeLines:
    """The lines of a row: the assignments of its function, and of one that it returns."""
    lines = list(_assignments(row.step))
    placeholders = {"P": "{P}", "dP": "d{P}", **{name: f"{name}_{{P}}" for name in row.vectors}}
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
