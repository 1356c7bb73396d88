"""Colours, strokes and the Plotly template, read from the one file that the browser reads too.

Owns looks. Must not know what is drawn with them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import plotly.graph_objects as go

TEMPLATE_FILE = "plotly-template.json"


@cache
def spec() -> dict[str, Any]:
    """The whole file: `light` and `dark` are Plotly templates, `fallline` holds what Plotly has no place for."""
    loaded: dict[str, Any] = json.loads(
        resources.files(__package__).joinpath(TEMPLATE_FILE).read_text("utf-8")
    )
    return loaded


def template(theme: str = "light") -> go.layout.Template:
    """The template of a theme, `light` or `dark`."""
    return go.layout.Template(spec()[theme])


def lane(place: int) -> dict[str, Any]:
    """Colour and shape of the run at this place, `{id, symbol, light: {line, text, band}, dark: ...}`."""
    lanes: list[dict[str, Any]] = spec()["fallline"]["lanes"]
    return lanes[place % len(lanes)]


def lane_looks(theme: str = "light") -> list[tuple[str, str]]:
    """The runs' colours and shapes in order, for what stands beside a figure."""
    return [(each[theme]["line"], each["symbol"]) for each in spec()["fallline"]["lanes"]]


def stroke(name: str) -> dict[str, Any]:
    """How `train`, `test` or `baseline` is drawn."""
    found: dict[str, Any] = spec()["fallline"][name]
    return found


def surface(name: str, theme: str = "light") -> str:
    """A colour of the page by its token's name, `rail`, `ink-3`, ..."""
    found: str = spec()["fallline"]["surfaces"][theme][name]
    return found


def plotly_script() -> str:
    """Plotly's own script out of the installed package, 4.8 MB, so that figure and script always match."""
    return resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")
