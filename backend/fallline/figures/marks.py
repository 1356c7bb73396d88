"""Edits as marks on the curves of a filled figure, with words on hover.

A mark has the run's colour and shape. Must not know what an edit changes, or which figure it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from fallline.figures.theme import run_style, surface
from fallline.figures.view import RunLine

ON = frozenset(("train", "line"))
"""The roles of the curves that carry marks."""

APART = 1 / 200
"""Smallest distance of two marks as a part of the run's length. Closer marks are left out."""


def mark(figure: go.Figure, runs: tuple[RunLine, ...]) -> go.Figure:
    """Return the figure with marks for edits on each curve of these runs."""
    edited = {run.name: run for run in runs if run.edits}
    if not edited:
        return figure
    curves = [trace for trace in figure.data if trace.meta and trace.meta.get("role") in ON]
    marked = go.Figure(figure)
    for curve in curves:
        if curve.meta["run"] in edited and len(curve.x):
            marked.add_trace(_marks(curve, edited[curve.meta["run"]]))
    return marked


def _marks(curve: go.Scatter, run: RunLine) -> go.Scatter:
    """Return the marks of one curve, at the steps of the edits."""
    at, words = _apart(run.edits, float(curve.x[-1]) * APART)
    x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
    style = run_style(run.lane)
    return go.Scatter(
        name=f"{run.label}, edits",
        mode="markers",
        x=at,
        y=y[np.abs(x[:, np.newaxis] - np.array(at)).argmin(axis=0)].tolist(),
        text=words,
        hovertemplate="%{text}<extra></extra>",
        marker={
            "symbol": style["symbol"],
            "size": 9,
            "color": style["light"]["line"],
            "line": {"color": surface("paper"), "width": 1.5},
        },
        showlegend=False,
        xaxis=curve.xaxis,
        yaxis=curve.yaxis,
        meta={"marks": run.name},
    )


def _apart(edits: tuple[tuple[int, str], ...], least: float) -> tuple[list[int], list[str]]:
    at: list[int] = []
    words: list[Any] = []
    for step, text in edits:
        if not at or step - at[-1] >= least:
            at.append(step)
            words.append(text)
    return at, words
