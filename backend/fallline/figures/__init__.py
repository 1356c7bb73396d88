"""Plotly figures as data: specified once, and bound to columns by name.

REST returns `figure_json` and `instrument_figure_json`. The browser binds the same specification itself.
"""
