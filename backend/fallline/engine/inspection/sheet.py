"""The sheet of one change: what is given, and line by line what comes of it.

Every value is what its line gives when NumPy is told it, from the values above it: what is read can be reckoned again.
The kernels do the same sums in another order, so a run's own numbers are equal to rounding. Nothing is disturbed: the
state is read, never written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fallline.engine.batches import batch_rows
from fallline.engine.clipping import CUSHION
from fallline.engine.inspection.formulas import ACTIVATION_LINES, CHANGE_LINES, FUNCTIONS, LOSS_LINES
from fallline.engine.optimizers import OPTIMIZERS
from fallline.engine.problem import Problem
from fallline.engine.redrawing import drawn_weights
from fallline.engine.schedules import rate_of
from fallline.engine.state import TrainingState
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Value = Array | float
Part = Literal["forward", "backward", "update"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A value by its name; `per_sample` tells that its rows are those of the batch."""

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
    """One change. `batch` are the rows of the data set that it takes; `functions` says how to make what NumPy lacks."""

    batch: Rows
    given: list[Entry] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    _now: dict[str, Any] = field(default_factory=dict)

    @property
    def lines_of_parameters(self) -> list[Line]:
        """The last line of each parameter: what it is after the change."""
        given = {each.name for each in self.given}
        last = {line.name: line for line in self.lines if line.part == "update" and _is_parameter(line.name)}
        return [line for name, line in last.items() if name in given]

    def give(self, name: str, value: Value, per_sample: bool = False) -> None:
        """Something that stands before the first line."""
        self.given.append(Entry(name, value, per_sample))
        self._now[name] = value

    def write(self, part: Part, name: str, expression: str, per_sample: bool = False) -> None:
        """One more line; its value is what NumPy gives for it."""
        for needed, made in FUNCTIONS.items():
            if f"{needed}(" in expression:
                self.functions[needed] = made
                self._now[needed] = eval(made, {"np": np, "math": math})
        found = np.asarray(eval(expression, {"np": np}, self._now), dtype=np.float64)
        value: Value = found if found.ndim else float(found)
        self.lines.append(Line(name, value, per_sample, part, expression))
        self._now[name] = value


def _is_parameter(name: str) -> bool:
    return name[0] in "Wb" and name[1:].isdigit()


def sheet_of(problem: Problem, state: TrainingState, run: RunRecipe) -> Sheet:
    """The next change of a run, from the state at its step and the settings in force there."""
    settings = run.settings_at(state.step)
    rows = batch_rows(problem, settings, run.seed, state.samples_seen)
    sheet = Sheet(rows)
    with np.errstate(all="ignore"):
        _give(sheet, problem, state, settings)
        _forward(sheet, problem, settings)
        _backward(sheet, problem, settings)
        _update(sheet, problem, settings)
        _redraw(sheet, problem, state, run)
    return sheet


def _give(sheet: Sheet, problem: Problem, state: TrainingState, settings: RunSettings) -> None:
    """Batch, parameters, the optimizer's memory, and every setting that a line uses."""
    sheet.give("X", problem.X[sheet.batch], per_sample=True)
    sheet.give("y", problem.y[sheet.batch], per_sample=True)
    sheet.give("m", float(len(sheet.batch)))
    for name, value in problem.named(state.parameters).items():
        sheet.give(name, value.copy())
    row = OPTIMIZERS[settings.optimizer]
    fresh = state.optimizer != settings.optimizer
    slots = row.start(problem.layout.count) if fresh else state.slots
    for slot, flat in slots.items():
        if flat.size == 1:
            sheet.give(slot, float(flat[0]))
        else:
            for name, value in problem.named(flat).items():
                sheet.give(f"{slot}_{name}", value.copy())
    for name, number in _settings(problem, state, settings).items():
        sheet.give(name, number)


def _settings(problem: Problem, state: TrainingState, settings: RunSettings) -> dict[str, float]:
    """The numbers in force; `factor` is the schedule's, `learning_rate` what it multiplies."""
    told = dict(problem.loss.own)
    told |= {name: value for name in ("l1", "l2") if (value := getattr(settings, name))}
    for name in ("clip_norm", "clip_value"):
        if (bound := getattr(settings, name)) is not None:
            told[name] = bound
    rate = rate_of(settings)(state.step)
    if settings.schedule.name == "constant":
        told["lr"] = rate
    else:
        told |= {"learning_rate": settings.learning_rate, "factor": rate / settings.learning_rate}
    return told | OPTIMIZERS[settings.optimizer].filled(settings.own)


def _forward(sheet: Sheet, problem: Problem, settings: RunSettings) -> None:
    last = len(problem.activations)
    inputs = "X"
    for layer, name in enumerate(problem.activations, start=1):
        outputs = f"a{layer}" if layer < last else "y_pred"
        told = f"{inputs} @ W{layer} + b{layer}"
        if name == "identity" and layer == last:
            sheet.write("forward", outputs, told, per_sample=True)
        else:
            sheet.write("forward", f"z{layer}", told, per_sample=True)
            bent = ACTIVATION_LINES[name].outputs.format(z=f"z{layer}")
            sheet.write("forward", outputs, bent, per_sample=True)
        inputs = outputs
    for name, told in LOSS_LINES[problem.loss.name]:
        if name != "dy_pred":
            written = told.format(classes=len(problem.classes))
            sheet.write("forward", name, written, per_sample=name != "loss")
    if settings.penalised:
        sheet.write("forward", "objective", _objective(problem, settings))


def _objective(problem: Problem, settings: RunSettings) -> str:
    """What is descended: the loss (or its half) and the penalties."""
    weights = problem.layout.names[0::2]
    share = problem.loss.objective_share
    told = ["loss" if share == 1.0 else f"{share} * loss"]
    if settings.l1:
        told.append("l1 * (" + " + ".join(f"np.sum(np.abs({name}))" for name in weights) + ")")
    if settings.l2:
        told.append("l2 / 2 * (" + " + ".join(f"np.sum({name}**2)" for name in weights) + ")")
    return " + ".join(told)


def _backward(sheet: Sheet, problem: Problem, settings: RunSettings) -> None:
    last = len(problem.activations)
    sheet.write("backward", "dy_pred", dict(LOSS_LINES[problem.loss.name])["dy_pred"], per_sample=True)
    for layer in range(last, 0, -1):
        outputs = f"a{layer}" if layer < last else "y_pred"
        slope = ACTIVATION_LINES[problem.activations[layer - 1]].slope.format(z=f"z{layer}", a=outputs)
        told = f"d{outputs} * {slope}" if slope else f"d{outputs}"
        sheet.write("backward", f"dz{layer}", told, per_sample=True)
        inputs = f"a{layer - 1}" if layer > 1 else "X"
        sheet.write("backward", f"dW{layer}", f"{inputs}.T @ dz{layer}" + _pull(f"W{layer}", settings))
        sheet.write("backward", f"db{layer}", f"dz{layer}.sum(axis=0, keepdims=True)")
        if layer > 1:
            sheet.write("backward", f"d{inputs}", f"dz{layer} @ W{layer}.T", per_sample=True)


def _pull(weights: str, settings: RunSettings) -> str:
    told = f" + l2 * {weights}" if settings.l2 else ""
    return told + (f" + l1 * np.sign({weights})" if settings.l1 else "")


def _update(sheet: Sheet, problem: Problem, settings: RunSettings) -> None:
    names = list(_from_the_end(problem))
    for name, told in _bounds(names, settings):
        sheet.write("update", name, told)
    if settings.schedule.name != "constant":
        sheet.write("update", "lr", "learning_rate * factor")
    change = CHANGE_LINES[settings.optimizer]
    for name, told in change.once:
        sheet.write("update", name, told)
    for parameter in names:
        for name, told in change.each:
            sheet.write("update", name.format(P=parameter), told.format(P=parameter))


def _from_the_end(problem: Problem) -> Iterator[str]:
    """W3, b3, W2, ...: in the order in which their gradients were found."""
    for layer in range(len(problem.activations), 0, -1):
        yield from (f"W{layer}", f"b{layer}")


def _bounds(names: list[str], settings: RunSettings) -> Iterator[tuple[str, str]]:
    """The gradient within its bounds: shortened first, then cut."""
    if settings.clip_norm is not None:
        yield "norm", "np.sqrt(" + " + ".join(f"np.sum(d{name}**2)" for name in names) + ")"
        yield "share", f"np.minimum(clip_norm / (norm + {CUSHION!r}), 1)"
        for name in names:
            yield f"d{name}", f"d{name} * share"
    if settings.clip_value is not None:
        for name in names:
            yield f"d{name}", f"np.clip(d{name}, -clip_value, clip_value)"


def _redraw(sheet: Sheet, problem: Problem, state: TrainingState, run: RunRecipe) -> None:
    """Layers that are drawn anew at the end of this change; no formula makes random numbers, so they are given."""
    asked = run.redraw_at(state.step)
    if asked is None:
        return
    slots = [line.name for line in sheet.lines if line.part == "update"] + [each.name for each in sheet.given]
    for layer in asked.layers:
        W, b = f"W{layer}", f"b{layer}"
        sheet.give(f"drawn_{W}", drawn_weights(problem, run.seed, state.step, layer, asked.weights))
        sheet.write("update", W, f"drawn_{W}.copy()")
        for name in (b, *(slot for slot in dict.fromkeys(slots) if slot.endswith((f"_{W}", f"_{b}")))):
            sheet.write("update", name, f"np.zeros_like({name})")
