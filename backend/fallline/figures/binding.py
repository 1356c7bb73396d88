"""Fill a figure from columns, by the names that its traces carry.

Owns how a bucket becomes a point. Must not know which figure it is. frontend/charts/bind.js does the same in the
browser; tests/golden holds both to the same figure, digit by digit, so arithmetic here keeps the order it has there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fallline.figures.shelf import ShelfScale
from fallline.vocabulary.columns import STATISTICS, Buckets

Floats = NDArray[np.float64]

MOST_POINTS = 800
"""A trace has no more points than this, whatever the length of the training."""


def fill(figure: go.Figure, columns: Mapping[str, Buckets], train_samples: int) -> go.Figure:
    """The figure with every bound trace filled; the one given stays as it is. A run without columns stays empty."""
    filled = go.Figure(figure)
    bound = [trace for trace in filled.data if trace.meta and "run" in trace.meta]
    points = [_points(trace.meta, columns.get(trace.meta["run"]), train_samples) for trace in bound]
    wanted = filled.layout.meta and filled.layout.meta.get("shelf")
    needed = wanted and not (wanted.get("only_for_zero") and not _any_zero(points))
    scale = _scale(wanted["measure"], points) if needed else None
    for trace, (x, y, upper) in zip(bound, points, strict=True):
        trace.x = x.tolist()
        trace.y = (y if scale is None else scale.place(y, upper)).tolist()
    if scale is not None:
        _lay_out(filled.layout, scale)
    return filled


Points = tuple[Floats, Floats, Floats]


def _points(meta: dict[str, Any], buckets: Buckets | None, train_samples: int) -> Points:
    """x, y, and the greatest value of each bucket, of the buckets that hold a value at all."""
    nothing = np.empty(0)
    if buckets is None or meta["y"] not in buckets.names:
        return nothing, nothing, nothing
    row = buckets.names.index(meta["y"])
    y: Floats = getattr(buckets, STATISTICS[meta["stat"]])[row]
    held = np.isfinite(y)
    x = middles(buckets, meta["x"], train_samples)
    return x[held], y[held], buckets.maximum[row][held]


def middles(buckets: Buckets, axis: str, train_samples: int) -> Floats:
    """Where each bucket stands on an axis: the mean place of its records, a record standing where its step begins.

    Between a bucket's ends, places other than steps are taken as evenly spread. Shape (n,).
    """
    end = _ends(buckets, axis, train_samples)
    start = np.empty_like(end)
    if len(end):
        start[0] = end[0] * float(buckets.first[0]) / float(buckets.last[0] + 1)
        start[1:] = end[:-1]
    count = (buckets.last - buckets.first + 1).astype(np.float64)
    return start + (end - start) * (count - 1) / (2 * count)


def _ends(buckets: Buckets, axis: str, train_samples: int) -> Floats:
    if axis == "seconds":
        return buckets.seconds
    if axis == "samples_seen":
        return buckets.samples_seen.astype(np.float64)
    if axis == "epoch":
        return buckets.samples_seen / train_samples
    return (buckets.last + 1).astype(np.float64)


def _any_zero(points: Iterable[Points]) -> bool:
    return any(bool(((y == 0) & (upper == 0)).any()) for _, y, upper in points)


def _scale(measure: str, points: Iterable[Points]) -> ShelfScale:
    least, greatest = np.inf, 0.0
    for _, y, _ in points:
        positive = y[y > 0]
        least = min(least, positive.min(initial=np.inf))
        greatest = max(greatest, y.max(initial=0.0))
    return ShelfScale.over(measure, float(least), float(greatest))


def _lay_out(layout: go.Layout, scale: ShelfScale) -> None:
    values, texts = scale.ticks()
    lower, upper = scale.tint
    layout.shapes = [
        {**shape.to_plotly_json(), "y0": lower, "y1": upper, "visible": True}
        if shape.name == "shelf"
        else shape
        for shape in layout.shapes
    ]
    for name in layout:
        if name.startswith("yaxis"):
            layout[name].update(range=scale.range, tickvals=values, ticktext=texts)
