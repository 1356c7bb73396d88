"""Figures over two axes: the loss over a plane, and predictions.

They have no data. Must not know how anything is measured.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from fallline.figures.instrument_parts import dots, level, plain_layout, reference, samples
from fallline.figures.theme import run_style, spec, surface
from fallline.figures.view import FigureView

SHAPES = ("circle", "triangle-up", "square", "diamond", "x")
"""Shapes of samples by class, filled and hollow in turn, as on the page's map (frontend/charts/class-looks.ts)."""

SAMPLE = "circle-open"
"""Shape of samples without classes."""

PALE = 0.42
"""Share of a class's colour in its shade, the rest is paper, for more than two classes; also in
frontend/charts/class-looks.ts.
"""


def _ground(name: str, x: str, y: str, heights: str, **contours: Any) -> go.Contour:
    """Contours of the field `heights` over the fields `x` and `y`."""
    return go.Contour(
        name=name,
        colorscale=scale("ink"),
        showscale=False,
        line={"width": 0.5},
        meta={"of": "last", "role": "ground", "scale": "ink", "x": x, "y": y, "z": heights},
        **contours,
    )


def slice_through(view: FigureView, lane: str) -> go.Figure:
    """The loss in powers of ten as contours, with the run's path and its position."""
    figure = go.Figure(layout=plain_layout("along the first direction", "along the second", {}))
    figure.add_trace(_ground("loss, as a power of ten", "s", "t", "heights", ncontours=20))
    figure.add_traces(_way(lane, "way of the run", "path", "here", [0], [0]))
    return figure


def _way(lane: str, name: str, path: str, here: str, x: Any, y: Any) -> list[go.Scatter]:
    """The path of a run, at the fields `s` and `t` of `path`, and its position at `x` and `y`."""
    style, own = run_style(lane), {"of": "last", "lane": lane}
    colours = style["light"]
    return [
        go.Scatter(
            name=name,
            mode="lines+markers",
            line={"color": colours["line"], "width": 1.6},
            marker={"color": colours["line"], "size": 4},
            meta={**own, "role": "way", "x": f"{path}.s", "y": f"{path}.t"},
        ),
        go.Scatter(
            name=here,
            mode="markers",
            marker={"color": colours["text"], "size": 10, "symbol": style["symbol"]},
            meta={**own, "role": "here", "x": x, "y": y},
        ),
    ]


def fall_line(view: FigureView, lane: str) -> go.Figure:
    """The loss over the plane of all runs' paths, four contours a power of ten; the paths, points and start."""
    layout = plain_layout("along the first direction", "along the second", {"scaleanchor": "x"})
    figure = go.Figure(layout=layout)
    quarters = {"autocontour": False, "contours": {"start": -300, "end": 300, "size": 0.25}}
    figure.add_trace(_ground("loss, as a power of ten", "s", "t", "heights", **quarters))
    for number, run in enumerate(view.runs):
        at, path = f"points.{number}", f"path of {run.label}"
        figure.add_traces(_way(run.lane, path, f"{at}.path", run.label, f"{at}.s", f"{at}.t"))
    figure.add_trace(
        go.Scatter(
            name="start",
            mode="markers",
            marker={"color": surface("ink"), "size": 9, "symbol": "circle-open", "line": {"width": 2}},
            meta={"of": "last", "role": "start", "ink": "ink", "x": [0], "y": [0]},
        )
    )
    return figure


def residuals(view: FigureView, lane: str) -> go.Figure:
    """True minus predicted value, by predicted value."""
    figure = go.Figure(layout=plain_layout("predicted", "true − predicted", {}))
    figure.add_trace(dots(lane, "residuals", "residuals", "true − predicted", x="y_pred"))
    figure.data[0].update(marker={"size": 4}, opacity=0.5)
    level(figure, 0.0, "as predicted")
    return figure


def confusion(view: FigureView, lane: str) -> go.Figure:
    """Samples by true class (rows, the first on top) and predicted class (columns)."""
    names = {"meta": {"names": {"xaxis": "classes", "yaxis": "classes"}}}
    figure = go.Figure(layout=plain_layout("predicted", "true", {"autorange": "reversed"}, **names))
    figure.add_trace(
        go.Heatmap(
            name="samples",
            colorscale=scale("ink"),
            showscale=False,
            texttemplate="%{z}",
            xgap=1,
            ygap=1,
            meta={
                "of": "last",
                "role": "counts",
                "scale": "ink",
                "x": "classes.@",
                "y": "classes.@",
                "z": "counts",
            },
        )
    )
    return figure


def metrics(view: FigureView, lane: str) -> go.Figure:
    """Precision, recall, F1 and AUC of each class."""
    names = {"meta": {"names": {"xaxis": "classes.*"}}}
    figure = go.Figure(layout=plain_layout("", "score", {"range": [-0.05, 1.05]}, **names))
    figure.add_traces(
        [
            dots(lane, "per_class.*.precision", "precision", "precision"),
            dots(lane, "per_class.*.recall", "recall", "recall", open_=True),
            dots(lane, "per_class.*.f1", "f1", "F1"),
            dots(lane, "per_class.*.auc", "auc", "AUC", open_=True),
        ]
    )
    for trace, symbol in zip(figure.data[2:], ("diamond", "diamond-open"), strict=True):
        trace.marker.symbol = symbol
    return figure


def calibration(view: FigureView, lane: str) -> go.Figure:
    """Accuracy by confidence, and the line on which both are equal."""
    figure = go.Figure(layout=plain_layout("confidence", "accuracy", {"range": [-0.05, 1.05]}))
    figure.layout.xaxis.range = [0.0, 1.0]
    bins = dots(lane, "bins.*.accuracy", "bins", "accuracy", x="bins.*.confidence")
    figure.add_traces([reference("as sure as right", [0, 1], [0, 1]), bins])
    return figure


def decision(view: FigureView, lane: str) -> go.Figure:
    """The prediction over two inputs, with a line between the classes, and the samples.

    Each class has a shade and a shape. Two classes are the paler the less sure the network is.
    """
    figure = go.Figure(layout=plain_layout("first input", "second input", {}))
    count = max(len(view.classes), 2)
    half = 0.5 / (count - 1)  # scores of neighbouring classes differ by twice as much
    ends = {"zmin": 0, "zmax": 1} if count == 2 else {"zmin": -half, "zmax": 1 + half}
    place = {"x": "x", "y": "y", "z": "score"}
    figure.add_traces(
        [
            go.Heatmap(
                name="predicted",
                colorscale=class_scale(count),
                **ends,
                xgap=0,
                ygap=0,
                showscale=False,
                meta={"of": "last", "role": "ground", "scale": "classes", "classes": count, **place},
            ),
            go.Contour(
                name="border",
                autocontour=False,
                contours={"coloring": "none", "start": half, "end": 1 - half, "size": 2 * half},
                line={"color": surface("ink-2"), "width": 1},
                showscale=False,
                meta={"of": "last", "role": "border", "ink": "ink-2", **place},
            ),
        ]
    )
    for number, name in enumerate(view.classes):
        shape, at = SHAPES[number % len(SHAPES)], f"samples.{number}"
        symbol = f"{shape}-open" if number % 2 else shape
        figure.add_trace(samples(name, symbol, 4, f"{at}.x", f"{at}.y"))
    return figure


def surface_over(view: FigureView, lane: str) -> go.Figure:
    """The predicted value over two inputs as contours, and the training samples in the same colours."""
    figure = go.Figure(layout=plain_layout("first input", "second input", {}))
    figure.add_traces(
        [
            _ground("predicted", "x", "y", "predicted", ncontours=20),
            samples("training samples", SAMPLE, 4, "samples.x", "samples.y"),
        ]
    )
    return figure


def fit(view: FigureView, lane: str) -> go.Figure:
    """The prediction over the only input, and the samples: filled to train, hollow to test."""
    figure = go.Figure(layout=plain_layout("input", "predicted", {}))
    for split, symbol in (("train", "circle"), ("test", "circle-open")):
        figure.add_trace(samples(split, symbol, 5, f"{split}.x", f"{split}.y", opacity=0.5))
    figure.add_trace(
        go.Scatter(
            name="predicted",
            mode="lines",
            line={"color": run_style(lane)["light"]["line"], "width": 2.4},
            meta={"of": "last", "role": "curve", "lane": lane, "x": "x", "y": "y_pred"},
        )
    )
    return figure


def scale(name: str) -> list[list[Any]]:
    """Return a colour scale: paper to ink, or negative over paper to positive."""
    if name == "ink":
        return [[0, surface("paper")], [1, surface("ctl")]]
    sign = spec()["fallline"]["sign"]["light"]
    return [[0, sign["neg"]], [0.5, surface("paper")], [1, sign["pos"]]]


def class_scale(count: int) -> list[list[Any]]:
    """Return the shades of classes: of two from side to side over paper, of more a band each."""
    if count == 2:
        first, second = spec()["fallline"]["sides"]["light"]
        return [[0, first], [0.5, surface("paper")], [1, second]]
    colours = spec()["fallline"]["classes"]["light"]
    shades = [_pale(colours[place % len(colours)]) for place in range(count)]
    return [[(place + end) / count, shade] for place, shade in enumerate(shades) for end in (0, 1)]


def _pale(colour: str) -> str:
    """Mix a colour into paper."""
    parts = (
        round(low + PALE * (high - low))
        for low, high in zip(bytes.fromhex(surface("paper")[1:]), bytes.fromhex(colour[1:]), strict=True)
    )
    return "#" + bytes(parts).hex().upper()
