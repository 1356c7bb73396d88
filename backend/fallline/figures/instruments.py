"""What the instruments' figures are made of: one for each view of a measurement, unfilled, each trace saying what it
wants.

`MEASURED` is the table: name -> which instrument fills it, and how it is made for a run. Must not know how anything is
measured or filled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from fallline.figures.theme import lane, stroke, surface, template
from fallline.figures.view import FigureView

THIN = {"width": 1.6}
EDGE = (0.0, 2.0)
STEPS_LONG = (-1.5, 2.0)


@dataclass(frozen=True, slots=True)
class MeasuredFigure:
    """A row: the instrument that fills it, what it shows in a line, and its making for the run at a place."""

    instrument: str
    help: str
    make: Callable[[FigureView, int], go.Figure]


def _edge(view: FigureView, place: int) -> go.Figure:
    """Sharpness over its limit: the trail of what was measured, and a needle at the last."""
    figure = _gauge(view, place, "sharpness / limit", {"range": list(EDGE)})
    figure.add_traces([_trail(place, "edge", clip=EDGE), _needle(place, "edge", clip=EDGE)])
    _level(figure, 1.0, "edge of stability")
    return figure


def _alpha(view: FigureView, place: int) -> go.Figure:
    """The step length over all samples as a trail, over the batch as thin one and needle."""
    figure = _gauge(view, place, "step length alpha", {"range": list(STEPS_LONG)})
    figure.add_traces(
        [
            _trail(place, "batch.alpha", clip=STEPS_LONG),
            _trail(place, "train.alpha", clip=STEPS_LONG, dash=stroke("test")["dash"]),
            _needle(place, "batch.alpha", clip=STEPS_LONG),
        ]
    )
    _level(figure, 0.0, "lowest point")
    _level(figure, 1.0, "same height behind it")
    return figure


def _noise(view: FigureView, place: int) -> go.Figure:
    """The noise scale, a batch size, beside that in force."""
    figure = _gauge(view, place, "noise / signal, as a batch size", {"type": "log"})
    size = go.Scatter(
        name="batch size in force",
        mode="lines",
        line={"color": surface("ink-3"), "dash": stroke("baseline")["dash"], "width": 1.2},
        meta={"of": "all", "role": "limit", "ink": "ink-3", "x": "step", "y": "batch_size"},
    )
    figure.add_traces([size, _trail(place, "noise_scale"), _needle(place, "noise_scale")])
    return figure


def _gauge(view: FigureView, place: int, title: str, yaxis: dict[str, Any]) -> go.Figure:
    return go.Figure(
        layout={
            "template": template(),
            "showlegend": False,
            "margin": {"l": 60, "r": 24, "t": 26, "b": 46},
            "xaxis": {"title": {"text": "step"}, "tickformat": ",d"},
            "yaxis": {"title": {"text": title}, **yaxis},
        }
    )


def _trail(place: int, y: str, **more: Any) -> go.Scatter:
    line = {
        "color": lane(place)["light"]["line"],
        **THIN,
        **({"dash": more.pop("dash")} if "dash" in more else {}),
    }
    return go.Scatter(
        name=y,
        mode="lines",
        line=line,
        hovertemplate="%{y:.3g}",
        meta={"of": "all", "role": "trail", "lane": lane(place)["id"], "x": "step", "y": y, **_plain(more)},
    )


def _needle(place: int, y: str, **more: Any) -> go.Scatter:
    """A triangle that points at the value, beyond the edge of the plot where the trail ends there."""
    return go.Scatter(
        name=f"{y}, now",
        mode="markers",
        marker={"color": lane(place)["light"]["text"], "symbol": "triangle-left", "size": 12},
        cliponaxis=False,
        hovertemplate="%{y:.3g}",
        meta={"of": "last", "role": "needle", "lane": lane(place)["id"], "x": "step", "y": y, **_plain(more)},
    )


def _plain(more: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in more.items()}


def _level(figure: go.Figure, y: float, words: str) -> None:
    drawn = stroke("baseline")
    figure.add_shape(
        name="level",
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
            "yanchor": "bottom",
            "font": {"color": drawn["light"]},
        },
    )


MEASURED: dict[str, MeasuredFigure] = {
    "edge": MeasuredFigure("curvature", "sharpness over its limit, with a needle", _edge),
    "alpha": MeasuredFigure("alpha", "how long the next change is, with a needle", _alpha),
    "noise": MeasuredFigure("noise", "noise over signal as a batch size, beside that in force", _noise),
}
"""By name."""
