"""All figures by name, filled with histories or with a measurement.

Owns the tables. Must not know how a figure is made or filled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from fallline.figures.binding import fill
from fallline.figures.histories import gradients, loss
from fallline.figures.instrument_data import fill_instrument_figure
from fallline.figures.instruments import INSTRUMENT_FIGURES
from fallline.figures.marks import mark
from fallline.figures.view import FigureView
from fallline.vocabulary.columns import Buckets

__all__ = [
    "FIGURES",
    "INSTRUMENT_FIGURES",
    "figure",
    "figure_json",
    "instrument_figure_json",
    "specification_json",
]

FIGURES: dict[str, Callable[[FigureView], go.Figure]] = {"loss": loss, "gradients": gradients}


def figure(name: str, view: FigureView) -> go.Figure:
    """Return a figure filled with the runs' histories and marked edits.

    Raises KeyError for an unknown name.
    """
    columns = {run.name: run.buckets for run in view.runs}
    return mark(fill(FIGURES[name](view), columns, view.train_samples), view.runs)


def figure_json(name: str, view: FigureView) -> dict[str, Any]:
    """Return the figure as plain JSON for `plotly.io.from_json`."""
    return _plain(figure(name, view))


NO_DATA = Buckets.empty(())

MOST_SPECIFICATIONS = 32
"""Specifications in memory, of 20 to 60 kB: a class opens one exhibit, and Plotly takes 13 ms to make both."""


def specification_json(name: str, view: FigureView) -> dict[str, Any]:
    """Return the figure without data as plain JSON, which must not be changed: it is shared.

    Raises KeyError for an unknown name.
    """
    runs = (replace(run, buckets=NO_DATA, edits=()) for run in view.runs)
    return _specification(name, replace(view, runs=tuple(runs)))


@lru_cache(MOST_SPECIFICATIONS)
def _specification(name: str, view: FigureView) -> dict[str, Any]:
    return _plain(FIGURES[name](view))


def instrument_figure_json(
    name: str, view: FigureView, run: str, measured: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return the figure of an instrument as plain JSON, filled if measured."""
    lane = next(line.lane for line in view.runs if line.name == run)
    return _plain(fill_instrument_figure(INSTRUMENT_FIGURES[name].make(view, lane), measured))


def _plain(figure: go.Figure) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain
