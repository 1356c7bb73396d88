"""Figures of histories: bound by name and filled as in the browser."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import plotly.io as pio
import pytest

from fallline.figures.binding import DEPTH, LOWER_EDGE, UPPER_EDGE, ZeroBandScale, fill, middles, tick_text
from fallline.figures.catalog import FIGURES, figure, figure_json, specification_json
from fallline.figures.view import FigureView, RunLine
from unit.figures.columns_by_hand import buckets, view
from unit.figures.golden_figures import assert_is_golden


def golden(name: str) -> dict[str, object]:
    """Return figure, columns and filled figure, as the browser's test reads them."""
    of = view()
    return {
        "figure": json.loads(FIGURES[name](of).to_json()),
        "columns": {run.name: run.buckets.as_json(1) for run in of.runs},
        "train_samples": of.train_samples,
        "filled": figure_json(name, of),
    }


@pytest.mark.parametrize("name", FIGURES)
def test_a_filled_figure_is_the_one_that_the_browser_is_held_to(name: str) -> None:
    assert_is_golden(name, golden(name))


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_loads_the_figures_of_the_server(name: str) -> None:
    loaded = pio.from_json(json.dumps(figure_json(name, view())))
    assert len(loaded.data) == len(figure(name, view()).data)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_without_a_single_step_is_drawn_empty(name: str) -> None:
    of = view()
    none = buckets(1, 1, 1).part(slice(0, 0))
    runs = tuple(RunLine(run.name, run.label, none, run.lane) for run in of.runs)
    empty = figure(name, FigureView(runs, of.shapes, of.train_samples, of.has_test, of.baseline))
    assert all(not trace.x for trace in empty.data)


@pytest.mark.parametrize("name", FIGURES)
def test_a_specification_is_the_figure_without_data_and_is_made_once_for_a_class(name: str) -> None:
    of = view()
    bare = specification_json(name, of)
    assert bare == json.loads(FIGURES[name](of).to_json())
    assert bare is specification_json(name, view(at_most=8)), "data and edits do not matter"
    for other in (replace(of, runs=of.runs[:1]), replace(of, shapes=of.shapes[:1], baseline=0.5)):
        assert specification_json(name, other) != bare


def test_every_trace_names_the_run_series_and_statistic_that_it_wants() -> None:
    for name, make in FIGURES.items():
        for trace in make(view()).data:
            assert trace.meta["run"] in ("gd", "sgd"), name
            assert trace.meta["stat"] in ("min", "max", "mean")
            assert trace.meta["x"] == "step"


def test_filling_leaves_the_specification_as_it_was() -> None:
    of = view()
    empty = FIGURES["gradients"](of)
    before = empty.to_json()
    fill(empty, {run.name: run.buckets for run in of.runs}, 900)
    assert empty.to_json() == before


def test_points_without_a_value_are_left_out_so_that_the_line_continues() -> None:
    of = view(at_most=1000)
    train = next(t for t in figure("loss", of).data if t.meta["run"] == "sgd" and t.meta["role"] == "train")
    assert [x for x in train.x if x >= 64] == list(range(64, 150, 2))


def test_a_band_reaches_from_the_least_to_the_greatest_value_of_each_bucket() -> None:
    upper, lower = figure("loss", view(at_most=8)).data[:2]
    assert (upper.meta["stat"], lower.meta["stat"], lower.fill) == ("max", "min", "tonexty")
    assert all(high >= low for high, low in zip(upper.y, lower.y, strict=True))
    assert any(high > low for high, low in zip(upper.y, lower.y, strict=True))


def test_a_record_is_where_its_step_begins_and_a_bucket_in_the_middle_of_its_records() -> None:
    single = buckets(8, 900, 100)
    assert middles(single, "step", 900).tolist() == list(range(8))
    assert middles(single, "samples_seen", 900).tolist() == [900 * k for k in range(8)]
    assert middles(single, "epoch", 900).tolist() == list(range(8))
    assert middles(buckets(8, 900, 2), "step", 900).tolist() == [1.5, 5.5]
    np.testing.assert_allclose(middles(single, "seconds", 900), [k * 1e-4 for k in range(8)])


def test_exactly_zero_is_in_the_band_and_the_smallest_positive_value_is_not() -> None:
    scale = ZeroBandScale(-4, 3)
    placed = scale.place(np.array([0.0, 0.0, 1e-9, 0.5]), np.array([0.0, 2.0, 1e-9, 0.5]))
    assert placed.tolist() == [1e-4 * DEPTH, 1e-4, 1e-4, 0.5]


def test_a_loss_of_exactly_zero_is_in_the_band_and_otherwise_there_is_no_band() -> None:
    of = view()
    filled = figure("loss", of)
    train = next(t for t in filled.data if t.meta["run"] == "sgd" and t.meta["role"] == "train")
    assert train.y[-1] == pytest.approx(0.1 * DEPTH)  # the smallest loss above 0 is 0.12
    assert (filled.layout.yaxis.ticktext[0], filled.layout.yaxis.tickvals[0]) == ("0", train.y[-1])
    assert filled.layout.shapes[0].visible
    learns = FigureView(of.runs[:1], of.shapes, of.train_samples, of.has_test, of.baseline)
    plain = figure("loss", learns)
    assert (plain.layout.yaxis.range, plain.layout.shapes[0].visible) == (None, False)


def test_the_floor_goes_down_by_decades_and_only_for_values_above_zero() -> None:
    assert ZeroBandScale.over("grad_l1", math.inf, 0.0).floor == -4
    assert ZeroBandScale.over("grad_l1", 2e-7, 1.0).floor == -7
    assert ZeroBandScale.over("ratio", 2e-5, 1.0).floor == -6
    assert ZeroBandScale.over("grad_l1", 1e-4, 1000.0) == ZeroBandScale(-4, 3)
    assert ZeroBandScale.over("grad_l1", 1.0, 1000.1).top == 4
    assert ZeroBandScale.over("loss", 0.03, 12.3) == ZeroBandScale(-2, 2)


def test_the_zero_band_is_at_its_designed_position() -> None:
    assert math.isclose(math.log10(DEPTH), -0.95)
    assert math.isclose(math.log10(UPPER_EDGE), -0.35)
    assert math.isclose(math.log10(LOWER_EDGE), -1.4)


def test_ticks_read_as_people_write_numbers() -> None:
    texts = [tick_text(exponent) for exponent in (-5, -4, -2, 0, 3, 6)]
    assert texts == ["1e\u22125", "1e\u22124", "0.01", "1", "1,000", "1e6"]
