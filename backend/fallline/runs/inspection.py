"""The next change of a run line by line, as plain JSON. Must not know the lines: the engine writes them."""

from __future__ import annotations

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


def inspection(
    problem: Problem, state: TrainingState, recipe: RunRecipe, rows: int | None = None, first: int = 0
) -> dict[str, Any]:
    """The change from the state's step to the next.

    Arrays with a row a sample tell at most `rows` of the batch, from its row `first` on (the last one, where there are
    not so many).
    """
    sheet = sheet_of(problem, state, recipe)
    begin = min(first, len(sheet.batch) - 1)
    told = slice(begin, begin + (_fitting(sheet) if rows is None else rows))
    return {
        "batch": sheet.batch.tolist(),
        "functions": sheet.functions,
        "given": [_entry(each, told) for each in sheet.given],
        "lines": [_line(each, told) for each in sheet.lines],
    }


def change_script(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """The same change as a program that needs NumPy only, and how many numbers stand in it.

    One that would be longer than a large answer is not written: `script` is None.
    """
    sheet = sheet_of(problem, state, recipe)
    numbers = sum(int(np.size(each.value)) for each in (*sheet.given, *sheet.lines_of_parameters))
    fits = numbers <= MOST_NUMBERS
    return {"numbers": numbers, "script": script_of(sheet, recipe.name, state.step) if fits else None}


def _fitting(sheet: Sheet) -> int:
    """How many rows of the batch stay within the bound; one at least."""
    everything = [*sheet.given, *sheet.lines]
    width = sum(int(np.shape(each.value)[1]) for each in everything if each.per_sample)
    other = sum(int(np.size(each.value)) for each in everything if not each.per_sample)
    return max((MOST_NUMBERS - other) // width, 1)


def _line(line: Line, rows: slice) -> dict[str, Any]:
    return {"part": line.part, "expression": line.expression, **_entry(line, rows)}


def _entry(entry: Entry, rows: slice) -> dict[str, Any]:
    value = np.asarray(entry.value)
    told: dict[str, Any] = {"name": entry.name, "shape": list(value.shape), **_whole(value)}
    shown = value[rows] if entry.per_sample else value
    told["values"] = _plain(shown)
    if entry.per_sample:
        with np.errstate(all="ignore"):
            mean = _plain(value.mean(axis=0))
        told |= {"first": rows.start, "rows": len(shown), "mean": mean}
    kinds = {"nan": np.isnan(value), "inf": np.isposinf(value), "-inf": np.isneginf(value)}
    if counts := {kind: int(found.sum()) for kind, found in kinds.items() if found.any()}:
        told["not_finite"] = counts
        told["not_finite_at"] = _places(np.atleast_2d(shown))
    return told


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
