"""Traces of curves without data, and the band for exactly 0.

Each trace names its values in `meta`.

Owns the form of `meta`: `{"run", "lane", "role", "x", "y", "stat"}`, where `x` is step, epoch, samples_seen or seconds
and `y` the name of a series. Must not know data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go

from fallline.figures.theme import run_style, stroke, surface
from fallline.figures.view import RunLine

HIDDEN = {"width": 0}

GAP = 0.03
"""Space between two panels, as a share of the whole width."""


def panels(count: int) -> Iterator[tuple[str, list[float]]]:
    """Yield the suffix of each panel's axes, and its part of the width."""
    width = (1 - GAP * (count - 1)) / count
    for place in range(count):
        start = place * (width + GAP)
        yield axis_suffix(place + 1), [start, min(start + width, 1.0)]


def axis_suffix(panel: int) -> str:
    """Return the end of the names of a panel's axes: they are `x`, `x2`, `x3`, ..."""
    return "" if panel == 1 else str(panel)


def binding(run: RunLine, role: str, y: str, stat: str) -> dict[str, Any]:
    """Return the `meta` of a trace."""
    return {
        "run": run.name,
        "lane": run.lane,
        "role": role,
        "x": "step",
        "y": y,
        "stat": stat,
    }


def across(figure: go.Figure, name: str, y: float, words: str, anchor: str) -> None:
    """Add a dashed horizontal line with words; their edge `anchor` touches the line.

    A label of the line needs only a height in units of the data. A separate text on a log axis would need a logarithm.
    """
    style = stroke("baseline")
    figure.add_shape(
        name=name,
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=y,
        y1=y,
        layer="below",
        line={"color": style["light"], "width": style["width"], "dash": style["dash"]},
        label={
            "text": words,
            "textposition": "start",
            "yanchor": anchor,
            "font": {"color": style["light"]},
        },
    )


def band(run: RunLine, y: str, **axes: Any) -> list[go.Scatter]:
    """Return the minimum and maximum of a series, with the area between them."""
    upper = go.Scatter(
        name=f"{run.label}, maximum", mode="lines", line=HIDDEN, hoverinfo="skip", showlegend=False, **axes
    )
    lower = go.Scatter(
        name=f"{run.label}, minimum",
        mode="lines",
        line=HIDDEN,
        fill="tonexty",
        fillcolor=run_style(run.lane)["light"]["band"],
        hoverinfo="skip",
        showlegend=False,
        **axes,
    )
    upper.meta = binding(run, "band", y, "max")
    lower.meta = binding(run, "band", y, "min")
    return [upper, lower]


def line(run: RunLine, role: str, y: str, name: str, stroke: dict[str, Any], **more: Any) -> go.Scatter:
    """Return a series as a line through the means of its buckets."""
    return go.Scatter(
        name=name,
        mode="lines",
        line={"color": run_style(run.lane)["light"]["line"], **stroke},
        hovertemplate="%{y:.3g}",
        meta=binding(run, role, y, "mean"),
        **more,
    )


def zero_band(xaxis: str, yaxis: str) -> dict[str, Any]:
    """Return the hidden band under the floor of a log axis.

    `binding` places and shows it.
    """
    return {
        "name": "shelf",
        "type": "rect",
        "xref": f"{xaxis} domain",
        "yref": yaxis,
        "x0": 0,
        "x1": 1,
        "y0": 1e-6,
        "y1": 1e-5,
        "fillcolor": surface("rail"),
        "line": {"width": 0},
        "layer": "below",
        "visible": False,
    }
