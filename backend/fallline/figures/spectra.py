"""Figures of many numbers at one step, such as eigenvalues.

They have no data. Must not know how anything is measured.
"""

from __future__ import annotations

import plotly.graph_objects as go

from fallline.figures.instrument_parts import dots, level, plain_layout, reference
from fallline.figures.theme import run_style
from fallline.figures.traces import axis_suffix, panels
from fallline.figures.view import FigureView

NAMES = {"meta": {"names": {"xaxis": "parameters.@"}}}


def spectrum(view: FigureView, lane: str) -> go.Figure:
    """Eigenvalues by rank on a log axis, and their limit as a line.

    Hollow dots show the size of negative ones.
    """
    figure = go.Figure(layout=plain_layout("rank", "|eigenvalue|", {"type": "log"}))
    figure.add_traces(
        [
            reference("limit", [1, "eigenvalues.#"], ["limit", "limit"]),
            dots(lane, "eigenvalues", "positive", "above 0", sign=1),
            dots(lane, "eigenvalues", "negative", "below 0, its size", open_=True, sign=-1),
        ]
    )
    return figure


def histogram(view: FigureView, lane: str) -> go.Figure:
    """One panel per layer: a histogram of the entries of dW in twenty bars."""
    layers = len(view.shapes)
    layout = plain_layout("entry of dW", "entries", {}, bargap=0)
    layout["meta"] = {"panels": [f"dW{layer}" for layer in range(1, layers + 1)]}
    for suffix, domain in panels(layers):
        across, down = f"xaxis{suffix}", f"yaxis{suffix}"
        layout[across] = {**layout.get(across, {}), "domain": domain, "anchor": f"y{suffix}", "nticks": 4}
        layout[down] = {**layout.get(down, {}), "anchor": f"x{suffix}", "rangemode": "tozero"}
    return go.Figure([_bars(layer, lane) for layer in range(1, layers + 1)], layout)


def _bars(layer: int, lane: str) -> go.Bar:
    suffix = axis_suffix(layer)
    return go.Bar(
        name=f"dW{layer}",
        marker={"color": run_style(lane)["light"]["line"]},
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        meta={
            "of": "last",
            "role": "bars",
            "lane": lane,
            "x": f"parameters.W{layer}.edges",
            "y": f"parameters.W{layer}.counts",
            "between": True,
        },
    )


def ratios(view: FigureView, lane: str) -> go.Figure:
    """Change over parameter, by norms and by standard deviations.

    The rule of thumb is 1e-3.
    """
    figure = go.Figure(layout=plain_layout("", "change / parameter", {"type": "log"}, **NAMES))
    figure.add_traces(
        [
            dots(lane, "parameters.*.ratio_norm", "norm", "norm(change) / norm(parameter)"),
            dots(lane, "parameters.*.ratio_sd", "sd", "sd(change) / sd(parameter)", open_=True),
        ]
    )
    level(figure, 1e-3, "rule of thumb for sd: 0.001")
    return figure


def cosines(view: FigureView, lane: str) -> go.Figure:
    """Cosine of the gradients over the batch and over all samples, for each parameter."""
    figure = go.Figure(layout=plain_layout("", "cosine", {"range": [-1.05, 1.05]}, **NAMES))
    figure.add_trace(dots(lane, "parameters.*.cosine", "cosine", "cosine"))
    level(figure, 0.0, "at right angles")
    return figure


def layers(view: FigureView, lane: str) -> go.Figure:
    """Squared norm of the mean gradient over the samples' variance, by layer.

    The variance is the trace of the covariance.
    """
    names = {"meta": {"names": {"xaxis": "per_layer.@"}}}
    figure = go.Figure(layout=plain_layout("layer", "signal / noise of one sample", {"type": "log"}, **names))
    figure.add_trace(dots(lane, "per_layer.*.signal_to_noise", "signal", "signal / noise"))
    level(figure, 1.0, "as much signal as noise")
    return figure
