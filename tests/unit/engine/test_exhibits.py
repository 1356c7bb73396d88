"""Every exhibit does what its clauses say, to the last printed digit, at the steps to which they lead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fallline.engine.measures.curvature import spectrum
from fallline.engine.measures.probes import evaluate, units
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe
from fallline.vocabulary.columns import Records
from fallline.vocabulary.exhibits import EXHIBITS, Exhibit
from fallline.vocabulary.recipe import RunRecipe
from support.aliases import Array
from support.problems import joined, problem_of, series

Measured = list[tuple[int, list[str]]]
"""For each clause its step, and the phrases of its text that are measured."""

LONGEST = 110
"""Maximum characters of a clause: four lines in the inspection rail."""


@dataclass
class Trained:
    """A run of an exhibit, trained as far as needed, with its series and final scores."""

    problem: Problem
    state: TrainingState
    pieces: list[Records]
    run: RunRecipe

    def to(self, step: int) -> Trained:
        self.pieces.append(advance(self.problem, self.state, self.run, step - self.state.step))
        return self

    def series(self, name: str) -> Array:
        return series(joined(self.pieces), name)

    @property
    def scores(self) -> dict[str, float]:
        return evaluate(self.problem, self.state.parameters)

    @property
    def loss(self) -> str:
        return number(self.scores["train_loss"])

    def first_below(self, loss: float) -> int:
        return int(np.argmax(self.series("train_loss") < loss))

    def rises(self) -> int:
        return int((np.diff(self.series("train_loss")) > 0).sum())


def trained(exhibit: Exhibit, name: str) -> Trained:
    recipe = check_recipe(exhibit.recipe)
    problem = problem_of(recipe)
    (run,) = (run for run in recipe.runs if run.name == name)
    return Trained(problem, begin(problem), [], run)


def number(value: float) -> str:
    """Three significant digits, written out, as the page does from 0.0001 on."""
    exponent = int(f"{value:.2e}".split("e")[1])
    return f"{value:.{max(0, 2 - exponent)}f}"


def notebook(exhibit: Exhibit) -> Measured:
    gd, sgd = trained(exhibit, "gd").to(500), trained(exhibit, "sgd").to(6)
    assert [sum(layer.dead) for layer in units(sgd.problem, sgd.state.parameters)[:2]][1] == 3
    sgd.to(195)
    assert not all(units(sgd.problem, sgd.state.parameters)[1].dead)
    sgd.to(196)
    assert all(units(sgd.problem, sgd.state.parameters)[1].dead)
    sgd.to(500)
    mean, losses = sgd.problem.baseline["train"], sgd.series("train_loss")
    assert losses[0] == gd.series("train_loss")[0]
    assert sgd.scores["train_loss"] > mean
    ends = gd.loss, sgd.loss
    assert not any(sgd.to(1500).series(f"grad_l1/W{layer}")[196:].any() for layer in (1, 2, 3))
    assert (np.diff(gd.to(1500).series("train_loss")) < 0).all()
    assert gd.scores["test_r2"] > 0.9
    return [
        (0, [f"at loss {number(losses[0])}."]),
        (int(np.argmax(losses)), [f"up to {number(losses.max())}.", "in layer 2 "]),
        (gd.first_below(mean), [f"below {number(mean)} it has learned"]),
        (196, ["unit of layer 2 dies", "now exactly 0."]),
        (500, [f"GD: {ends[0]}. SGD: {ends[1]},"]),
    ]


def relu(x: Array) -> Array:
    return (x > 0) * x


def stale_loop(problem: Problem, rate: float, steps: int) -> tuple[float, float]:
    """The notebook's GD loop with its bug, independent of the engine.

    Returns the loss that it prints at that step, and the loss of its weights at that time.
    """
    p = {name: values.copy() for name, values in problem.named(problem.initial_parameters).items()}
    X, y, m = problem.X, problem.y, len(problem.X)
    z2 = relu(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]  # from an earlier cell
    for step in range(steps + 1):
        z1 = X @ p["W1"] + p["b1"]
        a1 = relu(z1)
        a2 = a1 @ p["W2"] + p["b2"]  # should be z2
        true = relu(a2) @ p["W3"] + p["b3"]
        a2 = relu(z2)
        y_pred = a2 @ p["W3"] + p["b3"]
        if step == steps:
            return float(np.mean((y - y_pred) ** 2)), float(np.mean((y - true) ** 2))
        d3 = (y_pred - y) / m
        d2 = (d3 @ p["W3"].T) * (z2 > 0)
        d1 = (d2 @ p["W2"].T) * (z1 > 0)
        for layer, inputs, d in ((1, X, d1), (2, a1, d2), (3, a2, d3)):
            p[f"W{layer}"] -= rate * inputs.T @ d
            p[f"b{layer}"] -= rate * d.sum(axis=0)
    raise AssertionError


def as_printed(exhibit: Exhibit) -> Measured:
    gd = trained(exhibit, "gd").to(500)
    rate = gd.run.learning_rate
    start = number(gd.series("train_loss")[0])
    assert {number(loss) for loss in stale_loop(gd.problem, rate, 0)} == {start}
    printed, true = stale_loop(gd.problem, rate, 500)
    return [
        (0, [f"at loss {start},", "with its z2 from"]),
        (500, [f"prints {number(printed)} here.", f"then give {number(true)}."]),
        (500, ["With z2 ", f"loss is {gd.loss},"]),
    ]


def same_start(exhibit: Exhibit) -> Measured:
    gd, sgd = trained(exhibit, "gd").to(10), trained(exhibit, "sgd").to(1000)
    start, ten = number(gd.series("train_loss")[0]), gd.loss
    assert start == number(sgd.series("train_loss")[0])
    rises = sgd.to(1001).rises()
    assert gd.state.samples_seen == sgd.to(9000).state.samples_seen == 9000
    assert gd.to(1001).rises() == 0
    return [
        (0, [f"at loss {start}."]),
        (10, ["for 9,000 samples", f"is at {ten}."]),
        (1000, [f"first 1,000 steps the loss rises at {rises} of"]),
        (9000, ["made 9,000 steps", f"is at {sgd.loss}."]),
    ]


def too_high(exhibit: Exhibit) -> Measured:
    slow, quick, wild = (trained(exhibit, f"rate-{place}").to(200) for place in (1, 2, 3))
    with_ones = np.hstack([slow.problem.X, np.ones((len(slow.problem.X), 1))])
    least, *_, curvature = np.linalg.eigvalsh(with_ones.T @ with_ones / len(with_ones))
    limit = 2 / curvature
    rates = [each.run.learning_rate for each in (slow, quick, wild)]
    assert rates[1] < limit < rates[2]
    assert rates[0] * curvature < 1 < rates[1] * least  # jumps across the bowl in no direction; in every one
    for each in (slow, quick):
        assert (np.diff(each.series("train_loss")[:11]) < 0).all()
        assert each.state.diverged_at is None
    (falls,) = np.nonzero(np.diff(wild.series("train_loss")) < 0)
    assert falls.tolist() == list(range(len(falls)))
    return [
        (0, [f"by at most {curvature:.3f}.", f"above 2 / {curvature:.3f} = {limit:.3f}."]),
        (1, [f"Rate {rates[1]} jumps"]),
        (len(falls), [f"Rate {rates[2]} falls for {len(falls)} steps."]),
        (wild.state.diverged_at or 0, [f"Rate {rates[2]} diverges."]),
    ]


def batch_sizes(exhibit: Exhibit) -> Measured:
    one, eight, many, full = (trained(exhibit, name) for name in ("batch-1", "batch-8", "batch-64", "full"))
    after_one_pass = full.to(1).loss, one.to(512).loss
    ends = [run.to(20 * steps).loss for run, steps in ((one, 512), (eight, 64), (many, 8), (full, 1))]
    assert {run.state.samples_seen for run in (one, eight, many, full)} == {10240}
    last_passes = one.series("train_loss")[10 * 512 :]
    low, high = number(np.nanmin(last_passes)), number(np.nanmax(last_passes))
    return [
        (1, [f"is at {after_one_pass[0]}."]),
        (512, ["batch of 1 ", "made 512 steps", f"is at {after_one_pass[1]}."]),
        (eight.state.step, [f"The batch of 8 is at {ends[1]}."]),
        (one.state.step, [f"The batch of 1 wandered from {low} to {high} in", f"ends at {ends[0]}."]),
        (one.state.step, [f"The batch of 64 is at {ends[2]} ", f"all 512 at {ends[3]}:"]),
    ]


def momentum(exhibit: Exhibit) -> Measured:
    plain, fast = trained(exhibit, "plain").to(1600), trained(exhibit, "momentum").to(501)
    start = number(plain.series("train_loss")[0])
    assert start == number(fast.series("train_loss")[0])
    assert plain.rises() == 0
    return [
        (0, [f"loss, {start},", f"rate {plain.run.learning_rate}."]),
        (
            fast.first_below(0.01),
            [f"With momentum {fast.run.settings.as_json()['momentum']} the loss is", "below 0.01"],
        ),
        (500, [f"risen {fast.rises()} times"]),
        (plain.first_below(0.01), ["below 0.01"]),
    ]


def adam(exhibit: Exhibit) -> Measured:
    plain, quick = trained(exhibit, "gd").to(300), trained(exhibit, "adam").to(300)
    assert plain.loss == number(plain.problem.baseline["train"])
    ratios = [number(each.series("ratio/W1")[10]) for each in (plain, quick)]
    return [
        (10, ["moves W1 ", f"by {ratios[0]} of", f"Adam by {ratios[1]}:"]),
        (quick.first_below(0.1), ["below 0.1"]),
        (300, [f"is at {plain.loss},"]),
    ]


def vanishing(exhibit: Exhibit) -> Measured:
    gd = trained(exhibit, "gd").to(1000)
    means = [gd.series(f"grad_mean/W{layer}")[0] for layer in range(1, 8)]
    assert means == sorted(means)
    assert gd.loss == number(gd.problem.baseline["train"])
    first, last = means[0], means[-1]
    x = np.linspace(-9.0, 9.0, 2001)
    slope = (np.exp(-x) / (1.0 + np.exp(-x)) ** 2).max()
    times = f"{round(last / first, -1):,.0f} times less"
    return [
        (0, [f"is {number(last)} in W7 ", f"{number(first)} in W1, {times}"]),
        (0, [f"at most {slope:.2f}."]),
        (1000, [f"loss is {gd.loss},"]),
    ]


def zeros(exhibit: Exhibit) -> Measured:
    equal = trained(exhibit, "adam").to(500)
    for name, values in equal.problem.named(equal.state.parameters).items():
        spread = np.ptp(values, axis=0 if name == "W2" else 1)
        assert not spread.any(), name
    other = exhibit.recipe.model_copy(
        update={"network": exhibit.recipe.network.model_copy(update={"weights": "xavier_normal"})}
    )
    apart = trained(replace(exhibit, recipe=other), "adam").to(500)
    assert apart.scores["test_accuracy"] == 1.0
    right = round(len(equal.problem.test_rows) * equal.scores["test_accuracy"])
    return [
        (1, []),
        (500, [f"{right} of the {len(equal.problem.test_rows)} test samples"]),
        (500, []),
    ]


def spirals(exhibit: Exhibit) -> Measured:
    quick, slow = (trained(exhibit, name).to(750) for name in ("adam", "sgd"))
    count = len(quick.problem.test_rows)
    right = [round(count * each.scores["test_accuracy"]) for each in (quick, slow)]
    start = number(quick.series("train_loss")[0])
    assert start == number(slow.series("train_loss")[0])
    assert quick.to(1500).scores["test_accuracy"] == 1.0
    return [
        (0, [f"at loss {start}."]),
        (750, [f"about {right[0]} of the {count} test samples", f"about {right[1]}."]),
        (1500, []),
    ]


def edge(exhibit: Exhibit) -> Measured:
    fast, slow = (trained(exhibit, name) for name in ("fast", "slow"))

    def sharpness(run: Trained) -> float:
        return float(spectrum(run.problem, run.state.parameters).eigenvalues[0])

    start, limits = sharpness(fast), []
    assert start == sharpness(slow)
    for run in (fast, slow):
        limit = 2.0 / run.run.learning_rate
        sharpnesses = [sharpness(run.to(step)) for step in range(2000, 4001, 50)]
        assert np.mean(sharpnesses) == pytest.approx(limit, rel=0.02)
        assert np.ptp(sharpnesses) < 0.1 * limit
        limits.append(f"{limit:g} at rate {run.run.learning_rate}")
    after = fast.series("train_loss")[2999:4000]
    assert after[-1] < 0.7 * after[0]
    rises = np.diff(after) > 0
    assert (rises[:-1] != rises[1:]).all()
    return [
        (0, [f"loss is {number(start)}."]),
        (2000, ["is at 2 / rate", f"within 2 % of {limits[0]} and of {limits[1]}."]),
        (3000, [f"rises at {rises.sum()} of the next 1,000 steps,"]),
        (4000, []),
    ]


CLAIMS: dict[str, Callable[[Exhibit], Measured]] = {
    "notebook": notebook,
    "as-printed": as_printed,
    "same-start": same_start,
    "too-high": too_high,
    "batch-sizes": batch_sizes,
    "momentum": momentum,
    "adam": adam,
    "vanishing": vanishing,
    "zeros": zeros,
    "spirals": spirals,
    "edge": edge,
}
"""Measurements for the clauses of each exhibit; claims without numbers are asserted here."""


def untold(name: str, exhibit: Exhibit) -> list[str]:
    """Measurements that the clauses do not contain, and clauses with a number that is not measured."""
    assert name in CLAIMS, f"write a function that measures the clauses of {name}, and add it to CLAIMS"
    faults = []
    for clause, (step, phrases) in zip(exhibit.question.explain, CLAIMS[name](exhibit), strict=True):
        text = clause.text
        faults += [f"step {step}, not {clause.step}: {text}"] if step != clause.step else []
        for phrase in phrases:
            faults += [] if phrase in text else [phrase]
            text = text.replace(phrase, "")
        faults += [f"not measured: {text}"] if re.search(r"\d", text) else []
    return faults


@pytest.mark.parametrize("name", EXHIBITS)
def test_an_exhibit_shows_what_its_clauses_say(name: str) -> None:
    assert untold(name, EXHIBITS[name]) == []


@pytest.mark.parametrize("name", ["notebook", "too-high"])
def test_a_number_that_nobody_measured_is_found(name: str) -> None:
    """Control: another digit, another step, and one number more."""
    exhibit = EXHIBITS[name]
    last = exhibit.question.explain[-1]
    for change in ({"text": f"{last.text} 7 times."}, {"step": 7}, {"text": "It is over."}):
        clauses = [*exhibit.question.explain[:-1], last.model_copy(update=change)]
        question = exhibit.question.model_copy(update={"explain": clauses})
        assert untold(name, replace(exhibit, question=question)) != []


SOON = ("notebook", "as-printed", "too-high", "zeros", "same-start")
"""Exhibits whose claims take only a moment to measure."""


@pytest.mark.parametrize(
    "name", [*SOON, *(pytest.param(name, marks=pytest.mark.long) for name in EXHIBITS if name not in SOON)]
)
def test_another_seed_does_not_pass_for_an_exhibit(name: str) -> None:
    """The control: the numbers belong to this recipe, not to any similar one."""
    exhibit = EXHIBITS[name]
    data = exhibit.recipe.data.model_copy(update={"seed": exhibit.recipe.data.seed + 1})
    other = replace(exhibit, recipe=exhibit.recipe.model_copy(update={"data": data}))
    try:
        missing = untold(name, other)
    except AssertionError:
        return
    assert missing != []


@pytest.mark.parametrize("name", EXHIBITS)
def test_an_exhibit_asks_a_plain_question_and_has_plain_clauses_in_the_order_of_their_steps(
    name: str,
) -> None:
    exhibit = EXHIBITS[name]
    question = exhibit.question
    assert question.id == name
    assert re.fullmatch(r"[A-Z0-9][^\n!]*\?", question.prompt)
    assert len(question.prompt) <= 64  # one line above the charts
    assert question.kind == "number" or 2 <= len(question.choices) <= 3
    steps = [clause.step for clause in question.explain]
    assert 3 <= len(steps) <= 5
    assert steps == sorted(step for step in steps if step is not None)
    runs = {run.name for run in exhibit.recipe.runs}
    for clause in question.explain:
        assert re.fullmatch(r"[A-Z][^\n!]*\.", clause.text)
        assert len(clause.text) <= LONGEST
        assert clause.run is None or clause.run in runs
    assert re.fullmatch(r"[a-z0-9][^.!?]*", exhibit.line)


def test_the_notebook_has_900_samples_to_train_on_and_one_rate() -> None:
    recipe = EXHIBITS["notebook"].recipe
    assert problem_of(recipe).train.count == 900
    assert [(run.name, run.learning_rate, run.batch_size) for run in recipe.runs] == [
        ("gd", 0.1, None),
        ("sgd", 0.1, 1),
    ]
