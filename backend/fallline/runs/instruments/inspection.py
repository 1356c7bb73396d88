"""The next change of a run line by line, as plain JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.engine.inspection.script import script_of
from fallline.engine.inspection.sheet import Entry, Line, Sheet, sheet_of
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.recipe import RunRecipe

MOST_PLACES = 1_000

MOST_NUMBERS = 200_000
"""About the most numbers of a response without a requested size: 4 MB of text."""


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of an array to return."""

    batch: slice
    block: int | None

    def of(self, value: Array, per_sample: bool) -> Array:
        if value.ndim < 2:
            return value
        return value[self.batch if per_sample else slice(self.block), : self.block]


def inspection(
    problem: Problem,
    state: TrainingState,
    recipe: RunRecipe,
    rows: int | None = None,
    first: int = 0,
    block: int | None = None,
) -> dict[str, Any]:
    """Return the change from the state's step to the next, line by line.

    Arrays with a row for each sample have at most `rows` rows of the batch, from row `first` on (at most the last one).
    With `block`, all arrays have at most so many columns, and the others so many rows. Extremes of whole arrays are
    added then.
    """
    sheet = sheet_of(problem, state, recipe)
    begin = min(first, len(sheet.batch) - 1)
    window = _Window(slice(begin, begin + (_fitting(sheet, block) if rows is None else rows)), block)
    inputs = [_entry(each, window) for each in sheet.given]
    lines = [_line(each, window) for each in sheet.lines]
    if block is not None:
        _add_extremes([*sheet.given, *sheet.lines], [*inputs, *lines])
    return {"batch": sheet.batch.tolist(), "functions": sheet.functions, "given": inputs, "lines": lines}


def change_script(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the same change as a program that needs only NumPy.

    `script` is None if it would have more than `MOST_NUMBERS`.
    """
    sheet = sheet_of(problem, state, recipe)
    numbers = sum(int(np.size(each.value)) for each in (*sheet.given, *sheet.lines_of_parameters))
    fits = numbers <= MOST_NUMBERS
    return {"numbers": numbers, "script": script_of(sheet, recipe.name, state.step) if fits else None}


def _fitting(sheet: Sheet, block: int | None) -> int:
    """Return the number of batch rows within the bound, at least one."""
    everything = [*sheet.given, *sheet.lines]
    row = _Window(slice(1), block)
    width = sum(row.of(np.asarray(each.value), True).size for each in everything if each.per_sample)
    other = sum(row.of(np.asarray(each.value), False).size for each in everything if not each.per_sample)
    return max((MOST_NUMBERS - other) // width, 1)


def _line(line: Line, window: _Window) -> dict[str, Any]:
    return {"part": line.part, "expression": line.expression, **_entry(line, window)}


def _entry(entry: Entry, window: _Window) -> dict[str, Any]:
    value = np.asarray(entry.value)
    row: dict[str, Any] = {"name": entry.name, "shape": list(value.shape), **_whole(value)}
    part = window.of(value, entry.per_sample)
    row["values"] = _plain(part)
    if entry.per_sample:
        with np.errstate(all="ignore"):
            mean = _plain(value.mean(axis=0))
        row |= {"first": window.batch.start, "rows": len(part), "mean": mean}
    kinds = {"nan": np.isnan(value), "inf": np.isposinf(value), "-inf": np.isneginf(value)}
    if counts := {kind: int(mask.sum()) for kind, mask in kinds.items() if mask.any()}:
        row["not_finite"] = counts
        row["not_finite_at"] = _places(np.atleast_2d(part))
    return row


def _add_extremes(entries: list[Entry], rows: list[dict[str, Any]]) -> None:
    """Add the largest entry and the largest change of each array."""
    before: dict[str, Array] = {}
    for entry, one in zip(entries, rows, strict=True):
        value = np.asarray(entry.value)
        if entry.per_sample or value.ndim < 2 or not np.isfinite(value).all():
            continue
        row, column = _where_largest(value)
        one["largest_at"] = {"row": row, "column": column, "value": float(value[row, column])}
        if (was := before.get(entry.name)) is not None:
            row, column = _where_largest(value - was)
            one["change"] = {
                "row": row,
                "column": column,
                "before": float(was[row, column]),
                "after": float(value[row, column]),
            }
        before[entry.name] = value


def _where_largest(values: Array) -> tuple[int, int]:
    row, column = np.unravel_index(np.abs(values).argmax(), values.shape)
    return int(row), int(column)


def _whole(value: Array) -> dict[str, Any]:
    """Return zeros, negative entries and the largest size of a whole array."""
    sizes = np.abs(value[np.isfinite(value)])
    return {
        "zeros": int((value == 0).sum()),
        "negative": int((value < 0).sum()),
        "largest": float(sizes.max(initial=0.0)),
    }


def _places(values: Array) -> list[list[Any]]:
    """Return row, column and text of values that are not finite."""
    places = np.argwhere(~np.isfinite(values))[:MOST_PLACES]
    return [[int(row), int(column), repr(float(values[row, column]))] for row, column in places]


def _plain(values: Array) -> Any:
    """Return nested lists, with None for values that are not finite."""
    if np.isfinite(values).all():
        return values.tolist()
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()
