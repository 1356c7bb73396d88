"""What the instruments' figures are made of: one for each view of a measurement, unfilled, each trace saying what it
wants.

`MEASURED` is the table: name -> which instrument fills it, and how it is made for a run. Must not know how anything is
measured or filled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go

from fallline.figures.instrument_parts import level, needle, plain_layout, trail
from fallline.figures.planes import confusion, decision, residuals, slice_through
from fallline.figures.spectra import cosines, histogram, layers, ratios, spectrum
from fallline.figures.theme import lane, stroke, surface
from fallline.figures.view import FigureView

EDGE = (0.0, 2.0)
STEPS_LONG = (-1.5, 2.0)


@dataclass(frozen=True, slots=True)
class MeasuredFigure:
    """A row: the instrument that fills it, what it shows in a line, and its making for the run at a place."""

    instrument: str
    help: str
    make: Callable[[FigureView, int], go.Figure]


def _edge(view: FigureView, place: int) -> go.Figure:
    """Sharpness over its limit: the trail of what was measured, and a needle at the last."""
    figure = go.Figure(layout=plain_layout("step", "sharpness / limit", {"range": list(EDGE)}))
    figure.add_traces([trail(place, "edge", clip=EDGE), needle(place, "edge", clip=EDGE)])
    level(figure, 1.0, "edge of stability")
    return figure


def _alpha(view: FigureView, place: int) -> go.Figure:
    """The step length over all samples as a trail, over the batch as thin one and needle."""
    figure = go.Figure(layout=plain_layout("step", "step length alpha", {"range": list(STEPS_LONG)}))
    figure.add_traces(
        [
            trail(place, "batch.alpha", clip=STEPS_LONG),
            trail(place, "train.alpha", clip=STEPS_LONG, dash=stroke("test")["dash"]),
            needle(place, "batch.alpha", clip=STEPS_LONG),
        ]
    )
    level(figure, 0.0, "lowest point")
    level(figure, 1.0, "same height behind it")
    return figure


def _noise(view: FigureView, place: int) -> go.Figure:
    """The noise scale, a batch size, beside that in force."""
    figure = go.Figure(layout=plain_layout("step", "noise / signal, as a batch size", {"type": "log"}))
    size = go.Scatter(
        name="batch size in force",
        mode="lines",
        line={"color": surface("ink-3"), "dash": stroke("baseline")["dash"], "width": 1.2},
        meta={"of": "all", "role": "limit", "ink": "ink-3", "x": "step", "y": "batch_size"},
    )
    figure.add_traces([size, trail(place, "noise_scale"), needle(place, "noise_scale")])
    return figure


def _cosine(view: FigureView, place: int) -> go.Figure:
    """Of the angle between the gradient of the batch and that of all samples."""
    figure = go.Figure(layout=plain_layout("step", "cosine", {"range": [-1.05, 1.05]}))
    figure.add_traces([trail(place, "cosine"), needle(place, "cosine")])
    level(figure, 0.0, "at right angles")
    return figure


def _along(view: FigureView, place: int) -> go.Figure:
    """The loss along the change, over all samples and over the batch, the parabola, and where the change ends."""
    figure = go.Figure(layout=plain_layout("changes from here", "loss that is descended", {}))
    colours = lane(place)["light"]
    own = {"of": "last", "lane": lane(place)["id"], "x": "places"}
    figure.add_traces(
        [
            go.Scatter(
                name="parabola of the batch",
                mode="lines",
                line={"color": surface("ink-3"), "width": 1.2, "dash": stroke("baseline")["dash"]},
                meta={"of": "last", "role": "parabola", "ink": "ink-3", "x": "places", "y": "batch.fit"},
            ),
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


MEASURED: dict[str, MeasuredFigure] = {
    "edge": MeasuredFigure("curvature", "sharpness over its limit, with a needle", _edge),
    "alpha": MeasuredFigure("alpha", "how long the next change is, with a needle", _alpha),
    "noise": MeasuredFigure("noise", "noise over signal as a batch size, beside that in force", _noise),
    "along": MeasuredFigure("along", "the loss along the line of the next change", _along),
    "spectrum": MeasuredFigure("curvature", "eigenvalues of the Hessian by rank", spectrum),
    "histogram": MeasuredFigure("gradients", "how the entries of each gradient are spread", histogram),
    "ratios": MeasuredFigure("gradients", "update over weight, by both definitions", ratios),
    "cosine": MeasuredFigure("gradients", "the batch's gradient beside the full one, with a needle", _cosine),
    "cosines": MeasuredFigure("gradients", "the same, of each parameter", cosines),
    "layers": MeasuredFigure("noise", "signal over noise, layer by layer", layers),
    "slice": MeasuredFigure("slice", "the loss over a plane through the run's way", slice_through),
    "residuals": MeasuredFigure("residuals", "true less predicted, by what was predicted", residuals),
    "confusion": MeasuredFigure("confusion", "which class was taken for which", confusion),
    "decision": MeasuredFigure("decision", "what would be predicted over two inputs", decision),
}
"""By name."""
