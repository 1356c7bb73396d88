"""The contents of a report; user input in it is escaped."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fallline.engine.measures.probes import evaluate
from fallline.exports import report_file
from fallline.exports.export_data import ExportData, export_data
from fallline.exports.report.facts import Finding, findings_of, number, race
from fallline.exports.report.words import run_sentence
from fallline.exports.report_file import report_html
from fallline.figures.catalog import figure_json
from fallline.runs.experiment import Experiment
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.words import word_for
from support.clocks import Clock
from support.examined import settle, until_answered

FACE = Path(__file__).parents[3] / "frontend/fonts/inter.woff2"
EVIL = "</script><script>f()</script><img src=x onerror=g()>\"'&"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace Plotly's long script; a browser test uses the real one."""
    monkeypatch.setattr(report_file, "plotly_script", lambda: "'Plotly';")


def trained(steps: int, **recipe: Any) -> Experiment:
    one, clock = Experiment("x", Recipe.model_validate(recipe)), Clock(tick=0.01)
    until_answered(one, clock, lambda done: one.step(clock.now, done, steps=steps))
    settle(one, clock)
    return one


def findings_in(data: ExportData) -> list[Finding]:
    return findings_of(
        data, {run.name: evaluate(data.problem, run.parameters)["train_loss"] for run in data.runs}
    )


class Parts(HTMLParser):
    """The elements and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        (self.scripts if self.cdata_elem == "script" else self.words).append(data)


def test_user_input_is_escaped_everywhere() -> None:
    one = trained(20, runs=[{"name": "gd", "label": EVIL}])
    text = report_html(export_data(one)).decode()
    plain = report_html(export_data(trained(20, runs=[{"name": "gd"}]))).decode()
    parts, others = Parts(text), Parts(plain)
    assert parts.tags == others.tags
    assert {name for name, _ in parts.attributes} == {name for name, _ in others.attributes}
    assert not {name for name, _ in parts.attributes if name.startswith("on")}
    assert sum(EVIL in words for words in parts.words) >= 3


def test_its_figures_equal_those_of_the_server() -> None:
    one = trained(50)
    text = report_html(export_data(one)).decode()
    figures = [json.loads(script) for script in Parts(text).scripts if script.startswith("{")]
    assert figures == [figure_json(name, one.figure_view()) for name in ("loss", "gradients")]


def test_it_loads_nothing_and_runs_its_own_two_scripts_only() -> None:
    parts = Parts(report_html(export_data(trained(5))).decode())
    names = dict(parts.attributes)
    assert not {"src", "href", "srcset", "action"} & names.keys()
    policy = next(
        value for name, value in parts.attributes if name == "content" and value and "default-src" in value
    )
    assert policy.startswith("default-src 'none'; ")
    assert policy.count("sha256-") == 2
    assert not {"connect-src", "unsafe-eval"} & set(policy.split())


def test_it_contains_the_typeface_of_the_page_and_names_no_other_file() -> None:
    text = report_html(export_data(trained(5))).decode()
    (sheet,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert sheet.count("url(") == 1
    (face,) = re.findall(r'"Inter";[^}]* src: url\(data:font/woff2;base64,([A-Za-z0-9+/=]+)\)', sheet)
    assert base64.b64decode(face) == FACE.read_bytes()
    assert re.findall(r"font-src[^;]*", text) == ["font-src data:"]
    (body,) = re.findall(r"body {([^}]*)}", sheet.split("@media")[0])
    assert "font: 15px/1.5 Inter," in body
    assert "font-variant-numeric: tabular-nums" in body


def test_a_report_of_one_run_has_only_that_run() -> None:
    text = report_html(
        export_data(trained(5, runs=[{"label": "Alpha"}, {"label": "Beta"}]), "run-2")
    ).decode()
    assert "Beta" in text
    assert "Alpha" not in text


def test_a_dead_layer_a_diverged_run_and_the_baseline_are_found() -> None:
    never = {"layers": [{"units": 3, "activation": "relu"}], "weights": "zeros", "biases": "zeros"}
    dead = findings_in(export_data(trained(10, network=never, runs=[{"label": "Stuck"}])))
    assert (dead[0].tone, dead[0].title) == ("problem", "Stuck: layer 1 is dead.")
    assert "predicting the mean" in dead[1].title
    assert dead[0].evidence.startswith("3 of 3 units output 0 for all 900 samples since step 0.")
    assert re.search(r" Seen at step [1-9][0-9]*\.", dead[0].evidence)
    wild = findings_in(export_data(trained(10, runs=[{"label": "Wild", "learning_rate": 50}])))
    assert wild[0].title.startswith("Wild diverged at step ")
    assert not [each for each in wild if "predicting" in each.title]
    fine = findings_in(export_data(trained(300, network={"layers": [{"units": 4, "activation": "tanh"}]})))
    assert [each.tone for each in fine if "does better than predicting the mean" in each.title][:1] == [
        "good"
    ]


def test_its_table_has_the_verdict_of_each_run() -> None:
    never = {"layers": [{"units": 3, "activation": "relu"}], "weights": "zeros", "biases": "zeros"}
    data = export_data(trained(10, network=never, runs=[{"label": "Stuck"}]))
    values = {run.name: evaluate(data.problem, run.parameters) for run in data.runs}
    table = race(data, values)
    assert (table.head[-1], table.rows[0][-1]) == ("State", "dead")
    assert word_for("verdicts", "on_the_way") == "on its way"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "full batch, rate 0.1"),
        ({"batch_size": 32, "optimizer": "momentum"}, "batch of 32, momentum 0.9, rate 0.1"),
        ({"batch_size": 1, "optimizer": "rmsprop", "decay": 0.9}, "batch of 1, RMSProp, rate 0.1"),
        (
            {"schedule": "cosine", "l2": 0.001, "clip_norm": 1, "learning_rate": 2e-5},
            "full batch, rate 2e−5, cosine, L2 0.001, clip norm 1",
        ),
    ],
)
def test_a_run_is_described_in_one_line(settings: dict[str, Any], words: str) -> None:
    assert run_sentence(RunRecipe.model_validate(settings).settings) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.04391, "0.0439"),
        (12.34, "12.3"),
        (1284.0, "1.28e+03"),
        (100.0, "100"),
        (-2e-7, "−2.00e−07"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_edits_are_listed_with_their_steps() -> None:
    one = trained(30, runs=[{"label": "Edited"}])
    one.edit("run-1", EditRun.model_validate({"batch_size": 8}), 0.0)
    words = " ".join(Parts(report_html(export_data(one)).decode()).words)
    assert "Edits while training" in words
    assert "GD → mini-batch 8" in words
    assert "Edits while training" not in report_html(export_data(trained(3))).decode()


def figures_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(script) for script in Parts(text).scripts if script.startswith("{")]


def curves(figure: dict[str, Any], role: str) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace.get("meta", {}).get("role") == role]


def test_a_run_alone_has_the_colour_and_shape_that_it_has_among_others() -> None:
    one = trained(5, runs=[{}, {"optimizer": "adam"}, {"label": "Third"}])
    one.edit("run-3", EditRun.model_validate({"batch_size": 8}), 0.0)
    together, alone = [report_html(export_data(one, run)).decode() for run in (None, "run-3")]
    (drawn,) = curves(figures_of(alone)[0], "train")
    assert drawn["line"]["color"] == curves(figures_of(together)[0], "train")[2]["line"]["color"]
    assert drawn["meta"]["lane"] == "g", "the second run of its method at step 0"
    band = curves(figures_of(alone)[0], "band")[1]
    assert band["fillcolor"] == curves(figures_of(together)[0], "band")[5]["fillcolor"]
    row = f'<tr style="--lane:{drawn["line"]["color"]}" data-shape="star">'
    assert alone.count(row) == together.count(row) == 2, "where it stands, and its edit"


def marks_in(figure: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if "marks" in trace.get("meta", {})]


def test_edits_and_forks_are_marked_on_the_curves_in_the_runs_own_colour_and_shape() -> None:
    one = trained(30, runs=[{"label": "A & B"}, {"name": "other"}])
    one.edit("other", EditRun.model_validate({"learning_rate": 0.05}), 0.0)
    one.edit("run-1", EditRun.model_validate({"optimizer": "adam", "learning_rate": 0.01}), 0.0)
    forks: list[Any] = []
    fork = {"name": "fork", "fork_of": "run-1", "at_step": 30, "batch_size": 1}
    one.fork(AddRun.model_validate(fork), 0.0, forks.append)
    assert forks[0]["step"] == 30
    loss, gradients = figures_of(report_html(export_data(one)).decode())
    first, second, third = marks_in(loss)
    assert (first["x"], second["x"], third["x"]) == ([30], [30], [30])
    assert first["text"] == ["A &amp; B, step 30: Adam, rate 0.1 → 0.01"]
    assert second["text"] == ["other, step 30: rate 0.1 → 0.05"]
    assert third["text"] == ["fork, step 30: fork of A &amp; B, GD → SGD"]
    assert [each["marker"]["symbol"] for each in (first, second, third)] == ["circle", "star", "square"]
    for mark, curve in zip((first, second, third), curves(loss, "train"), strict=True):
        assert mark["marker"]["color"] == curve["line"]["color"]
        assert mark["y"] == curve["y"][-1:]
    (alone,) = marks_in(figures_of(report_html(export_data(one, "fork")).decode())[0])
    assert alone["text"] == ["fork, step 30: fork of run-1, GD → SGD"]
    panels = {mark["yaxis"] for mark in marks_in(gradients)}
    assert panels == {"y", "y2", "y3"}
    assert len(marks_in(gradients)) == 9


def test_a_fork_alone_has_the_marks_of_its_parents_past_too() -> None:
    one = trained(20)
    one.edit("gd", EditRun.model_validate({"learning_rate": 0.05}), 0.0)
    until_answered(one, Clock(tick=0.01), lambda done: one.step(0.0, done, steps=10))
    one.fork(AddRun.model_validate({"name": "fork", "fork_of": "gd"}), 0.0, lambda _: None)
    (alone,) = marks_in(figures_of(report_html(export_data(one, "fork")).decode())[0])
    assert alone["x"] == [20, 30]
    both = {
        mark["meta"]["marks"]: mark["x"]
        for mark in marks_in(figures_of(report_html(export_data(one)).decode())[0])
    }
    assert both == {"gd": [20], "fork": [30]}


def test_an_edit_that_is_yet_to_come_is_in_the_table_and_on_no_curve() -> None:
    one = trained(10, runs=[{"edits": [{"at_step": 5, "order": "sequential"}, {"at_step": 50, "l1": 0.01}]}])
    text = report_html(export_data(one)).decode()
    assert [mark["x"] for mark in marks_in(figures_of(text)[0])] == [[5]]
    words = " ".join(Parts(text).words)
    assert "in order" in words
    assert "L1 0.01" in words


def test_a_thousand_edits_leave_a_figure_that_can_be_drawn() -> None:
    edits = [{"at_step": step, "learning_rate": 0.001 + step * 1e-6} for step in range(1000)]
    one = trained(1000, data={"samples": 20}, runs=[{"edits": edits}])
    (mark,) = marks_in(figures_of(report_html(export_data(one)).decode())[0])
    assert 150 < len(mark["x"]) <= 201
    assert len(mark["x"]) == len(mark["y"]) == len(mark["text"])
