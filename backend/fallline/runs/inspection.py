"""The next change of a run line by line, as plain JSON. Must not know the lines: the engine writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.inspection.script import script_of
from fallline.engine.inspection.sheet import Entry, Line, Sheet, sheet_of
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]

MOST_PLACES = 1_000

MOST_NUMBERS = 200_000
"""An answer that nobody bounded holds about so many numbers at most: 4 MB of text."""


@dataclass(frozen=True, slots=True)
class _Window:
    """What of an array is told: rows of the batch, and of all others the first so many rows and columns."""

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
    """The change from the state's step to the next.

    Arrays with a row a sample tell at most `rows` of the batch, from its row `first` on (the last one, where there are
    not so many). With `block` no array tells more than its first so many columns, and none of the others more than its
    first so many rows; what a reader would look for in the whole is told beside it.
    """
    sheet = sheet_of(problem, state, recipe)
    begin = min(first, len(sheet.batch) - 1)
    window = _Window(slice(begin, begin + (_fitting(sheet, block) if rows is None else rows)), block)
    given = [_entry(each, window) for each in sheet.given]
    lines = [_line(each, window) for each in sheet.lines]
    if block is not None:
        _tell_extremes([*sheet.given, *sheet.lines], [*given, *lines])
    return {"batch": sheet.batch.tolist(), "functions": sheet.functions, "given": given, "lines": lines}


def change_script(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """The same change as a program that needs NumPy only, and how many numbers stand in it.

    One that would be longer than a large answer is not written: `script` is None.
    """
    sheet = sheet_of(problem, state, recipe)
    numbers = sum(int(np.size(each.value)) for each in (*sheet.given, *sheet.lines_of_parameters))
    fits = numbers <= MOST_NUMBERS
    return {"numbers": numbers, "script": script_of(sheet, recipe.name, state.step) if fits else None}


def _fitting(sheet: Sheet, block: int | None) -> int:
    """How many rows of the batch stay within the bound; one at least."""
    everything = [*sheet.given, *sheet.lines]
    row = _Window(slice(1), block)
    width = sum(row.of(np.asarray(each.value), True).size for each in everything if each.per_sample)
    other = sum(row.of(np.asarray(each.value), False).size for each in everything if not each.per_sample)
    return max((MOST_NUMBERS - other) // width, 1)


def _line(line: Line, window: _Window) -> dict[str, Any]:
    return {"part": line.part, "expression": line.expression, **_entry(line, window)}


def _entry(entry: Entry, window: _Window) -> dict[str, Any]:
    value = np.asarray(entry.value)
    told: dict[str, Any] = {"name": entry.name, "shape": list(value.shape), **_whole(value)}
    shown = window.of(value, entry.per_sample)
    told["values"] = _plain(shown)
    if entry.per_sample:
        with np.errstate(all="ignore"):
            mean = _plain(value.mean(axis=0))
        told |= {"first": window.batch.start, "rows": len(shown), "mean": mean}
    kinds = {"nan": np.isnan(value), "inf": np.isposinf(value), "-inf": np.isneginf(value)}
    if counts := {kind: int(found.sum()) for kind, found in kinds.items() if found.any()}:
        told["not_finite"] = counts
        told["not_finite_at"] = _places(np.atleast_2d(shown))
    return told


def _tell_extremes(entries: list[Entry], told: list[dict[str, Any]]) -> None:
    """Of each array that is no batch: its largest entry, and where a name stood before the one that changed most."""
    before: dict[str, Array] = {}
    for entry, one in zip(entries, told, strict=True):
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
    """What is true of all entries, those included that are not told: how many are exactly 0, how many negative, and
    the largest size of a finite one."""
    sizes = np.abs(value[np.isfinite(value)])
    return {
        "zeros": int((value == 0).sum()),
        "negative": int((value < 0).sum()),
        "largest": float(sizes.max(initial=0.0)),
    }


def _places(values: Array) -> list[list[Any]]:
    """Row and column, among those that are told, of what is not finite, and what it is; the first of very many."""
    found = np.argwhere(~np.isfinite(values))[:MOST_PLACES]
    return [[int(row), int(column), repr(float(values[row, column]))] for row, column in found]


def _plain(values: Array) -> Any:
    """Nested lists; null for what is not finite."""
    if np.isfinite(values).all():
        return values.tolist()
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()
