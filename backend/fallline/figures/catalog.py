"""Which figures there are, by name, and each of them filled for an experiment: with histories, or with a measurement.

Owns the tables. Must not know how a figure is made or filled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from fallline.figures.binding import fill
from fallline.figures.curves import loss
from fallline.figures.gradients import gradients
from fallline.figures.instruments import MEASURED
from fallline.figures.marks import mark
from fallline.figures.measured import fill_measured
from fallline.figures.view import FigureView

__all__ = ["FIGURES", "MEASURED", "figure", "figure_json", "measured_json"]

FIGURES: dict[str, Callable[[FigureView], go.Figure]] = {"loss": loss, "gradients": gradients}


def figure(name: str, view: FigureView) -> go.Figure:
    """The figure of that name (KeyError where there is none), filled with the runs' histories, their edits marked."""
    columns = {run.name: run.buckets for run in view.runs}
    return mark(fill(FIGURES[name](view), columns, view.train_samples), view.runs)


def figure_json(name: str, view: FigureView) -> dict[str, Any]:
    """The same as plain JSON, as `plotly.io.from_json` loads it."""
    return _plain(figure(name, view))


def measured_json(
    name: str, view: FigureView, run: str, measured: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The figure of an instrument, filled with what it told of the run, as plain JSON; unfilled for no measurement."""
    place = [line.name for line in view.runs].index(run)
    return _plain(fill_measured(MEASURED[name].make(view, place), measured))


def _plain(drawn: go.Figure) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(drawn.to_json())
    return plain
