"""Runs of figures and reports have the lanes that the page gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.figures.catalog import figure_json, instrument_figure_json
from fallline.figures.lanes import LANES, lanes_of
from fallline.figures.theme import run_style
from fallline.runs.experiment import Experiment
from fallline.vocabulary.recipe import Recipe

GOLDEN: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "golden" / "lanes.json").read_text())


def methods_of(case: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(each["optimizer"], each["batch_size"]) for each in case["methods"]]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: "".join(case["lanes"]))
def test_each_method_has_the_lane_that_the_page_gives_it(case: dict[str, Any]) -> None:
    assert lanes_of(methods_of(case)) == case["lanes"]


def test_page_and_figures_are_compared_for_every_optimizer() -> None:
    assert {name for case in GOLDEN for name, _ in methods_of(case)} == set(OPTIMIZERS), (
        "add a case with it to tests/golden/lanes.json"
    )


def test_each_lane_has_a_style_and_nine_runs_repeat_one() -> None:
    assert len({run_style(lane)["symbol"] for lane in LANES}) == 8
    assert lanes_of([("sgd", None)] * 9)[8] == "a"


def test_a_run_has_its_lane_by_its_method_in_every_figure_alone_and_among_others() -> None:
    runs = [{"name": "one", "optimizer": "adam"}, {"name": "two"}, {"name": "three", "batch_size": 1}]
    experiment = Experiment("x", Recipe.model_validate({"runs": runs}))
    lanes = {"one": "e", "two": "a", "three": "b"}
    for name in ("loss", "gradients"):
        data = figure_json(name, experiment.figure_view())["data"]
        assert {trace["meta"]["run"]: trace["meta"]["lane"] for trace in data} == lanes
    for run, lane in lanes.items():
        view = experiment.figure_view([run])
        assert {line.lane for line in view.runs} == {lane}
        drawn = [
            trace for trace in instrument_figure_json("edge", view, run, [])["data"] if trace.get("meta")
        ]
        assert {trace["meta"]["lane"] for trace in drawn if "lane" in trace["meta"]} == {lane}
