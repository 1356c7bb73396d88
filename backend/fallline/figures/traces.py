"""The traces that curves are made of, unfilled: each says in `meta` which run, columns and statistic it wants; and the
tint of the shelf on which exactly 0 stands.

Owns the form of a binding: `{"run", "lane", "role", "x", "y", "stat"}`, where `x` is step, epoch, samples_seen or
seconds and `y` the name of a series. Must not know data.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from fallline.figures.theme import lane, stroke, surface
from fallline.figures.view import RunLine

HIDDEN = {"width": 0}


def lane_of(run: RunLine, place: int) -> dict[str, Any]:
    """Colour and shape of a run that stands at this place in a figure: those it has in its experiment."""
    return lane(place if run.place is None else run.place)


def binding(run: RunLine, place: int, role: str, y: str, stat: str) -> dict[str, Any]:
    """What a trace wants."""
    return {
        "run": run.name,
        "lane": lane_of(run, place)["id"],
        "role": role,
        "x": "step",
        "y": y,
        "stat": stat,
    }


def across(figure: go.Figure, name: str, y: float, words: str, anchor: str) -> None:
    """A dashed line from side to side, with words on it, of which the edge `anchor` touches it.

    Plotly wants the height of a line in units of the data and that of a text on a log axis as a logarithm; a line with
    a label of its own needs only the first.
    """
    drawn = stroke("baseline")
    figure.add_shape(
        name=name,
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=y,
        y1=y,
        layer="below",
        line={"color": drawn["light"], "width": drawn["width"], "dash": drawn["dash"]},
        label={
            "text": words,
            "textposition": "start",
            "yanchor": anchor,
            "font": {"color": drawn["light"]},
        },
    )


def band(run: RunLine, place: int, y: str, **axes: Any) -> list[go.Scatter]:
    """Upper and lower edge of a series, minimum to maximum, filled between."""
    upper = go.Scatter(
        name=f"{run.label}, maximum", mode="lines", line=HIDDEN, hoverinfo="skip", showlegend=False, **axes
    )
    lower = go.Scatter(
        name=f"{run.label}, minimum",
        mode="lines",
        line=HIDDEN,
        fill="tonexty",
        fillcolor=lane_of(run, place)["light"]["band"],
        hoverinfo="skip",
        showlegend=False,
        **axes,
    )
    upper.meta = binding(run, place, "band", y, "max")
    lower.meta = binding(run, place, "band", y, "min")
    return [upper, lower]


def line(
    run: RunLine, place: int, role: str, y: str, name: str, stroke: dict[str, Any], **more: Any
) -> go.Scatter:
    """A series as a line through the means of its buckets."""
    return go.Scatter(
        name=name,
        mode="lines",
        line={"color": lane_of(run, place)["light"]["line"], **stroke},
        hovertemplate="%{y:.3g}",
        meta=binding(run, place, role, y, "mean"),
        **more,
    )


def shelf(xaxis: str, yaxis: str) -> dict[str, Any]:
    """The tint under the floor of a log axis. Where it lies depends on the data: `binding` places and shows it."""
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
