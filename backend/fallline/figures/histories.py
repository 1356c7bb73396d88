"""The loss figure and the gradients figure, without data.

The loss figure has the loss of every run by step, and that without inputs. A loss of exactly 0 is in a separate band,
which is there only if needed. The gradients figure has the size of the weights' gradient, layer by layer. Each panel
has a log axis with a band for exactly 0. `binding` places the bands, because their position depends on the data.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from fallline.figures.theme import stroke, template
from fallline.figures.traces import across, axis_suffix, band, line, panels, zero_band
from fallline.figures.view import FigureView, RunLine


def loss(view: FigureView) -> go.Figure:
    """Return the loss figure without data.

    Each run has a band, a dashed test line and a train line.
    """
    figure = go.Figure(layout=_loss_layout())
    for run in view.runs:
        figure.add_traces(_run(run, view.has_test))
    _baseline(figure, view.baseline, view.baseline_words)
    return figure


def _run(run: RunLine, has_test: bool) -> list[go.Scatter]:
    train, test = stroke("train"), stroke("test")
    traces = band(run, "train_loss")
    if has_test:
        traces.append(line(run, "test", "test_loss", f"{run.label} test", test, opacity=0.85))
    traces.append(line(run, "train", "train_loss", f"{run.label} train", train))
    return traces


def _loss_layout() -> dict[str, Any]:
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


# ---------------------------------------------------------------------- gradients

MEASURE = "grad_l1"
"""The notebook's measure, sum |dW|; the dashboard binds the others by their names."""

STROKE = {"width": 1.6}


def gradients(view: FigureView) -> go.Figure:
    """Return the gradients figure without data.

    Each layer has a panel with a band and a line for each run.
    """
    figure = go.Figure(layout=_gradients_layout(view))
    for run in view.runs:
        for layer in range(1, len(view.shapes) + 1):
            series, axes = f"{MEASURE}/W{layer}", _axes(layer)
            first = layer == 1
            figure.add_traces(band(run, series, **axes))
            figure.add_trace(
                line(
                    run,
                    "line",
                    series,
                    run.label,
                    STROKE,
                    legendgroup=run.name,
                    showlegend=first,
                    **axes,
                )
            )
    return figure


def _axes(layer: int) -> dict[str, str]:
    suffix = axis_suffix(layer)
    return {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}


def _gradients_layout(view: FigureView) -> dict[str, Any]:
    layers = len(view.shapes)
    layout: dict[str, Any] = {
        "template": template(),
        "showlegend": True,
        "margin": {"l": 60, "r": 24, "t": 30, "b": 46},
        "hovermode": "x",
        "shapes": [zero_band(**_axes(layer)) for layer in range(1, layers + 1)],
        "annotations": [_title(layer, shape) for layer, shape in enumerate(view.shapes, start=1)],
        "meta": {"shelf": {"measure": MEASURE}},
    }
    for suffix, domain in panels(layers):
        layout[f"xaxis{suffix}"] = {
            "domain": domain,
            "anchor": f"y{suffix}",
            "nticks": 5,
            "tickformat": ",d",
            "rangemode": "tozero",
        }
        layout[f"yaxis{suffix}"] = {
            "type": "log",
            "anchor": f"x{suffix}",
            "matches": "y" if suffix else None,
            "showticklabels": not suffix,
        }
    return layout


def _title(layer: int, shape: tuple[int, int]) -> dict[str, Any]:
    axes = _axes(layer)
    return {
        "text": f"<b>W{layer}</b> {shape[0]} × {shape[1]}",
        "xref": f"{axes['xaxis']} domain",
        "yref": f"{axes['yaxis']} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
    }
