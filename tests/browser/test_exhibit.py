"""The main use of the page: open the exhibit, play, edit, and see the effect."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from statistics import variance

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import Dashboard

BOTH = {"gd", "sgd"}
WEIGHTS = ("W1", "W2", "W3")
SIX = {f"{run}/grad_l1/{weight}" for run in BOTH for weight in WEIGHTS}


def ends(lab: Dashboard, kind: str, role: str) -> dict[str, float]:
    """Return the last place of each line."""
    return {name: x[-1] if x else -1.0 for name, (x, _) in lab.traces(kind, role).items()}


def test_the_page_opens_on_the_exhibit_and_asks(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    expect(lab.page.locator(".exhibit .name")).to_have_text("The notebook: log-linear regression")
    for line, words in (
        ("data", "Data y = log(Xβ + 20) 5 inputs, 900 samples to train"),
        ("network", "Network 5 → 4 → 4 → 1, relu 49 parameters, normal weights"),
    ):
        expect(lab.page.locator(f"[data-opens={line}]")).to_have_text(words)
    expect(lab.rate("GD")).to_have_value("0.1")
    expect(lab.rate("SGD")).to_have_value("0.1")
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, rate 0.1")
    expect(lab.rule("sgd")).to_have_attribute("title", "batch of 1, rate 0.1")
    expect(lab.counter).to_have_text("0")
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "ready")
    expect(lab.page.locator("exhibit-question h2")).to_have_text(
        "Same start, same rate. Which one gets stuck?"
    )
    expect(lab.page.locator(".chart-label.start")).to_contain_text("both runs start here: loss")
    expect(lab.page.locator(".chart-label.baseline")).to_contain_text("predicting the mean: 0.0")


def test_plotly_is_asked_for_only_when_the_page_can_be_used(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    entries = lab.page.evaluate("""() => performance.getEntriesByType("resource")
        .filter(({ name }) => name.includes("/plotly-") && name.endsWith(".js"))
        .map(({ startTime }) => startTime)""")
    assert len(entries) == 1
    assert 0 < lab.page.evaluate("__moments.usable") < entries[0]


def test_play_moves_the_counter_both_loss_curves_and_six_gradients(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.play.click()
    expect(lab.page.locator("exhibit-question")).to_be_hidden()
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "live")
    losses = lab.until(
        lambda: ends(lab, "loss", "train"),
        lambda at: set(at) >= {f"{run}/train_loss" for run in BOTH} and min(at.values()) > 0,
    )
    gradients = lab.until(
        lambda: ends(lab, "gradients", "line"), lambda at: set(at) == SIX and min(at.values()) > 0
    )
    counted = lab.step
    lab.until(lambda: ends(lab, "loss", "train"), lambda at: all(at[name] > losses[name] for name in losses))
    lab.until(
        lambda: ends(lab, "gradients", "line"), lambda at: all(at[name] > gradients[name] for name in SIX)
    )
    lab.until(lambda: lab.step, lambda step: step > counted)
    lab.rest()
    for kind in ("loss", "gradients"):
        lab.until_is(partial(lab.chart(kind).get_attribute, "data-last-step"), str(lab.step))


SWITCH = """() => {
    const at = (selector) => document.querySelector(selector);
    at('run-card[data-run=gd] [role=radio][data-value=sgd]').click();
    return new Promise((told) => requestAnimationFrame(() => told({
        checked: at('run-card[data-run=gd] [aria-checked=true]').textContent,
        rule: at('race-table tr[data-run=gd] th.who').title,
    })));
}"""


def roughness(values: list[float]) -> float:
    """Return the variance of step-to-step changes: small on a smooth slope, large in noise."""
    return variance(after - before for before, after in pairwise(values))


def test_gd_becomes_sgd_while_it_plays(open_lab: OpenLab) -> None:
    """The product's main use, read from the page."""
    lab = open_lab(plotted=True)
    lab.make_steps(200)
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 240)

    # the edit shows in the next frame
    assert lab.page.evaluate(SWITCH) == {"checked": "SGD", "rule": "batch of 1, rate 0.1"}

    # a marker with words and step
    expect(lab.flags).to_have_count(1)
    expect(lab.flags).to_have_attribute("data-run", "gd")
    expect(lab.flags).to_have_attribute("title", "GD → SGD")
    at = int(str(lab.flags.get_attribute("data-step")))
    lab.until(lambda: lab.step, lambda step: step > at + 60)
    lab.rest()

    # 900 samples a step before, one sample a step after
    assert lab.samples_seen("gd") == 900 * at + (lab.step - at)
    samples = lab.samples_seen("gd")
    lab.button("1 step (right arrow)").click()
    lab.until_is(lambda: lab.samples_seen("gd"), samples + 1)
    history = lab.ask("GET", "/runs/gd/history", series="train_loss", since=at - 2, until=at + 2)
    assert [b - a for a, b in pairwise(history["samples_seen"])][-2:] == [1, 1]
    assert history["samples_seen"][history["first"].index(at)] == 900 * at + 1

    # its curve shows the noise
    x, y = lab.until(
        lambda: lab.traces("loss", "train")["gd/train_loss"],
        lambda line: any(at + 40 < step < lab.step for step in line[0]),
    )
    smooth = [value for step, value in zip(x, y, strict=True) if at - 60 <= step < at]
    noisy = [value for step, value in zip(x, y, strict=True) if at < step <= at + 60]
    # a slow page has a few steps in one point
    assert min(len(smooth), len(noisy)) > 10
    assert roughness(noisy) > 100 * roughness(smooth)


# Top of the shelf, and each run's present place, panels from left to right.
STANDING = """() => {
    const found = (selector) => [...document.querySelectorAll(`plotly-chart[kind=gradients] ${selector}`)]
        .map((path) => path.getBBox());
    const now = (run) => found(`.chart-marks .now[data-run=${run}]`).map(({ y, height }) => y + height / 2);
    return { shelf: found(".chart-ground .shelf").map(({ y }) => y), gd: now("gd"), sgd: now("sgd") };
}"""


def test_gd_learns_and_the_second_layer_of_sgd_dies(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(1500)
    expect(lab.row("sgd")).to_have_attribute("data-state", "layer 2 dead")
    expect(lab.page.locator("race-table thead")).to_contain_text("R²")
    assert float(lab.row("gd").locator("td.score").inner_text()) > 0.9
    assert abs(float(lab.row("sgd").locator("td.score").inner_text().replace("−", "-"))) < 0.05

    # four hollow units
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    drawing = lab.page.locator("network-drawing")
    expect(drawing).to_have_attribute("data-run", "sgd")
    expect(drawing).to_have_attribute("data-dead", re.compile("^[4-8]$"))
    hollow = drawing.locator("g.dead[data-place='2']")
    expect(hollow).to_have_count(4)
    for unit in hollow.all():
        expect(unit.locator("text")).to_have_text("0")
    expect(drawing.get_by_text("4 of 4 dead")).to_have_count(1)

    # its gradient is on the shelf of exactly 0, GD's is not
    expect(lab.chart("gradients")).to_have_attribute("data-last-step", "1500")
    standing = lab.page.evaluate(STANDING)
    assert len(standing["shelf"]) == len(WEIGHTS)
    [shelf] = set(standing["shelf"])
    assert all(place > shelf for place in standing["sgd"])
    assert all(place < shelf for place in standing["gd"])
    assert len(standing["sgd"]) == len(standing["gd"]) == len(WEIGHTS)
    for weight in WEIGHTS:
        values = (
            lab.chart("gradients").locator(".chart-label.title", has_text=weight).locator("i[data-run=sgd]")
        )
        expect(values).to_have_text("0")
    expect(lab.chart("gradients")).to_have_attribute("aria-label", re.compile("Exactly 0 in SGD"))


def test_the_edges_of_the_network_are_as_wide_as_its_weights_now_and_in_the_past(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(30)
    assert_drawn(lab, 30)
    lab.page.get_by_label("Time travel").press("Home")
    assert_drawn(lab, 0)


# The width of each edge, and whether it is dashed, as negative ones are.
EDGES = """(all) => all.map((path) =>
    [+path.getAttribute("stroke-width"), getComputedStyle(path).strokeDasharray !== "none"])"""


def assert_drawn(lab: Dashboard, step: int) -> None:
    drawing = lab.page.locator("network-drawing")
    expect(drawing).to_have_attribute("data-step", str(step))
    run = drawing.get_attribute("data-run")
    named = lab.ask("GET", f"/runs/{run}/snapshot", step=step)["parameters"]
    widths = drawing.locator(".edges path").evaluate_all(EDGES)
    for rows in (named[name] for name in ("W1", "W2", "W3")):
        weights = [weight for row in rows for weight in row]
        drawn, widths = widths[: len(weights)], widths[len(weights) :]
        shares = [abs(weight) / max(map(abs, weights)) for weight in weights]
        assert [width for width, _ in drawn] == pytest.approx(
            [0.5 + 4.2 * share for share in shares], abs=0.006
        )
        assert [dashed for _, dashed in drawn] == [weight < 0 for weight in weights]
    assert widths == []
