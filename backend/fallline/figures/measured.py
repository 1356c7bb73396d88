"""Fill a figure from what an instrument told, by the paths that its traces carry.

Owns what a path means. A trace's `meta` has `of` ("all" measurements, or the "last") and paths for its `x`, `y` and
`z`; x may be left out and is then the rank. Must not know which figure it is. frontend/charts/bind-measured.js does the
same in the browser; tests/golden holds both to the same figure, digit by digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

Json = dict[str, Any]
Path = str | Sequence[str | float]


def fill_measured(figure: go.Figure, measured: Sequence[Json]) -> go.Figure:
    """The figure with every bound trace filled, the measurements from the oldest to the one that is shown; the figure
    given stays as it is.
    """
    filled = go.Figure(figure)
    for trace in filled.data:
        meta = trace.meta
        if meta and "of" in meta:
            seen = measured if meta["of"] == "all" else measured[-1:]
            trace.update(**_surface(meta, seen) if "z" in meta else _points(meta, seen))
    for axis, path in ((filled.layout.meta or {}).get("names") or {}).items():
        names = values(path, measured[-1:])
        filled.layout[axis].update(
            tickvals=list(range(1, len(names) + 1)), ticktext=[str(name) for name in names]
        )
    return filled


def values(path: Path, measured: Sequence[Json]) -> list[Any]:
    """What each measurement has at the path, or at each of several paths, as one list. A number stands for itself."""
    found: list[Any] = []
    for told in measured:
        for one in path if isinstance(path, list | tuple) else [path]:
            value = _at(told, one.split(".")) if isinstance(one, str) else one
            found.extend(value if isinstance(value, list) else [value])
    return found


def _at(told: Any, path: list[str]) -> Any:
    """`*` is each of what is there, `@` its names, `#` how many; None where there is nothing."""
    for place, part in enumerate(path):
        if told is None:
            return None
        if part == "#":
            return len(told)
        if part == "@":
            return list(told) if isinstance(told, dict) else [place + 1 for place in range(len(told))]
        if part == "*":
            each = told.values() if isinstance(told, dict) else told
            return [_at(one, path[place + 1 :]) for one in each]
        told = told[int(part)] if isinstance(told, list) else told.get(part)
    return told


def _surface(meta: Json, measured: Sequence[Json]) -> Json:
    return {axis: values(meta[axis], measured) for axis in ("x", "y", "z") if axis in meta}


def _points(meta: Json, measured: Sequence[Json]) -> Json:
    """Points without a value are left out."""
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
