"""What a report finds, and that nothing which people typed becomes a part of its page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from fallline.engine.evaluation import evaluate
from fallline.exports import report_file
from fallline.exports.report.facts import how, number
from fallline.exports.report.findings import Finding, findings_of
from fallline.exports.report_file import report_html
from fallline.exports.taken import Taken, taken
from fallline.figures import figure_json
from fallline.runs.experiment import Experiment
from fallline.vocabulary.commands import EditRun
from fallline.vocabulary.recipe import Recipe, RunRecipe
from support.clocks import Clock

EVIL = "</script><script>f()</script><img src=x onerror=g()>\"'&"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plotly itself takes long to be read through; a test in a browser has it."""
    monkeypatch.setattr(report_file, "plotly_script", lambda: "'Plotly';")


def trained(steps: int, **recipe: Any) -> Experiment:
    one, clock, answers = Experiment("x", Recipe.model_validate(recipe)), Clock(tick=0.01), []
    one.step(clock.now, answers.append, steps=steps)
    while not answers:
        one.work(0.005, clock(), clock)
    return one


def found_in(found: Taken) -> list[Finding]:
    return findings_of(
        found, {run.name: evaluate(found.problem, run.parameters)["train_loss"] for run in found.runs}
    )


class Parts(HTMLParser):
    """The elements of a page, and what is written in them."""

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


def test_what_people_typed_is_text_wherever_it_stands() -> None:
    one = trained(20, runs=[{"name": "gd", "label": EVIL}])
    text = report_html(taken(one)).decode()
    plain = report_html(taken(trained(20, runs=[{"name": "gd"}]))).decode()
    parts, others = Parts(text), Parts(plain)
    assert parts.tags == others.tags
    assert {name for name, _ in parts.attributes} == {name for name, _ in others.attributes}
    assert not {name for name, _ in parts.attributes if name.startswith("on")}
    assert sum(EVIL in words for words in parts.words) >= 3


def test_its_figures_are_those_of_the_server() -> None:
    one = trained(50)
    text = report_html(taken(one)).decode()
    kept = [json.loads(script) for script in Parts(text).scripts if script.startswith("{")]
    assert kept == [figure_json(name, one.figure_view()) for name in ("loss", "gradients")]


def test_it_loads_nothing_and_runs_its_own_two_scripts_only() -> None:
    parts = Parts(report_html(taken(trained(5))).decode())
    names = dict(parts.attributes)
    assert not {"src", "href", "srcset", "action"} & names.keys()
    policy = next(
        value for name, value in parts.attributes if name == "content" and value and "default-src" in value
    )
    assert policy.startswith("default-src 'none'; ")
    assert policy.count("sha256-") == 2
    assert not {"connect-src", "unsafe-eval"} & set(policy.split())


def test_of_one_run_it_tells_that_run() -> None:
    text = report_html(taken(trained(5, runs=[{"label": "Alpha"}, {"label": "Beta"}]), "run-2")).decode()
    assert "Beta" in text
    assert "Alpha" not in text


def test_a_dead_layer_a_diverged_run_and_the_baseline_are_found() -> None:
    never = {"layers": [{"units": 3, "activation": "relu"}], "weights": "zeros", "biases": "zeros"}
    dead = found_in(taken(trained(10, network=never, runs=[{"label": "Stuck"}])))
    assert (dead[0].tone, dead[0].title) == ("problem", "Stuck: layer 1 is dead.")
    assert "predicting the mean" in dead[1].title
    assert dead[0].evidence.startswith("Its 3 units output 0 for all 900 training samples at step 10,")
    wild = found_in(taken(trained(10, runs=[{"label": "Wild", "learning_rate": 50}])))
    assert wild[0].title.startswith("Wild diverged at step ")
    assert not [each for each in wild if "predicting" in each.title]
    (fine,) = found_in(taken(trained(300, network={"layers": [{"units": 4, "activation": "tanh"}]})))[:1]
    assert fine.tone == "good"
    assert "does better than predicting the mean" in fine.title


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "full batch, sgd, rate 0.1"),
        ({"batch_size": 32, "optimizer": "momentum"}, "batch of 32, momentum (momentum 0.9), rate 0.1"),
        (
            {"schedule": "cosine", "l2": 0.001, "clip_norm": 1},
            "full batch, sgd, rate 0.1, cosine, l2 0.001, clip_norm 1",
        ),
    ],
)
def test_how_a_run_goes_about_it_is_told_in_a_line(settings: dict[str, Any], words: str) -> None:
    assert how(RunRecipe.model_validate(settings).settings) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.04391, "0.0439"), (12.34, "12.3"), (1284.0, "1.28e+03"), (100.0, "100")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_edits_are_told_from_their_steps_on() -> None:
    one = trained(30, runs=[{"label": "Edited"}])
    one.edit("run-1", EditRun.model_validate({"batch_size": 8}), 0.0)
    words = " ".join(Parts(report_html(taken(one)).decode()).words)
    assert "Edits while training" in words
    assert "batch_size 8" in words
    assert "Edits while training" not in report_html(taken(trained(3))).decode()
