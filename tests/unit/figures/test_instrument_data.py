"""Figures of instruments: bound by path and filled as in the browser."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from fallline.figures.catalog import FIGURES, INSTRUMENT_FIGURES, instrument_figure_json
from fallline.figures.instrument_data import fill_instrument_figure, values
from fallline.figures.view import FigureView
from fallline.runs.instruments.fall_line import FALL_LINE
from fallline.runs.instruments.table import INSTRUMENTS
from unit.figures import columns_by_hand
from unit.figures.golden_figures import assert_is_golden
from unit.figures.measured_by_hand import measured


def view() -> FigureView:
    return replace(columns_by_hand.view(), classes=("no", "yes"))


def golden(name: str) -> dict[str, object]:
    """Return figure, measurements and filled figure, as the browser's test reads them."""
    answers = measured()[INSTRUMENT_FIGURES[name].instrument]
    return {
        "figure": instrument_figure_json(name, view(), "sgd", []),
        "measured": answers,
        "filled": instrument_figure_json(name, view(), "sgd", answers),
    }


@pytest.mark.parametrize("name", INSTRUMENT_FIGURES)
def test_a_filled_figure_is_the_one_that_the_browser_is_held_to(name: str) -> None:
    assert_is_golden(name, golden(name))


@pytest.mark.parametrize("name", INSTRUMENT_FIGURES)
def test_plotly_loads_it_filled_and_not(name: str) -> None:
    results = measured()[INSTRUMENT_FIGURES[name].instrument]
    for answers in ([], results[-1:]):
        loaded = pio.from_json(json.dumps(instrument_figure_json(name, view(), "gd", answers)))
        assert len(loaded.data) == len(INSTRUMENT_FIGURES[name].make(view(), "a").data)
    assert any(trace.y or "z" in trace for trace in loaded.data)


def test_every_figure_has_a_name_of_its_own_and_an_instrument_that_fills_it() -> None:
    assert not set(FIGURES) & set(INSTRUMENT_FIGURES)
    assert {row.instrument for row in INSTRUMENT_FIGURES.values()} <= {*INSTRUMENTS, FALL_LINE}


def test_points_without_a_value_are_left_out_and_others_are_clipped_to_the_scale() -> None:
    trail, _, needle = fill_instrument_figure(
        INSTRUMENT_FIGURES["alpha"].make(view(), "a"), measured()["alpha"]
    ).data
    assert (trail.x, trail.y) == ((0, 10, 30), (-1.0, 10 / 30 - 1.0, 2.0))
    assert (needle.x, needle.y) == ((30,), (2.0,))
    edge, _ = fill_instrument_figure(
        INSTRUMENT_FIGURES["edge"].make(view(), "a"), measured()["curvature"]
    ).data
    assert edge.x == (10, 30)


def test_a_path_leads_to_each_of_many_to_their_names_or_to_nothing() -> None:
    results = [{"parts": {"W1": {"size": 2.0}, "b1": {"size": 3.0}}, "list": [{"a": 1}, {"a": None}]}]
    assert values("parts.*.size", results) == [2.0, 3.0]
    assert values("parts.@", results) == ["W1", "b1"]
    assert values("list.*.a", results) == [1, None]
    assert values("list.@", results) == [1, 2]
    assert values("nowhere.at.all", results) == [None]


def test_ranks_signs_middles_and_names_of_ticks() -> None:
    figure = go.Figure(
        [
            go.Scatter(meta={"of": "last", "y": "values", "sign": 1}),
            go.Scatter(meta={"of": "last", "y": "values", "sign": -1}),
            go.Bar(meta={"of": "last", "x": "edges", "y": "counts", "between": True}),
            go.Heatmap(meta={"of": "last", "x": "edges", "z": "grid"}),
        ],
        {"meta": {"names": {"xaxis": "names"}}},
    )
    result = {"values": [3.0, 0.0, -2.0], "edges": [0.0, 1.0, 3.0], "counts": [4, 5], "grid": [[1, None]]}
    plus, minus, bars, grid = (
        filled := fill_instrument_figure(figure, [{**result, "names": ["W1", "b1"]}])
    ).data
    assert (plus.x, plus.y, minus.x, minus.y) == ((1,), (3.0,), (3,), (2.0,))
    assert (bars.x, bars.y) == ((0.5, 2.0), (4, 5))
    assert (list(grid.x), [list(row) for row in grid.z]) == ([0.0, 1.0, 3.0], [[1, None]])
    assert (filled.layout.xaxis.tickvals, filled.layout.xaxis.ticktext) == ((1, 2), ("W1", "b1"))


def test_an_empty_cell_of_a_matrix_is_paper_and_the_fullest_is_ink() -> None:
    """The template's middle is for signs: with it a cell without samples was half dark."""
    figure = INSTRUMENT_FIGURES["confusion"].make(view(), "a")
    for counts, most in (([[3, 0], [1, 9]], 9), ([[0, 0], [0, 0]], 1), (None, 1)):
        (cells,) = fill_instrument_figure(figure, [{"counts": counts, "classes": ["a", "b"]}]).data
        assert (cells.zmin, cells.zmax) == (0, most)


def test_a_decision_map_has_a_line_between_classes_and_the_shapes_of_the_large_map() -> None:
    """Two saturated colours without a line were told apart by their hue only."""
    of = replace(view(), classes=tuple("abcdef"))
    ground, border, *samples = INSTRUMENT_FIGURES["decision"].make(of, "a").data
    assert [trace.marker.symbol for trace in samples] == [
        "circle", "triangle-up-open", "square", "diamond-open", "x", "circle-open"
    ]  # fmt: skip
    lines = np.arange(border.contours.start, border.contours.end + 1e-9, border.contours.size)
    np.testing.assert_allclose(lines, [0.1, 0.3, 0.5, 0.7, 0.9], err_msg="between the scores of the classes")
    assert (border.contours.coloring, border.meta["z"]) == ("none", ground.meta["z"])
    shades = [colour for _, colour in ground.colorscale]
    assert shades[0::2] == shades[1::2]
    assert len(set(shades)) == 6
    two = replace(of, classes=("no", "yes"))
    ground, border, *_ = INSTRUMENT_FIGURES["decision"].make(two, "a").data
    assert [colour for _, colour in ground.colorscale] == ["#E4EBF3", "#FFFFFF", "#F8E9CC"]
    assert (border.contours.start, border.contours.end) == (0.5, 0.5)
