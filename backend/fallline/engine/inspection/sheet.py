"""The sheet of one step: given values, and lines with their results.

NumPy evaluates every line from the values above it, so a reader can recompute each. The kernels add in another order:
a run's own numbers are equal to rounding. The state is only read.

The lines of an optimizer are the assignments of its row's function. Activations and losses have lines of text in their
rows, since their functions are written for accuracy, not for reading.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np

from fallline.engine.batches import batch_rows
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.optimizers import BIAS_DECAY, OPTIMIZERS, Optimizer
from fallline.engine.methods.schedules import rate_of
from fallline.engine.methods.terms import CUSHION
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import SLOT, drawn_weights, in_force
from fallline.vocabulary.arrays import Array, Rows
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings

Value = Array | float
Part = Literal["forward", "backward", "update"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A named value; with `per_sample` it has a row for each sample of the batch."""

    name: str
    value: Value
    per_sample: bool = False


@dataclass(frozen=True, slots=True)
class Line(Entry):
    """A line `name = expression` and its value."""

    part: Part = "forward"
    expression: str = ""


@dataclass(slots=True)
class Sheet:
    """One step.

    `batch` are its rows of the data set; `functions` defines what NumPy lacks.
    """

    batch: Rows
    given: list[Entry] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)

    @property
    def lines_of_parameters(self) -> list[Line]:
        """The last line of each parameter: its value after the step."""
        given = {each.name for each in self.given}
        last = {line.name: line for line in self.lines if line.part == "update" and _is_parameter(line.name)}
        return [line for name, line in last.items() if name in given]

    def define(self, name: str, value: Value, per_sample: bool = False) -> None:
        """Add a value that lines may use."""
        self.given.append(Entry(name, value, per_sample))
        self._values[name] = value

    def add(self, part: Part, name: str, expression: str, per_sample: bool = False) -> None:
        """Add a line and evaluate it."""
        for name_of_function, source in FUNCTIONS.items():
            if f"{name_of_function}(" in expression:
                self.functions[name_of_function] = source
                self._values[name_of_function] = eval(source, {"np": np, "math": math})
        result = np.asarray(eval(expression, {"np": np}, self._values), dtype=np.float64)
        value: Value = result if result.ndim else float(result)
        self.lines.append(Line(name, value, per_sample, part, expression))
        self._values[name] = value


def _is_parameter(name: str) -> bool:
    return name[0] in "Wb" and name[1:].isdigit()


def sheet_of(problem: Problem, state: TrainingState, run: RunRecipe) -> Sheet:
    """The next step of a run, from the state and the settings in force there."""
    settings = run.settings_at(state.step)
    rows = batch_rows(problem, settings, run.seed, state.samples_seen)
    sheet = Sheet(rows)
    with np.errstate(all="ignore"):
        _define(sheet, problem, state, settings)
        _forward(sheet, problem, settings)
        _backward(sheet, problem, settings)
        _update(sheet, problem, settings)
        _redraw(sheet, problem, state, run)
    return sheet


def _define(sheet: Sheet, problem: Problem, state: TrainingState, settings: RunSettings) -> None:
    """Define batch, parameters, slots, and every setting that a line uses."""
    sheet.define("X", problem.X[sheet.batch], per_sample=True)
    sheet.define("y", problem.y[sheet.batch], per_sample=True)
    sheet.define("m", float(len(sheet.batch)))
    for name, value in problem.named(state.parameters).items():
        sheet.define(name, value.copy())
    row = OPTIMIZERS[settings.optimizer]
    fresh = state.optimizer != settings.optimizer
    slots = row.start(problem.layout.count) if fresh else state.slots
    for slot, flat in slots.items():
        if slot == SLOT:
            continue  # shows as `factor`
        if slot in row.numbers:
            sheet.define(slot, float(flat[0]))
        elif row.tables:
            sheet.define(slot, np.atleast_2d(flat).copy())
        else:
            for name, value in problem.named(flat).items():
                sheet.define(f"{slot}_{name}", value.copy())
    for name, number in _settings(problem, state, settings).items():
        sheet.define(name, number)


def _settings(problem: Problem, state: TrainingState, settings: RunSettings) -> dict[str, float]:
    """Settings in force; `factor` is the schedule's, `learning_rate` its base."""
    numbers = dict(problem.loss.own)
    numbers |= {name: value for name in ("l1", "l2") if (value := getattr(settings, name))}
    for name in ("clip_norm", "clip_value"):
        if (bound := getattr(settings, name)) is not None:
            numbers[name] = bound
    rate = rate_of(in_force(settings, state))(state.step)
    if settings.schedule.name == "constant":
        numbers["lr"] = rate
    else:
        numbers |= {"learning_rate": settings.learning_rate, "factor": rate / settings.learning_rate}
    own = OPTIMIZERS[settings.optimizer].filled(settings.own)
    if own.get(BIAS_DECAY) == 1.0:
        del own[BIAS_DECAY]
    return numbers | own


def _forward(sheet: Sheet, problem: Problem, settings: RunSettings) -> None:
    last = len(problem.activations)
    inputs = "X"
    for layer, name in enumerate(problem.activations, start=1):
        outputs = f"a{layer}" if layer < last else "y_pred"
        expression = f"{inputs} @ W{layer} + b{layer}"
        if name == "identity" and layer == last:
            sheet.add("forward", outputs, expression, per_sample=True)
        else:
            sheet.add("forward", f"z{layer}", expression, per_sample=True)
            outputs_of_z = ACTIVATIONS[name].lines[0].format(z=f"z{layer}")
            sheet.add("forward", outputs, outputs_of_z, per_sample=True)
        inputs = outputs
    for name, expression in problem.loss.lines:
        if name != "dy_pred":
            written = expression.format(classes=len(problem.classes))
            sheet.add("forward", name, written, per_sample=name != "loss")
    if settings.penalised:
        sheet.add("forward", "objective", _objective(problem, settings))


def _objective(problem: Problem, settings: RunSettings) -> str:
    """The objective: the loss (or half of it) and the penalties."""
    weights = problem.layout.names[0::2]
    share = problem.loss.objective_share
    terms = ["loss" if share == 1.0 else f"{share} * loss"]
    if settings.l1:
        terms.append("l1 * (" + " + ".join(f"np.sum(np.abs({name}))" for name in weights) + ")")
    if settings.l2:
        terms.append("l2 / 2 * (" + " + ".join(f"np.sum({name}**2)" for name in weights) + ")")
    return " + ".join(terms)


def _backward(sheet: Sheet, problem: Problem, settings: RunSettings) -> None:
    last = len(problem.activations)
    sheet.add("backward", "dy_pred", dict(problem.loss.lines)["dy_pred"], per_sample=True)
    for layer in range(last, 0, -1):
        outputs = f"a{layer}" if layer < last else "y_pred"
        slope = ACTIVATIONS[problem.activations[layer - 1]].lines[1].format(z=f"z{layer}", a=outputs)
        expression = f"d{outputs} * {slope}" if slope else f"d{outputs}"
        sheet.add("backward", f"dz{layer}", expression, per_sample=True)
        inputs = f"a{layer - 1}" if layer > 1 else "X"
        sheet.add("backward", f"dW{layer}", f"{inputs}.T @ dz{layer}" + _penalty_terms(f"W{layer}", settings))
        sheet.add("backward", f"db{layer}", f"dz{layer}.sum(axis=0, keepdims=True)")
        if layer > 1:
            sheet.add("backward", f"d{inputs}", f"dz{layer} @ W{layer}.T", per_sample=True)


def _penalty_terms(weights: str, settings: RunSettings) -> str:
    expression = f" + l2 * {weights}" if settings.l2 else ""
    return expression + (f" + l1 * np.sign({weights})" if settings.l1 else "")


def _update(sheet: Sheet, problem: Problem, settings: RunSettings) -> None:
    names = list(_from_the_end(problem))
    for name, expression in _clipping(names, settings):
        sheet.add("update", name, expression)
    if settings.schedule.name != "constant":
        sheet.add("update", "lr", "learning_rate * factor")
    change = CHANGE_LINES[settings.optimizer]
    if OPTIMIZERS[settings.optimizer].tables:
        _update_together(sheet, problem, settings, change.once)
        return
    for layer, factor in enumerate(settings.layer_rates, start=1):
        sheet.add("update", f"lr{layer}", f"lr * {factor!r}")
    for name, expression in change.once:
        sheet.add("update", name, expression)
    has_share = settings.own.get(BIAS_DECAY, 1.0) != 1.0
    for parameter in names:
        fields = {
            "P": parameter,
            "lr": f"lr{parameter[1:]}" if settings.layer_rates else "lr",
            "weight_decay": "weight_decay * bias_decay"
            if has_share and parameter[0] == "b"
            else "weight_decay",
        }
        for name, expression in change.each:
            sheet.add("update", name.format(**fields), expression.format(**fields))


def _update_together(sheet: Sheet, problem: Problem, settings: RunSettings, lines: Lines) -> None:
    """The change of all parameters together, as one row of numbers."""
    layout = problem.layout
    for row, mark in (("P", ""), ("dP", "d")):
        names = (
            f"{mark}{name}.reshape(1, -1)" if name[0] == "W" else f"{mark}{name}" for name in layout.names
        )
        sheet.add("update", row, f"np.hstack([{', '.join(names)}])")
    if settings.layer_rates:
        sizes = [
            weights + biases
            for weights, biases in zip(layout.lengths[0::2], layout.lengths[1::2], strict=True)
        ]
        sheet.add("update", "lr", f"lr * np.repeat([{list(settings.layer_rates)}], {sizes}, axis=1)")
    for name, expression in lines:
        sheet.add("update", name, expression)
    for name, shape, start, length in zip(
        layout.names, layout.shapes, layout.offsets, layout.lengths, strict=True
    ):
        sheet.add("update", name, f"P[:, {start}:{start + length}].reshape{shape}")


def _from_the_end(problem: Problem) -> Iterator[str]:
    """W3, b3, W2, ...: in the order of the backward pass."""
    for layer in range(len(problem.activations), 0, -1):
        yield from (f"W{layer}", f"b{layer}")


def _clipping(names: list[str], settings: RunSettings) -> Iterator[tuple[str, str]]:
    """Clipping of the gradient: first its norm, then its entries."""
    if settings.clip_norm is not None:
        yield "norm", "np.sqrt(" + " + ".join(f"np.sum(d{name}**2)" for name in names) + ")"
        yield "share", f"np.minimum(clip_norm / (norm + {CUSHION!r}), 1)"
        for name in names:
            yield f"d{name}", f"d{name} * share"
    if settings.clip_value is not None:
        for name in names:
            yield f"d{name}", f"np.clip(d{name}, -clip_value, clip_value)"


def _redraw(sheet: Sheet, problem: Problem, state: TrainingState, run: RunRecipe) -> None:
    """Redraw layers at the end of this step, with the random numbers as values."""
    redraw = run.redraw_at(state.step)
    if redraw is None:
        return
    slots = [line.name for line in sheet.lines if line.part == "update"] + [each.name for each in sheet.given]
    row = OPTIMIZERS[run.settings_at(state.step).optimizer]
    if row.tables:  # slots of all layers together begin anew
        for slot in row.start(1):
            sheet.add("update", slot, f"np.zeros_like({slot})")
    for layer in redraw.layers:
        W, b = f"W{layer}", f"b{layer}"
        sheet.define(f"drawn_{W}", drawn_weights(problem, run.seed, state.step, layer, redraw.weights))
        sheet.add("update", W, f"drawn_{W}.copy()")
        for name in (b, *(slot for slot in dict.fromkeys(slots) if slot.endswith((f"_{W}", f"_{b}")))):
            sheet.add("update", name, f"np.zeros_like({name})")


# ---------------------------------------------------------------------- lines of an optimizer

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
