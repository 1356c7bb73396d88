"""Plotly figures as data: specified once, drawn empty, bound to columns by name.

`figure_json` and `measured_json` are what REST answers; the browser takes the same specification and binds it itself.
"""

from fallline.figures.catalog import FIGURES, MEASURED, figure, figure_json, measured_json
from fallline.figures.theme import lane_looks, plotly_script
from fallline.figures.view import FigureView, RunLine

__all__ = [
    "FIGURES",
    "MEASURED",
    "FigureView",
    "RunLine",
    "figure",
    "figure_json",
    "lane_looks",
    "measured_json",
    "plotly_script",
]
