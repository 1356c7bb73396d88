"""Fill a figure from measurements, by the paths in the traces' `meta`.

Owns the meaning of a path. The `meta` of a trace has `of` ("all" measurements, or the "last") and paths for `x`, `y`
and `z`. Without `x`, x is the rank. Must not know which figure it is. frontend/charts/bind-measured.ts does the same in
the browser, and tests/golden compares both digit by digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from fallline.vocabulary.journal import Json

Path = str | Sequence[str | float]


def fill_instrument_figure(figure: go.Figure, measured: Sequence[Json]) -> go.Figure:
    """Return a copy of the figure with all bound traces filled.

    The measurements are sorted, the last one is shown.
    """
    filled = go.Figure(figure)
    for trace in filled.data:
        meta = trace.meta
        if meta and "of" in meta:
            selected = measured if meta["of"] == "all" else measured[-1:]
            trace.update(**_surface(meta, selected) if "z" in meta else _points(meta, selected))
    for axis, path in ((filled.layout.meta or {}).get("names") or {}).items():
        names = values(path, measured[-1:])
        filled.layout[axis].update(
            tickvals=list(range(1, len(names) + 1)), ticktext=[str(name) for name in names]
        )
    return filled


def values(path: Path, measured: Sequence[Json]) -> list[Any]:
    """Return the values of all measurements at a path, or at several paths.

    A number is its own value.
    """
    result: list[Any] = []
    for measurement in measured:
        for one in path if isinstance(path, list | tuple) else [path]:
            value = _at(measurement, one.split(".")) if isinstance(one, str) else one
            result.extend(value if isinstance(value, list) else [value])
    return result


def _at(value: Any, path: list[str]) -> Any:
    """Return the value at a path; None for a missing one.

    `*` is each element, `@` their names, `#` their number.
    """
    for place, part in enumerate(path):
        if value is None:
            return None
        if part == "#":
            return len(value)
        if part == "@":
            return list(value) if isinstance(value, dict) else [place + 1 for place in range(len(value))]
        if part == "*":
            each = value.values() if isinstance(value, dict) else value
            return [_at(one, path[place + 1 :]) for one in each]
        value = value[int(part)] if isinstance(value, list) else value.get(part)
    return value


def _surface(meta: Json, measured: Sequence[Json]) -> Json:
    axes: Json = {axis: values(meta[axis], measured) for axis in ("x", "y", "z") if axis in meta}
    if meta.get("role") == "counts":
        # The template's middle is for signs: it would make empty cells half dark.
        axes |= {"zmin": 0, "zmax": max([1, *(count for row in axes["z"] for count in row or ())])}
    return axes


def _points(meta: Json, measured: Sequence[Json]) -> Json:
    """Return points, without missing values."""
    y = values(meta["y"], measured)
    x: list[Any] = values(meta["x"], measured) if "x" in meta else list(range(1, len(y) + 1))
    if meta.get("between"):
        x = [(low + high) / 2 for low, high in pairwise(x)]
    pairs = [(a, b) for a, b in zip(x, y, strict=False) if a is not None and b is not None]
    if "sign" in meta:
        pairs = [(a, meta["sign"] * b) for a, b in pairs if meta["sign"] * b > 0]
    if "clip" in meta:
        low, high = meta["clip"]
        pairs = [(a, min(max(b, low), high)) for a, b in pairs]
    return {"x": [a for a, _ in pairs], "y": [b for _, b in pairs]}
