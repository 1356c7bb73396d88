"""What the instruments' figures share: their layout, trails, needles, and levels with a name.

Owns the form of these. Must not know any single figure.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from fallline.figures.theme import lane, template
from fallline.figures.traces import across

THIN = {"width": 1.6}


def plain_layout(across: str, down: str, yaxis: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One plot with these titles; more of the vertical axis in `yaxis`, of the layout in `more`."""
    return {
        "template": template(),
        "showlegend": False,
        "margin": {"l": 60, "r": 24, "t": 26, "b": 46},
        "xaxis": {"title": {"text": across}},
        "yaxis": {"title": {"text": down}, **yaxis},
        **more,
    }


def trail(place: int, y: str, *, dash: str | None = None, **more: Any) -> go.Scatter:
    """All that was measured, by step, in the colour of the run at this place."""
    return go.Scatter(
        name=y,
        mode="lines",
        line={"color": lane(place)["light"]["line"], **THIN, **({} if dash is None else {"dash": dash})},
        hovertemplate="%{y:.3g}",
        meta={"of": "all", "role": "trail", "lane": lane(place)["id"], "x": "step", "y": y, **_plain(more)},
    )


def needle(place: int, y: str, **more: Any) -> go.Scatter:
    """A triangle that points at the value."""
    return go.Scatter(
        name=f"{y}, now",
        mode="markers",
        marker={"color": lane(place)["light"]["text"], "symbol": "triangle-left", "size": 12},
        cliponaxis=False,
        hovertemplate="%{y:.3g}",
        meta={"of": "last", "role": "needle", "lane": lane(place)["id"], "x": "step", "y": y, **_plain(more)},
    )


def dots(place: int, y: str, role: str, name: str, *, open_: bool = False, **more: Any) -> go.Scatter:
    """A value each, by rank unless `x` says where; hollow ones are `open_`."""
    colour = lane(place)["light"]["line"]
    return go.Scatter(
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": "circle-open" if open_ else "circle", "size": 7},
        hovertemplate="%{y:.3g}",
        meta={"of": "last", "role": role, "lane": lane(place)["id"], "y": y, **_plain(more)},
    )


def level(figure: go.Figure, y: float, words: str) -> None:
    """A dashed line at a height that is always the same, with words on it."""
    across(figure, "level", y, words, "bottom")


def _plain(more: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in more.items()}
