"""The loss figure: the loss of every run by step, and that without inputs.

A loss of exactly 0 is in a separate band, which is there only if needed. Must not know values of columns, or where the
figure is shown.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from fallline.figures.theme import stroke, template
from fallline.figures.traces import across, band, line, zero_band
from fallline.figures.view import FigureView, RunLine


def loss(view: FigureView) -> go.Figure:
    """Return the loss figure without data.

    Each run has a band, a dashed test line and a train line.
    """
    figure = go.Figure(layout=_layout())
    for place, run in enumerate(view.runs):
        figure.add_traces(_run(run, place, view.has_test))
    _baseline(figure, view.baseline, view.baseline_words)
    return figure


def _run(run: RunLine, place: int, has_test: bool) -> list[go.Scatter]:
    train, test = stroke("train"), stroke("test")
    traces = band(run, place, "train_loss")
    if has_test:
        traces.append(line(run, place, "test", "test_loss", f"{run.label} test", test, opacity=0.85))
    traces.append(line(run, place, "train", "train_loss", f"{run.label} train", train))
    return traces


def _layout() -> dict[str, Any]:
    return {
        "template": template(),
        "showlegend": True,
        "xaxis": {"title": {"text": "step"}, "tickformat": ",d", "rangemode": "tozero"},
        "yaxis": {"title": {"text": "loss"}, "type": "log", "dtick": 1},
        "margin": {"l": 60, "r": 24, "t": 26, "b": 46},
        "shapes": [zero_band("x", "y")],
        "meta": {"shelf": {"measure": "loss", "only_for_zero": True}},
    }


def _baseline(figure: go.Figure, loss: float, words: str) -> None:
    across(figure, "baseline", loss, f"{words}: {loss:#.3g}", "top")
