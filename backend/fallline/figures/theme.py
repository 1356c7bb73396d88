"""Colours, strokes and the Plotly template, from a file shared with the page.

Must not know any figure.
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
    """Return the whole file.

    `light` and `dark` are Plotly templates, `fallline` has everything else.
    """
    loaded: dict[str, Any] = json.loads(
        resources.files(__package__).joinpath(TEMPLATE_FILE).read_text("utf-8")
    )
    return loaded


def template(theme: str = "light") -> go.layout.Template:
    """Return the template of a theme, `light` or `dark`."""
    return go.layout.Template(spec()[theme])


def run_style(lane: str) -> dict[str, Any]:
    """Return colour and shape of a lane.

    The form is `{id, symbol, light: {line, text, band}, dark: ...}`.
    """
    return _lanes()[lane]


@cache
def _lanes() -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in spec()["fallline"]["lanes"]}


def stroke(name: str) -> dict[str, Any]:
    """Return the stroke of `train`, `test` or `baseline`."""
    style: dict[str, Any] = spec()["fallline"][name]
    return style


def surface(name: str, theme: str = "light") -> str:
    """Return a colour of the page by its token: `rail`, `ink-3`, ..."""
    colour: str = spec()["fallline"]["surfaces"][theme][name]
    return colour


def plotly_script() -> str:
    """Return Plotly's script (4.8 MB) from the package, to match the figures."""
    return resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")
