"""The lines of every activation, loss and optimizer, as one would type them into a notebook.

Tables of text: a row here for each row of `engine.activations`, `engine.losses` and `engine.optimizers`, held to those
by a test. Samples are rows. Must not know values.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from fallline.engine.optimizers import OPTIMIZERS, Optimizer


@dataclass(frozen=True, slots=True)
class Bend:
    """An activation: outputs and slope as expressions of `{z}` and `{a}`. An empty slope is 1 everywhere."""

    outputs: str
    slope: str


ACTIVATION_LINES: dict[str, Bend] = {
    "relu": Bend("np.maximum({z}, 0)", "({z} > 0)"),
    "leaky_relu": Bend("np.maximum({z}, 0.01 * {z})", "np.where({z} > 0, 1, 0.01)"),
    "elu": Bend("np.maximum({z}, 0) + np.expm1(np.minimum({z}, 0))", "np.exp(np.minimum({z}, 0))"),
    "gelu": Bend(
        "{z} * erfc(-{z} / np.sqrt(2)) / 2",
        "(erfc(-{z} / np.sqrt(2)) / 2 + {z} * np.exp(-({z}**2) / 2) / np.sqrt(2 * np.pi))",
    ),
    "softplus": Bend("np.logaddexp(0, {z})", "(1 / (1 + np.exp(-{z})))"),
    "tanh": Bend("np.tanh({z})", "(1 - {a}**2)"),
    "sigmoid": Bend("1 / (1 + np.exp(-{z}))", "{a} * (1 - {a})"),
    "identity": Bend("{z}", ""),
}

FUNCTIONS = {"erfc": "np.vectorize(math.erfc)"}
"""What the lines call that NumPy has not, and how to make it."""

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
"""From `y_pred` and `y` to `loss` and `dy_pred`, the gradient of what is descended."""


@dataclass(frozen=True, slots=True)
class Change:
    """An optimizer: lines made once per step, and lines for every parameter `{P}` with its gradient `d{P}`."""

    each: Lines
    once: Lines = ()


def change_of(row: Optimizer) -> Change:
    """The assignments of the row's function, in its own spelling; a method that it returns follows in line."""
    lines = list(_assignments(row.step))
    placeholders = {"P": "{P}", "dP": "d{P}", **{name: f"{name}_{{P}}" for name in row.vectors}}
    spelled = [(node.targets[0].id, _spelled(node.value, source, placeholders)) for node, source in lines]
    return Change(
        each=tuple((placeholders[name], line) for name, line in spelled if name in placeholders),
        once=tuple((name, line) for name, line in spelled if name not in placeholders),
    )


def _assignments(function: Callable[..., Any]) -> Iterator[tuple[Any, str]]:
    """Each assignment of a function `name = expression`, with the source that it is part of."""
    source = inspect.getsource(function)
    for node in cast(ast.FunctionDef, ast.parse(source).body[0]).body:
        if isinstance(node, ast.Assign):
            yield node, source
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
            yield from _assignments(function.__globals__[cast(ast.Name, node.value.func).id])


def _spelled(node: ast.expr, source: str, placeholders: dict[str, str]) -> str:
    """The text of an expression, with placeholders for some of its names."""
    text, start = ast.get_source_segment(source, node) or "", node.col_offset
    for each in sorted(ast.walk(node), key=lambda each: -getattr(each, "col_offset", 0)):
        if isinstance(each, ast.Name) and each.id in placeholders:
            first = each.col_offset - start
            text = text[:first] + placeholders[each.id] + text[first + len(each.id) :]
    return text


CHANGE_LINES = {name: change_of(row) for name, row in OPTIMIZERS.items()}
