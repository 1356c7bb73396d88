"""Every exhibit does what its sentences say, to the last printed digit."""

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
from fallline.vocabulary.exhibit_curves import CURVES
from fallline.vocabulary.exhibits import EXHIBITS, Exhibit
from fallline.vocabulary.recipe import RunRecipe
from support.aliases import Array
from support.exhibit_curves import curves_of
from support.problems import joined, problem_of, series

SENSITIVE = ("edge",)
"""At the edge of stability differences in the last digit grow until single losses differ.

So sentences and thumbnails of these exhibits only contain what does not depend on the processor.
"""

LONGEST = 340
"""Maximum characters of both sentences: three lines over the charts, and on a phone."""


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


def notebook(exhibit: Exhibit) -> list[str]:
    gd, sgd = trained(exhibit, "gd").to(500), trained(exhibit, "sgd").to(196)
    assert all(units(sgd.problem, sgd.state.parameters)[1].dead)
    last = np.flatnonzero(sgd.series("grad_l1/W2"))[-1]
    assert last == np.flatnonzero(sgd.series("grad_l1/W1"))[-1]
    sgd.to(500)
    mean = sgd.problem.baseline["train"]
    assert sgd.scores["train_loss"] > mean
    assert not sgd.to(1500).series("grad_l1/W2")[196:].any()
    assert (np.diff(gd.to(1500).series("train_loss")) < 0).all()
    assert gd.scores["test_r2"] > 0.9
    return [
        f"the same rate of {gd.run.learning_rate} GD",
        f"falls to {number(gd.series('train_loss')[500])} by step 500",
        f"SGD's is {number(sgd.series('train_loss')[500])},",
        f"predicting the mean ({number(mean)})",
        f"from step {last + 1} on they are exactly 0",
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


def as_printed(exhibit: Exhibit) -> list[str]:
    gd = trained(exhibit, "gd").to(500)
    printed, true = stale_loop(gd.problem, gd.run.learning_rate, 500)
    return [
        f"a loss of {number(printed)} at step 500",
        f"the weights it had by then gave {number(true)}.",
        f"falls to {gd.loss} by step 500",
    ]


def same_start(exhibit: Exhibit) -> list[str]:
    gd, sgd = trained(exhibit, "gd").to(10), trained(exhibit, "sgd").to(1001)
    rises, ten = sgd.rises(), gd.loss
    assert gd.to(1001).rises() == 0
    return [
        f"9,000 steps and its train loss is {sgd.to(9000).loss},",
        f"has made ten and is at {ten}.",
        f"SGD's rises at {rises} of them",
    ]


def too_high(exhibit: Exhibit) -> list[str]:
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
        f"at most {curvature:.3f}:",
        f"2 / {curvature:.3f} = {limit:.3f},",
        f"At rate {rates[0]} the loss slides down, at {rates[1]} ",
        f"at {rates[2]} it falls for {len(falls)} steps and then rises at every one",
        f"diverges at step {wild.state.diverged_at}.",
    ]


def batch_sizes(exhibit: Exhibit) -> list[str]:
    one, many, full = (trained(exhibit, name) for name in ("batch-1", "batch-64", "full"))
    after_one_pass = one.to(512).loss, full.to(1).loss
    noise = []
    for each, steps in ((one, 512), (many, 8)):
        between = each.to(40 * steps).series("train_loss")[30 * steps :]
        noise.append((np.nanmin(between), np.nanmax(between)))
    (low, high), (least, most) = noise
    return [
        f"512 steps and has a train loss of {after_one_pass[0]},",
        f"has made one and is at {after_one_pass[1]}.",
        f"the batch of 1 wanders from {number(low)} to {number(high)},",
        f"the batch of 64 from {number(least)} to {number(most)}.",
    ]


def momentum(exhibit: Exhibit) -> list[str]:
    plain, fast = trained(exhibit, "plain").to(1600), trained(exhibit, "momentum").to(501)
    reached = fast.first_below(0.01), plain.first_below(0.01)
    assert plain.rises() == 0
    return [
        f"the rate {plain.run.learning_rate}: with a momentum of {fast.run.settings.as_json()['momentum']} ",
        f"below 0.01 first at step {reached[0]}, without it at step {reached[1]:,}.",
        f"rises {fast.rises()} times with momentum",
    ]


def adam(exhibit: Exhibit) -> list[str]:
    plain, quick = trained(exhibit, "gd").to(1000), trained(exhibit, "adam").to(300)
    assert plain.loss == number(plain.problem.baseline["train"])
    ratios = [number(each.series("ratio/W1")[10]) for each in (plain, quick)]
    return [
        f"the mean, {plain.loss}, at step 1,000",
        f"below 0.1 first at step {quick.first_below(0.1)}.",
        f"at step 10 it is {ratios[0]} under GD and {ratios[1]} under Adam",
    ]


def vanishing(exhibit: Exhibit) -> list[str]:
    gd = trained(exhibit, "gd").to(1000)
    first, last = (gd.series(f"grad_mean/W{layer}")[0] for layer in (1, 7))
    means = [gd.series(f"grad_mean/W{layer}")[0] for layer in range(1, 8)]
    assert means == sorted(means)
    assert gd.loss == number(gd.problem.baseline["train"])
    return [
        f"is {number(last)} in W7 and {number(first)} in W1,",
        f"{round(last / first, -1):,.0f} times less",
        f"at step 1,000 the train loss is {gd.loss},",
    ]


def zeros(exhibit: Exhibit) -> list[str]:
    equal = trained(exhibit, "adam").to(500)
    for name, values in equal.problem.named(equal.state.parameters).items():
        spread = np.ptp(values, axis=0 if name == "W2" else 1)
        assert not spread.any(), name
    other = exhibit.recipe.model_copy(
        update={"network": exhibit.recipe.network.model_copy(update={"weights": "xavier_normal"})}
    )
    apart = trained(replace(exhibit, recipe=other), "adam").to(500)
    assert apart.scores["test_accuracy"] == 1.0
    return [f"at step 500 the accuracy on the test samples is {equal.scores['test_accuracy']:.2f},"]


def spirals(exhibit: Exhibit) -> list[str]:
    quick, slow = (trained(exhibit, name).to(750) for name in ("adam", "sgd"))
    count = len(quick.problem.test_rows)
    right = [round(count * each.scores["test_accuracy"]) for each in (quick, slow)]
    assert quick.to(1500).scores["test_accuracy"] == 1.0
    return [
        f"about {right[0]} of the {count} test samples",
        f"SGD with the same batches about {right[1]}.",
    ]


def edge(exhibit: Exhibit) -> list[str]:
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
        f"from {number(start)} at step 0",
        f"within 2 % of {limits[0]} and of {limits[1]}.",
        f"at rate {fast.run.learning_rate} the loss rises at {rises.sum()} of the 1,000 steps after step 3,000, every",
    ]


CLAIMS: dict[str, Callable[[Exhibit], list[str]]] = {
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
"""Measurements for the sentences of each exhibit; claims without numbers are asserted here."""


def untold(name: str, exhibit: Exhibit) -> list[str]:
    """Measurements that the sentences do not contain."""
    text = " ".join(exhibit.sentences)
    return [phrase for phrase in CLAIMS[name](exhibit) if phrase not in text]


@pytest.mark.parametrize("name", EXHIBITS)
def test_an_exhibit_shows_what_its_sentences_say(name: str) -> None:
    assert untold(name, EXHIBITS[name]) == []


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


@pytest.mark.parametrize("name", [name for name in EXHIBITS if name not in SENSITIVE])
def test_a_thumbnail_has_the_losses_that_training_gives(name: str) -> None:
    assert {run: list(losses) for run, losses in CURVES[name].items()} == curves_of(EXHIBITS[name])


@pytest.mark.parametrize("name", SENSITIVE)
def test_a_thumbnail_of_what_rounding_moves_has_such_losses_as_training_gives(name: str) -> None:
    curves = curves_of(EXHIBITS[name])
    assert set(curves) == set(CURVES[name])
    for run, losses in CURVES[name].items():
        assert losses[0] == curves[run][0]
        factors = np.exp(np.abs(np.log(np.array(curves[run]) / np.array(losses))))
        assert np.median(factors) < 1.5, run


@pytest.mark.parametrize("name", EXHIBITS)
def test_an_exhibit_has_two_plain_sentences_and_a_line_that_follows_press_play(name: str) -> None:
    exhibit = EXHIBITS[name]
    for sentence in exhibit.sentences:
        assert re.fullmatch(r"[A-Z][^\n!]*\.", sentence)
        assert not re.search(r"[a-z]\. [A-Z]", sentence)
    assert sum(map(len, exhibit.sentences)) <= LONGEST
    assert re.fullmatch(r"[a-z0-9][^.!?]*", exhibit.line)


def test_the_notebook_has_900_samples_to_train_on_and_one_rate() -> None:
    recipe = EXHIBITS["notebook"].recipe
    assert problem_of(recipe).train.count == 900
    assert [(run.name, run.learning_rate, run.batch_size) for run in recipe.runs] == [
        ("gd", 0.1, None),
        ("sgd", 0.1, 1),
    ]
