"""Parts of the instruments' figures: layout, curves, pointers and dots.

Must not know any single figure.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from fallline.figures.theme import run_style, stroke, surface, template
from fallline.figures.traces import across

THIN = {"width": 1.6}


def plain_layout(across: str, down: str, yaxis: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the layout of one plot, extended by `yaxis` and `more`."""
    return {
        "template": template(),
        "showlegend": False,
        "margin": {"l": 60, "r": 24, "t": 26, "b": 46},
        "xaxis": {"title": {"text": across}},
        "yaxis": {"title": {"text": down}, **yaxis},
        **more,
    }


def curve(lane: str, y: str, *, dash: str | None = None, **more: Any) -> go.Scatter:
    """Return a curve of all measurements by step, in the run's colour."""
    return go.Scatter(
        name=y,
        mode="lines",
        line={"color": run_style(lane)["light"]["line"], **THIN, **({} if dash is None else {"dash": dash})},
        hovertemplate="%{y:.3g}",
        meta={
            "of": "all",
            "role": "trail",
            "lane": lane,
            "x": "step",
            "y": y,
            **more,
        },
    )


def pointer(lane: str, y: str, **more: Any) -> go.Scatter:
    """Return a triangle that points at the last value."""
    return go.Scatter(
        name=f"{y}, now",
        mode="markers",
        marker={"color": run_style(lane)["light"]["text"], "symbol": "triangle-left", "size": 12},
        cliponaxis=False,
        hovertemplate="%{y:.3g}",
        meta={
            "of": "last",
            "role": "needle",
            "lane": lane,
            "x": "step",
            "y": y,
            **more,
        },
    )


def dots(lane: str, y: str, role: str, name: str, *, open_: bool = False, **more: Any) -> go.Scatter:
    """Return a dot per value, by rank or by `x`; `open_` makes them hollow."""
    colour = run_style(lane)["light"]["line"]
    return go.Scatter(
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": "circle-open" if open_ else "circle", "size": 7},
        hovertemplate="%{y:.3g}",
        meta={"of": "last", "role": role, "lane": lane, "y": y, **more},
    )


def reference(name: str, x: Any, y: Any, *, of: str = "last", role: str = "limit") -> go.Scatter:
    """Return a dashed grey line to compare with, such as a limit."""
    return go.Scatter(
        name=name,
        mode="lines",
        line={"color": surface("ink-3"), "dash": stroke("baseline")["dash"], "width": 1.2},
        meta={"of": of, "role": role, "ink": "ink-3", "x": x, "y": y},
    )


def samples(name: str, symbol: str, size: int, x: str, y: str, **more: Any) -> go.Scatter:
    """Return a mark in ink for each sample."""
    return go.Scatter(
        name=name,
        mode="markers",
        marker={"color": surface("ink"), "symbol": symbol, "size": size},
        meta={"of": "last", "role": "samples", "ink": "ink", "x": x, "y": y},
        **more,
    )


def level(figure: go.Figure, y: float, words: str) -> None:
    """Add a dashed line with words at a constant height."""
    across(figure, "level", y, words, "bottom")
