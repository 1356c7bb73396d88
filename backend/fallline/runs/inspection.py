"""The next change of a run line by line, as plain JSON. Must not know the lines: the engine writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.inspection.sheet import Entry, Line, Sheet, sheet_of
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]

MOST_NUMBERS = 200_000
"""An answer that nobody bounded holds about so many numbers at most: 4 MB of text."""


def inspection(
    problem: Problem, state: TrainingState, recipe: RunRecipe, rows: int | None = None
) -> dict[str, Any]:
    """The change from the state's step to the next. Arrays with a row a sample tell at most `rows` of the batch."""
    sheet = sheet_of(problem, state, recipe)
    told = _fitting(sheet) if rows is None else rows
    return {
        "batch": sheet.batch.tolist(),
        "functions": sheet.functions,
        "given": [_entry(each, told) for each in sheet.given],
        "lines": [_line(each, told) for each in sheet.lines],
    }


def _fitting(sheet: Sheet) -> int:
    """How many rows of the batch stay within the bound; one at least."""
    everything = [*sheet.given, *sheet.lines]
    width = sum(int(np.shape(each.value)[1]) for each in everything if each.per_sample)
    other = sum(int(np.size(each.value)) for each in everything if not each.per_sample)
    return max((MOST_NUMBERS - other) // width, 1)


def _line(line: Line, rows: int) -> dict[str, Any]:
    return {"part": line.part, "expression": line.expression, **_entry(line, rows)}


def _entry(entry: Entry, rows: int) -> dict[str, Any]:
    value = np.asarray(entry.value)
    told: dict[str, Any] = {"name": entry.name, "shape": list(value.shape)}
    if entry.per_sample:
        shown = value[:rows]
        with np.errstate(all="ignore"):
            told |= {"values": _plain(shown), "rows": len(shown), "mean": _plain(value.mean(axis=0))}
    else:
        told["values"] = _plain(value)
    kinds = {"nan": np.isnan(value), "inf": np.isposinf(value), "-inf": np.isneginf(value)}
    if counts := {kind: int(found.sum()) for kind, found in kinds.items() if found.any()}:
        told["not_finite"] = counts
    return told


def _plain(values: Array) -> Any:
    """Nested lists; null for what is not finite."""
    if np.isfinite(values).all():
        return values.tolist()
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()
