"""Which figures there are, by name, and each of them filled for an experiment.

Owns the table. Must not know how a figure is made or filled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

from fallline.figures.binding import fill
from fallline.figures.curves import loss
from fallline.figures.gradients import gradients
from fallline.figures.view import FigureView

FIGURES: dict[str, Callable[[FigureView], go.Figure]] = {"loss": loss, "gradients": gradients}


def figure(name: str, view: FigureView) -> go.Figure:
    """The figure of that name (KeyError where there is none), filled with the runs' histories."""
    columns = {run.name: run.buckets for run in view.runs}
    return fill(FIGURES[name](view), columns, view.train_samples)


def figure_json(name: str, view: FigureView) -> dict[str, Any]:
    """The same as plain JSON, as `plotly.io.from_json` loads it."""
    plain: dict[str, Any] = json.loads(figure(name, view).to_json())
    return plain
