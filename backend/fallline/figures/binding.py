"""Fill a figure from columns, by the names in the traces' `meta`.

Owns how a bucket becomes a point. Must not know which figure it is. The browser does the same in
frontend/charts/bind.ts. Both are compared digit by digit in tests/golden, so the order of arithmetic is the same in
both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fallline.vocabulary.columns import STATISTICS, Buckets

FLOORS = {"ratio": -6, "loss": 0}
TOPS = {"ratio": 1, "grad_mean": 2, "loss": 0}
FLOOR, TOP = -4, 3
LOWEST, HIGHEST = -300, 300

DEPTH = 0.1122018454301963
"""10 ** -0.95: zeros are drawn 0.95 decades under the floor."""
UPPER_EDGE = 0.44668359215096315
"""10 ** -0.35: upper edge of the band."""
LOWER_EDGE = 0.039810717055349734
"""10 ** -1.4: lower edge of the band, and end of the axis."""


def decade(exponent: int) -> float:
    """Return 10 ** exponent, correctly rounded."""
    return float(f"1e{exponent}")


def tick_text(exponent: int) -> str:
    """Format a power of ten: 0.01, 1,000; beyond, 1e6 and 1e−4."""
    if exponent <= -4 or exponent >= 6:
        return f"1e{exponent}".replace("-", "\u2212")
    return f"{decade(exponent):.{-exponent}f}" if exponent < 0 else f"{10**exponent:,}"


@dataclass(frozen=True, slots=True)
class ZeroBandScale:
    """An axis from the band under 10 ** floor up to 10 ** top."""

    floor: int
    top: int

    @classmethod
    def over(cls, measure: str, least: float, greatest: float) -> ZeroBandScale:
        """Return the scale for these extremes of positive values.

        They are inf and 0 if there are none.
        """
        floor, top = FLOORS.get(measure, FLOOR), TOPS.get(measure, TOP)
        while least < decade(floor) and floor > LOWEST:
            floor -= 1
        while greatest > decade(top) and top < HIGHEST:
            top += 1
        return cls(floor, top)

    def place(self, values: Floats, upper: Floats) -> Floats:
        """Return positions on the axis.

        0 is in the band, unless the bucket's maximum (`upper`) is above 0.
        """
        floor = decade(self.floor)
        raised = np.maximum(values, floor)
        return np.where((values == 0) & (upper == 0), floor * DEPTH, raised)

    @property
    def range(self) -> list[float]:
        """Range of the axis, as logarithms."""
        return [self.floor - 1.4, float(self.top)]

    @property
    def tint(self) -> tuple[float, float]:
        """Lower and upper edge of the band."""
        return decade(self.floor) * LOWER_EDGE, decade(self.floor) * UPPER_EDGE

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return tick values and texts: 0, then every second decade or fewer."""
        step = 2 + max(0, (self.top - self.floor - 8)) // 4
        exponents = range(self.floor, self.top + 1, step)
        zero = decade(self.floor) * DEPTH
        return [zero, *map(decade, exponents)], ["0", *map(tick_text, exponents)]


Floats = NDArray[np.float64]

MOST_POINTS = 800
"""Limit on the points of a trace."""


def fill(figure: go.Figure, columns: Mapping[str, Buckets], train_samples: int) -> go.Figure:
    """Return a copy of the figure with all bound traces filled.

    A run without columns stays empty.
    """
    filled = go.Figure(figure)
    bound = [trace for trace in filled.data if trace.meta and "run" in trace.meta]
    points = [_points(trace.meta, columns.get(trace.meta["run"]), train_samples) for trace in bound]
    band = filled.layout.meta and filled.layout.meta.get("shelf")
    has_band = band and not (band.get("only_for_zero") and not _any_zero(points))
    scale = _scale(band["measure"], points) if has_band else None
    for trace, (x, y, upper) in zip(bound, points, strict=True):
        trace.x = x.tolist()
        trace.y = (y if scale is None else scale.place(y, upper)).tolist()
    if scale is not None:
        _lay_out(filled.layout, scale)
    return filled


Points = tuple[Floats, Floats, Floats]


def _points(meta: dict[str, Any], buckets: Buckets | None, train_samples: int) -> Points:
    """Return x, y and the maximum of each bucket that has a value."""
    nothing = np.empty(0)
    if buckets is None or meta["y"] not in buckets.names:
        return nothing, nothing, nothing
    row = buckets.names.index(meta["y"])
    y: Floats = getattr(buckets, STATISTICS[meta["stat"]])[row]
    finite = np.isfinite(y)
    x = middles(buckets, meta["x"], train_samples)
    return x[finite], y[finite], buckets.maximum[row][finite]


def middles(buckets: Buckets, axis: str, train_samples: int) -> Floats:
    """Return the mean position of each bucket's records on an axis, shape (n,).

    A record is where its step begins. On axes other than steps, records are evenly spread over their bucket.
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


def _scale(measure: str, points: Iterable[Points]) -> ZeroBandScale:
    least, greatest = np.inf, 0.0
    for _, y, _ in points:
        positive = y[y > 0]
        least = min(least, positive.min(initial=np.inf))
        greatest = max(greatest, y.max(initial=0.0))
    return ZeroBandScale.over(measure, float(least), float(greatest))


def _lay_out(layout: go.Layout, scale: ZeroBandScale) -> None:
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
