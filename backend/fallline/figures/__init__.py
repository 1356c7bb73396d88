"""Plotly figures as data: specified once, and bound to columns by name.

REST returns `figure_json` and `instrument_figure_json`. The browser binds the same specification itself.
"""

from fallline.figures.catalog import FIGURES, INSTRUMENT_FIGURES, figure, figure_json, instrument_figure_json
from fallline.figures.theme import plotly_script, run_styles
from fallline.figures.view import FigureView, RunLine

__all__ = [
    "FIGURES",
    "INSTRUMENT_FIGURES",
    "FigureView",
    "RunLine",
    "figure",
    "figure_json",
    "instrument_figure_json",
    "plotly_script",
    "run_styles",
]
