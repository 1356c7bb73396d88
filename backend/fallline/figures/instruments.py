"""The instruments' figures, without data.

The `meta` of each trace names the values that fill it.

`INSTRUMENT_FIGURES` has the instrument and the maker of each figure. Must not know how anything is measured or filled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go

from fallline.figures.instrument_parts import curve, level, plain_layout, pointer, reference
from fallline.figures.planes import (
    calibration,
    confusion,
    decision,
    fall_line,
    fit,
    metrics,
    residuals,
    slice_through,
    surface_over,
)
from fallline.figures.spectra import cosines, histogram, layers, ratios, spectrum
from fallline.figures.theme import run_style, stroke
from fallline.figures.view import FigureView

EDGE = [0.0, 2.0]
STEPS_LONG = [-1.5, 2.0]


@dataclass(frozen=True, slots=True)
class InstrumentFigure:
    """A row: the instrument, a line of help, and the maker of the figure."""

    instrument: str
    help: str
    make: Callable[[FigureView, str], go.Figure]


def _edge(view: FigureView, lane: str) -> go.Figure:
    """Sharpness over its limit: a curve, and a pointer at the last value."""
    return _over_limit(lane, "sharpness / limit")


def _batch_edge(view: FigureView, lane: str) -> go.Figure:
    """The same for the batch sharpness."""
    return _over_limit(lane, "batch sharpness / limit")


def _over_limit(lane: str, words: str) -> go.Figure:
    figure = go.Figure(layout=plain_layout("step", words, {"range": EDGE}))
    figure.add_traces([curve(lane, "edge", clip=EDGE), pointer(lane, "edge", clip=EDGE)])
    level(figure, 1.0, "edge of stability")
    return figure


def _alpha(view: FigureView, lane: str) -> go.Figure:
    """Step length over all samples and over the batch, with a pointer."""
    figure = go.Figure(layout=plain_layout("step", "step length alpha", {"range": STEPS_LONG}))
    figure.add_traces(
        [
            curve(lane, "batch.alpha", clip=STEPS_LONG),
            curve(lane, "train.alpha", clip=STEPS_LONG, dash=stroke("test")["dash"]),
            pointer(lane, "batch.alpha", clip=STEPS_LONG),
        ]
    )
    level(figure, -1.0, "no step; below: lowest point behind")
    level(figure, 0.0, "lowest point")
    level(figure, 1.0, "same height behind it")
    return figure


def _noise(view: FigureView, lane: str) -> go.Figure:
    """The noise scale as a batch size, beside the batch size in force."""
    figure = go.Figure(layout=plain_layout("step", "noise / signal, as a batch size", {"type": "log"}))
    size = reference("batch size in force", "step", "batch_size", of="all")
    figure.add_traces([size, curve(lane, "noise_scale"), pointer(lane, "noise_scale")])
    return figure


def _cosine(view: FigureView, lane: str) -> go.Figure:
    """Cosine of the angle between the gradients of the batch and of all samples."""
    figure = go.Figure(layout=plain_layout("step", "cosine", {"range": [-1.05, 1.05]}))
    figure.add_traces([curve(lane, "cosine"), pointer(lane, "cosine")])
    level(figure, 0.0, "at right angles")
    return figure


def _along(view: FigureView, lane: str) -> go.Figure:
    """The loss along the change, over all samples and over the batch.

    It also shows the parabola, and the end of the change.
    """
    figure = go.Figure(layout=plain_layout("changes from here", "loss that is descended", {}))
    colours = run_style(lane)["light"]
    own = {"of": "last", "lane": lane, "x": "places"}
    figure.add_traces(
        [
            reference("parabola of the batch", "places", "batch.fit", role="parabola"),
            go.Scatter(
                name="over the batch",
                mode="lines",
                line={"color": colours["line"], **stroke("test")},
                meta={**own, "role": "batch", "y": "batch.curve"},
            ),
            go.Scatter(
                name="over all training samples",
                mode="lines",
                line={"color": colours["line"], **stroke("train")},
                meta={**own, "role": "train", "y": "train.curve"},
            ),
            go.Scatter(
                name="before and after",
                mode="markers",
                marker={"color": colours["text"], "symbol": "circle", "size": 8},
                meta={**own, "role": "ends", "x": [0, 1], "y": "train.losses"},
            ),
        ]
    )
    return figure


INSTRUMENT_FIGURES: dict[str, InstrumentFigure] = {
    "edge": InstrumentFigure("curvature", "sharpness over its limit, with a pointer", _edge),
    "batch_edge": InstrumentFigure(
        "batch_sharpness", "batch sharpness over its limit, with a pointer", _batch_edge
    ),
    "alpha": InstrumentFigure("alpha", "length of the next change, with a pointer", _alpha),
    "noise": InstrumentFigure("noise", "noise over signal as a batch size, beside the one in force", _noise),
    "along": InstrumentFigure("along", "the loss along the line of the next change", _along),
    "spectrum": InstrumentFigure("curvature", "eigenvalues of the Hessian by rank", spectrum),
    "histogram": InstrumentFigure("gradients", "distribution of the entries of each gradient", histogram),
    "ratios": InstrumentFigure("gradients", "update over weight, by both definitions", ratios),
    "cosine": InstrumentFigure("gradients", "cosine of batch and full gradient, with a pointer", _cosine),
    "cosines": InstrumentFigure("gradients", "cosine of batch and full gradient for each parameter", cosines),
    "layers": InstrumentFigure("noise", "signal over noise, layer by layer", layers),
    "slice": InstrumentFigure("slice", "the loss over a plane through the run's path", slice_through),
    "fall_line": InstrumentFigure("fall_line", "the loss over the plane of all runs' paths", fall_line),
    "residuals": InstrumentFigure("residuals", "true minus predicted value, by predicted value", residuals),
    "confusion": InstrumentFigure("confusion", "samples by true and predicted class", confusion),
    "metrics": InstrumentFigure("metrics", "precision, recall, F1 and AUC of each class", metrics),
    "calibration": InstrumentFigure("calibration", "accuracy by confidence", calibration),
    "decision": InstrumentFigure("decision", "prediction over two inputs", decision),
    "surface": InstrumentFigure("surface", "predicted value over two inputs", surface_over),
    "fit": InstrumentFigure("fit", "predicted value over the only input, with the samples", fit),
}
"""By name."""
